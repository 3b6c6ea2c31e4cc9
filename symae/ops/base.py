"""One op, one place: the base class that connects an op's methods to PyTensor's backends.

An op is a class in one file. ``perform`` (plain NumPy) is its definition; a method named after a backend builds its kernel::

    numba(node) -> nopython function      jax(node) -> traceable function
    pytorch(node) -> torch function       mlx(node) -> mlx function
    c_code(...)                           as in PyTensor's COp

Without a method, C and Numba run ``perform`` (Numba in object mode, and the function cannot be cached); the others raise
``NotImplementedError``. Ops know no backend but by the names of these methods. A backend's file, which lies above them
(`symae.compile.backends`), calls `connect` once PyTensor has loaded that backend; importing an op imports none.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from pytensor.graph.basic import Apply
from pytensor.link.c.op import COp

from symae.kernels.fingerprint import fingerprint, sources


class BackendOp(COp):
    """Connect an Op to its kernels: the kernel for a backend is the method of that name.

    Subclasses give ``make_node``, ``perform``, ``output_shapes`` and ``pullback``, and the kernels of the backends they know.
    """

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        """Return symbolic shapes of the outputs from those of the inputs; the one place that knows them."""
        raise NotImplementedError

    # How many inputs, from the first on, have gradients: those after them are sizes, positions and the like. None: all of them.
    connected: int | None = None

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[self.connected is None or i < self.connected] * len(node.outputs) for i in range(len(node.inputs))]

    def infer_shape(self, *arguments: Any) -> list[Any]:
        # PyTensor 3.0 passes (fgraph, node, shapes), later lines (node, shapes).
        node, shapes = arguments[-2:]
        return self.output_shapes(node, shapes)

    def numba_key(self, node: Apply) -> Any:
        """Return what the Numba kernel depends on beside the op's own settings: all static types.

        An op whose kernel depends on less says so here, and shares machine code between nodes.
        """
        return [(v.type.dtype, v.type.shape) for v in (*node.inputs, *node.outputs)]

    def c_code(self, node: Apply, name: str, inputs: Sequence[str], outputs: Sequence[str], sub: dict[str, str]) -> str:
        raise NotImplementedError(f"{type(self).__name__} has no C kernel")  # PyTensor then runs perform

    def c_code_cache_version(self) -> tuple[str, ...]:
        return (sources(_files(self)),)


def source_fingerprint(op: BackendOp) -> str:
    """Return the SHA-256 of the source of the class of `op`, its bases in symae, shared kernels and patches, and which are on.

    Numba's disk cache does not look at the source of a kernel: without this in the key, an edited kernel would keep running its
    old machine code.
    """
    return fingerprint(_files(op))


def _files(op: BackendOp) -> tuple[str, ...]:
    classes = (cls for cls in type(op).__mro__ if issubclass(cls, BackendOp))
    return tuple(sorted({str(sys.modules[cls.__module__].__file__) for cls in classes}))


def kernel(backend: str, op: BackendOp, node: Apply) -> Callable[..., Any]:
    """Build the kernel that `op` has for `backend`."""
    build = getattr(op, backend, None)
    if build is None:
        raise NotImplementedError(f"{type(op).__name__} has no {backend} kernel")
    return build(node)


def connect(backend: str, dispatch: Any, build: Callable[[str, BackendOp, Apply], Callable[..., Any]] = kernel) -> None:
    """Connect the kernels of all BackendOps to a backend whose conversions, the module `dispatch`, PyTensor has loaded.

    PyTensor's registry for them is called ``{backend}_funcify``. `build` builds a kernel: `kernel`, or what knows more.
    """

    @getattr(dispatch, f"{backend}_funcify").register(BackendOp)
    def _(op: BackendOp, node: Apply, **_: Any) -> Callable[..., Any]:
        return build(backend, op, node)
