"""What a backend is: one object in a file of its own.

A backend lies above ops, rewrites and patches and below all else in `symae.compile`. It imports what is below it: it connects
the ops' kernels to PyTensor's conversions (`symae.ops.base.connect`), and says which rewrites it can have (`symae.rewrites`).
Nothing below knows of it but by the names of kernels' methods; what is above asks `symae.compile.backends` for all there are.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Apply

from symae import rewrites
from symae.ops.base import BackendOp, kernel
from symae.ops.traced import Arrays, TracedOp

if TYPE_CHECKING:
    from symae.compile.loops.base import IndexedStep, Loop

__all__ = ["Backend", "build_with"]

FLOATS = frozenset({"float32", "float64", "complex64", "complex128"})


@dataclass(frozen=True, kw_only=True, eq=False)
class Backend:
    """Describe what makes machine code of a graph, and what symae has to know of it.

    Importing the file of a backend does not import the backend: what needs it imports it where it is called.

    Attributes
    ----------
    name : str
        What users write: ``function(..., backend=name)``. The file has this name, and the ops' methods with kernels for it.
    title : str
        Its name in a text.
    compiler : str
        What makes the machine code, for README's table.
    mode : Mode
        PyTensor's mode with the linker, without symae's rewrites.
    needs : tuple of str
        What it is like, as `symae.rewrites` lists it: it has the rewrites that need that.
    module, extra : str, optional
        What has to be importable, and the extra of symae that brings it.
    program : str, optional
        What has to be on the machine, and `lacking` tells whether it is not: (found, expected), or None.
    dtypes : set of str
        The floating dtypes that it computes in.
    one_program : bool
        The whole graph becomes one program. Otherwise each node is called by itself, and can be timed.
    compiles_ahead : bool
        The machine code is there when `symae.function` returns. Otherwise the first call makes it.
    compile_ahead : callable, optional
        Makes the machine code of a linked function, and returns True if it came from the disk; None where linking makes it.
    dispatch : str, optional
        PyTensor's module of conversions to this backend.
    overrides : tuple of callables
        What is done with this module once PyTensor has loaded it: ops of symae are connected.
    array_namespace : callable, optional
        Makes the functions that `symae.ops.traced.TracedOp` is written in.
    loop : callable, optional
        Makes a compiled loop over the calls of a function, or returns None where there can be none.
    array_packages : tuple of str
        The packages of the arrays that functions in PyTensor's own mode for this backend leave in shared variables.
    to_host : callable
        Makes a NumPy array of such an array.
    before_compiling : callable, optional
        Called before a function is compiled.
    held_back : tuple of str
        Patterns of the warnings that PyTensor gives at each compilation for it, and no user of symae can mend.
    """

    name: str
    title: str
    compiler: str
    mode: Mode
    needs: tuple[str, ...] = ()
    module: str | None = None
    extra: str | None = None
    program: str | None = None
    lacking: Callable[[], tuple[str, str] | None] = lambda: None
    dtypes: frozenset[str] = FLOATS
    one_program: bool = True
    compiles_ahead: bool = False
    compile_ahead: Callable[[Any], bool] | None = None
    dispatch: str | None = None
    overrides: tuple[Callable[[ModuleType], None], ...] = ()
    array_namespace: Callable[[], Arrays] | None = None
    loop: Callable[[IndexedStep], Loop | None] | None = None
    array_packages: tuple[str, ...] = ()
    to_host: Callable[[Any], np.ndarray] = np.array
    before_compiling: Callable[[], None] | None = None
    held_back: tuple[str, ...] = ()

    @property
    def tags(self) -> tuple[str, ...]:
        """Return the tags of the rewrites of symae that this backend has."""
        return tuple(rewrites.tag(need) for need in (rewrites.ALL, *self.needs))

    @property
    def floats(self) -> tuple[str, ...]:
        """Return what floatX can be."""
        return tuple(sorted(dtype for dtype in self.dtypes if dtype.startswith("float")))

    @property
    def installed(self) -> bool:
        """Return True if its module can be imported."""
        return self.module is None or importlib.util.find_spec(self.module) is not None

    def missing(self) -> tuple[str, str] | None:
        """Return what was found in the place of what it needs, and what was expected; None if all is there."""
        if not self.installed:
            package = f"symae[{self.extra}]" if self.extra else self.module
            return f"no module {self.module}", f'it installed: pip install "{package}"'
        return self.lacking()

    def links(self, linker: Any) -> bool:
        """Return True if functions of `linker` are this backend's, whoever compiled them."""
        return isinstance(linker, type(self.mode.linker))

    def reads(self, linker: Any) -> bool:
        """Return True if functions of `linker` take this backend's arrays as they are: of PyTensor's for it, and of symae's."""
        return isinstance(self.mode.linker, type(linker))


def build_with(array_namespace: Callable[[], Arrays]) -> Callable[[str, BackendOp, Apply], Callable[..., Any]]:
    """Return what builds kernels: an op's method for the backend or, of a `TracedOp` without one, `traced` in the namespace."""

    def build(backend: str, op: BackendOp, node: Apply) -> Callable[..., Any]:
        if isinstance(op, TracedOp) and not hasattr(op, backend):
            return op.kernel(array_namespace(), node)
        return kernel(backend, op, node)

    return build
