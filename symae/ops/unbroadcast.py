"""Arrays whose length along an axis is 1 and that do not broadcast there, and arrays that are said to broadcast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.shape import specify_broadcastable

from symae.errors import BroadcastError
from symae.ops.traced import Arrays, TracedOp


class _AlongAxes(TracedOp):
    """Return x itself, of which another thing is known about the lengths along `axes`."""

    __props__ = ("axes",)
    view_map = {0: [0]}  # noqa: RUF012  (PyTensor's way of saying so)

    def __init__(self, *axes: int):
        self.axes = axes

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        output_storage[0][0] = self.traced(None, node, inputs[0])

    def pushforward(self, inputs: Sequence[Variable], outputs: Sequence[Variable], tangents: Sequence[Variable]) -> list[Any]:
        return [self(tangents[0])]

    def traced(self, xp: Arrays | None, node: Apply, *inputs: Any) -> Any:
        return inputs[0]


class Unbroadcast(_AlongAxes):
    """Return x, of which nothing is known about the lengths along `axes`."""

    def make_node(self, x: Any) -> Apply:
        x = pt.as_tensor_variable(x)
        shape = [None if i in self.axes else length for i, length in enumerate(x.type.shape)]
        return Apply(self, [x], [pt.TensorType(x.type.dtype, shape=shape)()])

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [shapes[0]]

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        ones = [i for i in self.axes if inputs[0].type.broadcastable[i] and not cotangents[0].type.broadcastable[i]]
        return [specify_broadcastable(cotangents[0], *ones) if ones else cotangents[0]]

    def numba(self, node: Apply) -> Callable[..., Any]:
        import numba

        @numba.njit
        def unbroadcast(x):  # type: ignore[no-untyped-def]
            return x

        return unbroadcast


class Addbroadcast(_AlongAxes):
    """Return x, whose lengths along `axes` have to be 1 when it is computed."""

    def make_node(self, x: Any) -> Apply:
        x = pt.as_tensor_variable(x)
        shape = [1 if i in self.axes else length for i, length in enumerate(x.type.shape)]
        for axis in self.axes:
            self._check(axis, x.type.shape[axis] or 1)
        return Apply(self, [x], [pt.TensorType(x.type.dtype, shape=shape)()])

    @staticmethod
    def _check(axis: int, length: int) -> None:
        if length != 1:
            raise BroadcastError(axis, length)

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [tuple(pt.constant(1, dtype="int64") if i in self.axes else length for i, length in enumerate(shapes[0]))]

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        return [cotangents[0]]

    def traced(self, xp: Arrays | None, node: Apply, *inputs: Any) -> Any:
        for axis in self.axes:
            self._check(axis, inputs[0].shape[axis])
        return inputs[0]

    def numba(self, node: Apply) -> Callable[..., Any]:
        import numba
        from pytensor.link.numba.cache import compile_numba_function_src

        lines = [
            f"    if x.shape[{axis}] != 1:\n        raise BroadcastError(int64({axis}), x.shape[{axis}])" for axis in self.axes
        ]
        source = "\n".join(["def addbroadcast(x):", *lines, "    return x\n"])
        known = {"__name__": __name__, "BroadcastError": BroadcastError, "int64": numba.int64}
        return numba.njit(compile_numba_function_src(source, "addbroadcast", known))
