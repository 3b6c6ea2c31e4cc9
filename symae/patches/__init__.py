"""Replacements of what PyTensor and Numba keep to themselves, one file for a backend and a purpose.

Each says what is there instead, and connects itself when PyTensor loads the backend.
"""

from symae.patches import (
    conversions,  # before the others, which check it
)

from symae.patches import (  # isort: skip
    c_indexing,
    indexing_rewrites,
    jax_indexing,
    mlx_indexing,
    numba_cache_load,
    numba_deferred_codegen,
    numba_extremes,
    numba_indexing,
    pytorch_indexing,
)

__all__ = [
    "c_indexing",
    "conversions",
    "indexing_rewrites",
    "jax_indexing",
    "mlx_indexing",
    "numba_cache_load",
    "numba_deferred_codegen",
    "numba_extremes",
    "numba_indexing",
    "pytorch_indexing",
]
