"""What a backend is: one object in a file of its own.

A backend lies above ops, rewrites and patches and below all else in `symae.compile`. It imports what is below it: it connects
the ops' kernels to PyTensor's conversions (`symae.ops.base.connect`), and says which rewrites it can have (`symae.rewrites`).
Nothing below knows of it but by the names of kernels' methods; what is above asks `symae.compile.backends` for all there are.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Apply

from symae.ops.base import BackendOp, kernel
from symae.ops.traced import Arrays, TracedOp
from symae.rewrites.registry import ALL, tag

if TYPE_CHECKING:
    from symae.compile.loops.base import IndexedStep, Loop

FLOATS = frozenset({"float32", "float64", "complex64", "complex128"})


@dataclass(frozen=True, kw_only=True, eq=False)
class Backend:
    """Describe what makes machine code of a graph, and what symae has to know of it.

    Importing the file of a backend does not import the backend: what needs it imports it where it is called.
    """

    name: str  # what users write: function(..., backend=name); its file and the ops' methods with kernels for it have this name
    title: str  # its name in a text
    compiler: str  # what makes the machine code, for the table of docs/backends.md
    mode: Mode  # PyTensor's, with the linker, without symae's rewrites
    needs: tuple[str, ...] = ()  # what it is like, as symae.rewrites lists it: it has the rewrites that need that
    module: str | None = None  # what has to be importable
    extra: str | None = None  # of symae, which brings it
    program: str | None = None  # what has to be on the machine; `lacking` tells (found, expected), or None where it is
    lacking: Callable[[], tuple[str, str] | None] = lambda: None
    dtypes: frozenset[str] = FLOATS  # the floating ones that it computes in
    one_program: bool = True  # the whole graph becomes one; otherwise each node is called by itself, and can be timed
    compiles_ahead: bool = False  # machine code is there when symae.function returns; otherwise the first call makes it
    # makes that of a linked function, True if it came from the disk; None: linking makes it
    compile_ahead: Callable[[Any], bool] | None = None
    dispatch: str | None = None  # PyTensor's module of conversions to this backend
    # what is done with it once PyTensor has loaded it: ops are connected
    overrides: tuple[Callable[[ModuleType], None], ...] = ()
    array_namespace: Callable[[], Arrays] | None = None  # makes the functions that symae.ops.traced.TracedOp is written in
    loop: Callable[[IndexedStep], Loop | None] | None = None  # makes a compiled loop over a function's calls, or None
    # those of the arrays that PyTensor's own mode for this backend leaves in shared variables
    array_packages: tuple[str, ...] = ()
    to_host: Callable[[Any], np.ndarray] = np.array  # makes a NumPy array of such an array
    before_compiling: Callable[[], None] | None = None  # called before a function is compiled
    while_compiling: Callable[[], AbstractContextManager[None]] = nullcontext  # a function is compiled in such a block
    held_back: tuple[str, ...] = ()  # patterns of PyTensor's warnings at each compilation that no user can mend

    @property
    def tags(self) -> tuple[str, ...]:
        """Return the tags of the rewrites of symae that this backend has."""
        return tuple(tag(need) for need in (ALL, *self.needs))

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
