"""A bias and a rectifier in one pass over the maps of a layer, and their gradients in another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.variable import TensorVariable

from symae.errors import InputError
from symae.ops.arguments import FLOATS, as_array
from symae.ops.traced import Arrays, TracedOp
from symae.typing import TensorLike


def rectified(x: TensorLike, b: TensorLike) -> TensorVariable:
    """Add a bias to each map and rectify: max(x + b, 0).

    y[n, c, ...] = max(x[n, c, ...] + b[c], 0), and NaN of NaN. The gradient at 0 is 0.

    Parameters
    ----------
    x : (n, c) or (n, c, h, w), float32 or float64
    b : (c,)

    Returns
    -------
    like x

    Raises
    ------
    InputError
        Other numbers of dimensions, or as many biases as there are not maps.
    TypeError
        Not floats.
    """
    return Rectified()(x, b)


def _spread(b: Any, ndim: int) -> Any:
    """Reshape `b` so that it meets the second of `ndim` axes."""
    return b.reshape((1, -1, *(1,) * (ndim - 2)))


class _InPlace(TracedOp):
    """Let the op's first output take the memory of one of its inputs, `overwrites`."""

    __props__ = ("inplace",)
    overwrites: int

    def __init__(self, inplace: bool = False):
        self.inplace = inplace
        if inplace:
            self.destroy_map = {0: [self.overwrites]}

    def numba_key(self, node: Apply) -> Any:
        from symae.kernels.bias_relu import threads_for_values

        x = node.inputs[0].type
        return x.dtype, x.ndim, threads_for_values(x.shape)


class Rectified(_InPlace):
    """Compute (x, b) -> max(x + b, 0)."""

    overwrites = 0

    def make_node(self, x: Any, b: Any) -> Apply:
        x, b = as_array("rectified, x", x), as_array("rectified, b", b)
        if x.type.ndim not in (2, 4):
            raise InputError("rectified, x", f"{x.type.ndim} dimensions", "2 or 4")
        if b.type.ndim != 1:
            raise InputError("rectified, b", f"{b.type.ndim} dimensions", "1")
        for name, v in (("x", x), ("b", b)):
            if v.type.dtype not in FLOATS:
                raise TypeError(f"rectified, {name}: found dtype {v.type.dtype}, expected {' or '.join(FLOATS)}")
        if None not in (x.type.shape[1], b.type.shape[0]) and x.type.shape[1] != b.type.shape[0]:
            raise InputError("rectified", f"{b.type.shape[0]} biases", f"{x.type.shape[1]}, one for each map of {x.type.shape}")
        dtype = str(np.result_type(x.type.dtype, b.type.dtype))
        return Apply(self, [pt.cast(x, dtype), pt.cast(b, dtype)], [pt.TensorType(dtype, shape=x.type.shape)()])

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [shapes[0]]

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        return list(RectifiedGradient()(outputs[0], cotangents[0], return_list=True))

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        x, b = inputs
        self._check(x.shape, b.shape)
        y = np.add(x, _spread(b, x.ndim), out=x if self.inplace else None)
        output_storage[0][0] = np.maximum(y, 0, out=y)

    def _check(self, x: Sequence[int], b: Sequence[int]) -> None:
        if x[1] != b[0]:
            raise InputError("rectified", f"{b[0]} biases", f"{x[1]}, one for each map of {tuple(x)}")

    def traced(self, xp: Arrays, node: Apply, *inputs: Any) -> Any:
        x, b = inputs
        self._check(x.shape, b.shape)
        y = x + _spread(b, len(x.shape))
        return xp.where(y <= 0, xp.zeros((), y), y)

    def eagerly(self, xp: Any, node: Apply, *inputs: Any) -> Any:
        x, b = inputs
        self._check(x.shape, b.shape)
        return xp.torch.relu_(x + _spread(b, x.ndim))

    def numba(self, node: Apply) -> Callable[..., Any]:
        from symae.kernels.bias_relu import rectify, threads_for_values

        x = node.inputs[0].type
        return rectify(x.ndim, np.dtype(x.dtype).itemsize, threads_for_values(x.shape), self.inplace)


class RectifiedGradient(_InPlace):
    """Compute (y, g) -> the gradients for x and b, where y = max(x + b, 0) and g is the gradient with respect to y."""

    overwrites = 1

    def make_node(self, y: Any, g: Any) -> Apply:
        y, g = pt.as_tensor(y), pt.as_tensor(g)
        shape = tuple(a if a is not None else b for a, b in zip(y.type.shape, g.type.shape, strict=True))
        outputs = [pt.TensorType(y.type.dtype, shape=s)() for s in (shape, shape[1:2])]
        return Apply(self, [y, pt.cast(g, y.type.dtype)], outputs)

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [shapes[0], (shapes[0][1],)]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[False, False], [True, True]]  # where y is positive does not change with y

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        y = inputs[0]
        u, v = cotangents
        total = pt.zeros_like(y) if isinstance(u.type, DisconnectedType) else u
        if not isinstance(v.type, DisconnectedType):
            total = total + _spread(v, y.type.ndim)
        return [DisconnectedType()(), RectifiedGradient()(y, total, return_list=True)[0]]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        y, g = inputs
        gx = np.where(y <= 0, y.dtype.type(0), g)
        output_storage[0][0] = gx
        output_storage[1][0] = gx.sum(axis=(0, *range(2, gx.ndim)), dtype="float64").astype(y.dtype)

    def traced(self, xp: Arrays, node: Apply, *inputs: Any) -> Any:
        y, g = inputs
        gx = xp.where(y <= 0, xp.zeros((), g), g)
        return gx, gx.sum((0, *range(2, len(y.shape))))

    def eagerly(self, xp: Any, node: Apply, *inputs: Any) -> Any:
        y, g = inputs
        gx = xp.torch.ops.aten.threshold_backward(g, y, 0)
        return gx, gx.sum((0, *range(2, y.ndim)))

    def numba(self, node: Apply) -> Callable[..., Any]:
        from symae.kernels.bias_relu import rectify_gradient, threads_for_values

        y = node.inputs[0].type
        return rectify_gradient(y.ndim, np.dtype(y.dtype).itemsize, threads_for_values(y.shape), self.inplace)
