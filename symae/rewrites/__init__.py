"""Graph to faster or safer graph, one idea a file.

A rewrite lives in its own module, whose docstring shows the graph before and after, and enters itself into the table
(`symae.rewrites.registry`) under its name: all modules of this package are imported here. ``symae.function`` uses them;
PyTensor's own ``function`` does not. By its name a rewrite can be switched off:
``symae.compile.options(exclude=["minibatch_slice"])``.

A rewrite knows no backend: it says what a backend must be like to have it, and a backend's file (`symae.compile.backends`) says
what it is like. What all have needs nothing.
"""

from symae._runtime.package_entries import modules
from symae.rewrites.registry import names, need, tag

__all__ = ["names", "need", "tag"]

modules(__name__, __path__)
