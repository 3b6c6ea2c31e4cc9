"""A slice of constant length as an op, which backends that trace with known shapes accept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable

from symae.ops.base import BackendOp
from symae.ops.runtime_errors import error_unless


class MinibatchSlice(BackendOp):
    """Slice ``data[start : start + length]``, which has to lie inside the data: a shorter slice is an error."""

    __props__ = ("length",)

    def __init__(self, length: int):
        self.length = length

    def make_node(self, data: Variable, start: Variable) -> Apply:
        data, start = pt.as_tensor(data), pt.cast(pt.as_tensor(start), "int64")
        # Of the type that the slice had: nodes after it keep theirs, and PyTensor gives rewrites up whose result is of another.
        # What asks for the shape is told the length by `output_shapes`.
        return Apply(self, [data, start], [pt.TensorType(data.type.dtype, shape=(None, *data.type.shape[1:]))()])

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [(pt.constant(self.length, dtype="int64"), *shapes[0][1:])]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        data, start = inputs
        if not 0 <= start <= len(data) - self.length:
            raise ValueError(self._outside(start, len(data)))
        output_storage[0][0] = data[int(start) : int(start) + self.length].copy()

    def _outside(self, start: Any, size: int) -> str:
        return f"minibatch {start}:{start + self.length} lies outside the data, expected a slice of 0:{size}"

    def _last(self, data: Any) -> int:
        """Return the last start, in what a backend traces."""
        if data.shape[0] < self.length:
            raise ValueError(f"a minibatch of {self.length} lies outside the data, expected a slice of 0:{data.shape[0]}")
        return int(data.shape[0] - self.length)

    def _error_unless(self, inside: Any, size: int, start: Any) -> None:
        if not error_unless(inside, lambda start: ValueError(self._outside(start, size)), start):
            raise NotImplementedError(f"{self} needs symae.function, which raises what is refused")

    def jax(self, node: Apply) -> Callable[..., Any]:
        import jax

        def minibatch(data: Any, start: Any) -> Any:
            # dynamic_slice moves a slice that reaches over the end back inside, and gives other rows in silence.
            start = jax.numpy.asarray(start)
            self._error_unless((start >= 0) & (start <= self._last(data)), data.shape[0], start)
            return jax.lax.dynamic_slice_in_dim(data, start, self.length)

        return minibatch

    def mlx(self, node: Apply) -> Callable[..., Any]:
        import mlx.core as mx

        def minibatch(data: Any, start: Any) -> Any:
            start = mx.array(start)
            last = self._last(data)
            self._error_unless((start >= 0) & (start <= last), data.shape[0], start)
            # mx.slice would read the memory beyond the data, before anybody looks at the condition.
            start = mx.clip(start, 0, last).reshape(1)
            return mx.slice(data, start, axes=(0,), slice_size=(self.length, *data.shape[1:]))

        return minibatch
