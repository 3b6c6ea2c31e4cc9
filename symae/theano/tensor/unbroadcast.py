"""Arrays whose length along an axis is 1 and that do not broadcast there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.shape import specify_broadcastable

from symae.ops.traced import Arrays, TracedOp

__all__ = ["Unbroadcast"]


class Unbroadcast(TracedOp):
    """x -> x, of which nothing is known about the lengths along `axes`."""

    __props__ = ("axes",)
    view_map = {0: [0]}  # noqa: RUF012  (PyTensor's way of saying so)

    def __init__(self, *axes: int):
        self.axes = axes

    def make_node(self, x: Any) -> Apply:
        x = pt.as_tensor_variable(x)
        shape = [None if i in self.axes else length for i, length in enumerate(x.type.shape)]
        return Apply(self, [x], [pt.TensorType(x.type.dtype, shape=shape)()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        output_storage[0][0] = inputs[0]

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [shapes[0]]

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        ones = [i for i in self.axes if inputs[0].type.broadcastable[i] and not cotangents[0].type.broadcastable[i]]
        return [specify_broadcastable(cotangents[0], *ones) if ones else cotangents[0]]

    def pushforward(self, inputs: Sequence[Variable], outputs: Sequence[Variable], tangents: Sequence[Variable]) -> list[Any]:
        return [self(tangents[0])]

    def traced(self, xp: Arrays, node: Apply, *inputs: Any) -> Any:
        return inputs[0]

    def numba(self, node: Apply) -> Callable[..., Any]:
        import numba

        @numba.njit
        def unbroadcast(x):  # type: ignore[no-untyped-def]
            return x

        return unbroadcast
