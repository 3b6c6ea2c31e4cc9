"""Replacements of what PyTensor, Numba and JAX keep to themselves: one file a patch, each with a declaration, `Patch`.

What they are, whether they fit what is installed, and which are on: `status`. They are applied when PyTensor loads the backend
(`symae.patches.registry`); ``SYMAE_PATCHES`` switches them off.
"""

from symae.patches import (
    c_indexing,
    indexing_rewrites,
    jax_blockwise,
    jax_dispatch,
    jax_indexing,
    mlx_dispatch,
    mlx_indexing,
    numba_cache_keys,
    numba_cache_load,
    numba_deferred_codegen,
    numba_dimshuffle,
    numba_elemwise,
    numba_extremes,
    numba_indexing,
    numba_matrix_products,
    numba_reciprocal,
    numba_shape_error,
    numba_slices,
    numba_sparse_shapes,
    numba_specified_shapes,
    numba_threaded_elemwise,
    pytorch_dispatch,
    pytorch_indexing,
)
from symae.patches.patch import Expected, Patch
from symae.patches.registry import PatchStatus, Registry, chosen_by_user

__all__ = ["PATCHES", "Expected", "Patch", "PatchStatus", "Registry", "refuse_missing", "status", "summary"]

PATCHES: tuple[Patch, ...] = tuple(
    module.PATCH
    for module in (
        c_indexing,
        indexing_rewrites,
        jax_blockwise,
        jax_dispatch,
        jax_indexing,
        mlx_dispatch,
        mlx_indexing,
        numba_cache_keys,
        numba_cache_load,
        numba_deferred_codegen,
        numba_dimshuffle,
        numba_elemwise,
        numba_extremes,
        numba_indexing,
        numba_matrix_products,
        numba_reciprocal,
        numba_shape_error,
        numba_slices,
        numba_sparse_shapes,
        numba_specified_shapes,
        numba_threaded_elemwise,
        pytorch_dispatch,
        pytorch_indexing,
    )
)

_registry = Registry(PATCHES, chosen_by_user())
_registry.connect()

status, summary, refuse_missing = _registry.status, _registry.summary, _registry.refuse_missing
