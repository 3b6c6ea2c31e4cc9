"""Graph to faster or safer graph, one idea a file.

A rewrite lives in its own module, whose docstring shows the graph before and after, and enters itself into the table
(`symae.rewrites.registry`) under its name: all modules of this package are imported here. ``symae.function`` uses them;
PyTensor's own ``function`` does not. By its name a rewrite can be switched off:
``symae.compile.options(exclude=["minibatch_slice"])``.

A rewrite knows no backend: it says what a backend must be like to have it, and a backend's file (`symae.compile.backends`) says
what it is like. What all have needs nothing.
"""

from __future__ import annotations

import importlib
import pkgutil

from symae.rewrites.lazy_branches import rewrite_loop_steps
from symae.rewrites.registry import (
    ALL,
    C_OPERANDS,
    EAGER_BRANCHES,
    FUSED_KERNELS,
    NATIVE,
    STATIC_SHAPES,
    THEANO,
    names,
    need,
    tag,
)

__all__ = [
    "ALL",
    "C_OPERANDS",
    "EAGER_BRANCHES",
    "FUSED_KERNELS",
    "NATIVE",
    "STATIC_SHAPES",
    "THEANO",
    "names",
    "need",
    "rewrite_loop_steps",
    "tag",
]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
