"""``theano.compile.ops``: Ops of no type of their own, and Ops made of Python functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytensor.compile.ops import DeepCopyOp, ViewOp, deep_copy_op, view_op
from pytensor.graph.basic import Apply
from pytensor.graph.type import Type
from pytensor.tensor.shape import Shape, Shape_i

from symae.theano._impl.absent import getter
from symae.theano.gof.op import Op

__all__ = ["DeepCopyOp", "FromFunctionOp", "Shape", "Shape_i", "ViewOp", "as_op", "deep_copy_op", "view_op"]

__getattr__ = getter(
    __name__,
    elsewhere={
        "Rebroadcast": "tensor",
        "SpecifyShape": "tensor",
        "shape": "tensor",
        "shape_i": "tensor",
        "specify_shape": "tensor",
    },
    pytensor=["pytensor.compile.ops"],
)


class FromFunctionOp(Op):
    """Call a Python function as an Op, without a gradient.

    Parameters
    ----------
    fn : callable
        Takes and returns arrays.
    itypes, otypes : list of types
    infer_shape : callable, optional
        ``infer_shape(node, shapes)`` returns the shapes of what `fn` returns.
    """

    def __init__(self, fn: Callable[..., Any], itypes: Any, otypes: Any, infer_shape: Callable[..., Any] | None):
        self._fn = fn
        self.itypes = list(itypes)
        self.otypes = list(otypes)
        self._shapes = infer_shape

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._fn == other._fn

    def __hash__(self) -> int:
        return hash((type(self), self._fn))

    def __str__(self) -> str:
        return f"FromFunctionOp{{{self._fn.__name__}}}"

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        outs = self._fn(*inputs)
        for cell, out in zip(output_storage, outs if isinstance(outs, list | tuple) else (outs,), strict=True):
            cell[0] = out


class _WithShapes(FromFunctionOp):
    def infer_shape(self, node: Apply, shapes: Any) -> Any:
        assert self._shapes is not None
        return self._shapes(node, shapes)


def as_op(itypes: Any, otypes: Any, infer_shape: Callable[..., Any] | None = None) -> Callable[..., FromFunctionOp]:
    """Decorate a function of arrays to make an Op of it.

    Parameters
    ----------
    itypes, otypes : type or list of types
        Of what it takes and returns, ``[theano.tensor.dmatrix]``.
    infer_shape : callable, optional

    Raises
    ------
    TypeError
        Something in `itypes` or `otypes` is not a type.
    """
    taken, returned = (list(t) if isinstance(t, list | tuple) else [t] for t in (itypes, otypes))
    for name, types in (("itypes", taken), ("otypes", returned)):
        if not all(isinstance(t, Type) for t in types):
            raise TypeError(f"{name} has to be a list of Theano types")
    if infer_shape is not None and not callable(infer_shape):
        raise TypeError("infer_shape needs to be a callable")
    kind = FromFunctionOp if infer_shape is None else _WithShapes
    return lambda fn: kind(fn, taken, returned, infer_shape)
