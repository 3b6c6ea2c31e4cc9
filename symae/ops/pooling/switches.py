"""Switches: the positions of maxima, and the two linear ops that read from images and write into images there.

A switch is a position in an image as row * w + column, int64, like ``torch.nn.functional.max_pool2d(return_indices=True)``.
For fixed switches both ops are linear and each other's transpose, so each is the gradient of the other, to any order. The name
is from Zeiler and Fergus (2014), "Visualizing and understanding convolutional networks".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.type import integer_dtypes

from symae.errors import InputError
from symae.geometry.windows import Windows
from symae.ops.arguments import as_images, as_size, extent, known
from symae.ops.pooling.c_call import PoolingOp
from symae.ops.traced import Arrays, concrete, spread_along


class _AtSwitches(PoolingOp):
    """Hold what both ops at switches share; `windows` are those of the switches, None if these may come from anywhere."""

    __props__ = ("windows",)
    connected = 1  # a small change of what was pooled does not move its maximum

    def __init__(self, windows: Windows | None = None):
        self.windows = windows
        self.where = "max_unpool2d_from_switches" if windows is None else "max_unpool2d"

    def checked(self, name: str, values: Any, switches: Any) -> tuple[Variable, Variable]:
        values, switches = as_images(f"{self.where}: {name}", values, pixels=False), pt.as_tensor(switches)
        if switches.type.ndim != 4:
            raise InputError(f"{self.where}: switches", f"{switches.type.ndim} dimensions", "4: (n, c, h, w)")
        if switches.type.dtype not in integer_dtypes:
            raise TypeError(f"{self.where}: switches: found dtype {switches.type.dtype}, expected integers")
        return values, pt.cast(switches, "int64")

    def check_range(self, switches: np.ndarray, h: int, w: int) -> None:
        outside = switches[(switches < 0) | (switches >= h * w)]
        if outside.size:
            raise InputError(f"{self.where}: switches", str(outside[0]), _range(h, w))

    def traced_switches(self, xp: Arrays, switches: Any, h: int, w: int) -> tuple[Any, Any]:
        """Return the switches, all in range, and whether they were, as the backend can tell."""
        if self.windows is not None or not math.prod(switches.shape):
            return switches, True

        def error(outside: np.ndarray) -> InputError:
            return InputError(f"{self.where}: switches", str(outside), _range(h, w))

        inside = (switches >= 0) & (switches < h * w)
        first = xp.first(switches, ~inside)
        good = xp.check((first >= 0) & (first < h * w), error, first)
        # MLX would read and write anywhere in memory, before anybody looks at the condition.
        return xp.where(inside, switches, 0), good


def _range(h: int, w: int) -> str:
    return f"positions from 0 to {h * w - 1}, row * w + column in images of {h} x {w} pixels"


class PutAtSwitches(_AtSwitches):
    """Put values at switches, (values (n, c, i, j), switches (n, c, i, j), h, w) -> images (n, c, h, w), zero elsewhere.

    Values that are put at the same position are added up.
    """

    def make_node(self, values: Any, switches: Any, h: Any, w: Any) -> Apply:
        values, switches = self.checked("pooled", values, switches)
        h, w = as_size(f"{self.where}: h", h), as_size(f"{self.where}: w", w)
        self.check_shapes(values.type.shape, switches.type.shape)
        shape = (*values.type.shape[:2], known(h), known(w))
        return Apply(self, [values, switches, h, w], [pt.tensor(dtype=values.type.dtype, shape=shape)])

    def check_shapes(self, values: Sequence[int | None], switches: Sequence[int | None]) -> None:
        if any(a != b for a, b in zip(values, switches, strict=True) if a is not None and b is not None):
            raise InputError(f"{self.where}: pooled", f"shape {tuple(values)}", f"{tuple(switches)}, a value for each window")

    def check_sizes(self, h: int, w: int) -> None:
        if h < 0 or w < 0:
            raise InputError(f"{self.where}: shape", f"({h}, {w})", "sizes of at least 0")

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [(*shapes[0][:2], *node.inputs[2:])]

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        return [TakeAtSwitches(self.windows)(cotangents[0], inputs[1]), *(DisconnectedType()() for _ in range(3))]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        values, switches, h, w = inputs[0], inputs[1], int(inputs[2]), int(inputs[3])
        self.check_shapes(values.shape, switches.shape)
        self.check_sizes(h, w)
        self.check_range(switches, h, w)
        images = np.zeros((*values.shape[:2], h * w), values.dtype)
        n, c, _, _ = np.indices(switches.shape, sparse=True)
        np.add.at(images, (n, c, switches), values)
        output_storage[0][0] = images.reshape((*values.shape[:2], h, w))

    def numba(self, node: Apply) -> Callable[..., Any]:
        from symae.kernels.pooling import jit
        from symae.kernels.switches import put_at

        put = put_at(self.where)

        @jit
        def put_at_switches(values: Any, switches: Any, h: Any, w: Any) -> Any:
            return put(values, switches, h.item(), w.item())

        return put_at_switches

    def traced(self, xp: Arrays, node: Apply, *inputs: Any) -> Any:
        values, switches = inputs[:2]
        h, w = (concrete(self, size, value) for size, value in zip(node.inputs[2:], inputs[2:], strict=True))
        self.check_shapes(tuple(values.shape), tuple(switches.shape))
        self.check_sizes(h, w)
        if self.windows is not None and not self.windows.overlap:
            # Each pixel asks whether it is the one that its window has chosen: faster than writing to scattered positions.
            for axis, n, d in ((self.windows.rows, h, 2), (self.windows.columns, w, 3)):
                values, switches = (spread_along(xp, x, axis, n, d) for x in (values, switches))
            return xp.where(switches == xp.constant(list(range(h * w))).reshape((1, 1, h, w)), values, 0)
        n, c, i, j = values.shape
        switches, good = self.traced_switches(xp, switches, h, w)
        if not h * w:
            return xp.zeros((n, c, h, w), values)
        images = xp.add_along(values.reshape((n, c, i * j)), switches.reshape((n, c, i * j)), h * w).reshape((n, c, h, w))
        return images if good is True else xp.where(good, images, math.nan)

    def eagerly(self, xp: Any, node: Apply, *inputs: Any) -> Any:
        values, switches = inputs[:2]
        h, w = (concrete(self, size, value) for size, value in zip(node.inputs[2:], inputs[2:], strict=True))
        if self.windows is None or not h * w:
            return self.traced(xp, node, *inputs)
        self.check_shapes(tuple(values.shape), tuple(switches.shape))
        self.check_sizes(h, w)
        n, c, i, j = values.shape
        images = xp.add_along(values.reshape((n, c, i * j)), switches.reshape((n, c, i * j)), h * w)
        return images.reshape((n, c, h, w))

    def c_call(self, node: Apply, outputs: Sequence[str]) -> tuple[str, Sequence[Any]]:
        return "symae_put_at<{type}>", ()


class TakeAtSwitches(_AtSwitches):
    """Take (images (n, c, h, w), switches (n, c, i, j)) -> the values of the images at the switches, (n, c, i, j)."""

    def make_node(self, images: Any, switches: Any) -> Apply:
        images, switches = self.checked("images", images, switches)
        self.check_shapes(images.type.shape, switches.type.shape)
        return Apply(self, [images, switches], [pt.tensor(dtype=images.type.dtype, shape=switches.type.shape)])

    def check_shapes(self, images: Sequence[int | None], switches: Sequence[int | None]) -> None:
        if any(a != b for a, b in zip(images[:2], switches[:2], strict=True) if a is not None and b is not None):
            n, c = switches[:2]
            raise InputError(f"{self.where}: images", f"shape {tuple(images)}", f"({n}, {c}, h, w), as many as switches")

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [shapes[1]]

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        images, switches = inputs
        transpose = PutAtSwitches(self.windows)
        return [transpose(cotangents[0], switches, extent(images, 2), extent(images, 3)), DisconnectedType()()]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        images, switches = inputs
        self.check_shapes(images.shape, switches.shape)
        n, c, h, w = images.shape
        self.check_range(switches, h, w)
        a, b, _, _ = np.indices(switches.shape, sparse=True)
        output_storage[0][0] = images.reshape((n, c, h * w))[a, b, switches]

    def numba(self, node: Apply) -> Callable[..., Any]:
        from symae.kernels.switches import take_at

        return take_at(self.where)

    def traced(self, xp: Arrays, node: Apply, *inputs: Any) -> Any:
        images, switches = inputs
        self.check_shapes(tuple(images.shape), tuple(switches.shape))
        n, c, h, w = images.shape
        i, j = switches.shape[2:]
        switches, good = self.traced_switches(xp, switches, h, w)
        if not h * w:
            return xp.zeros(switches.shape, images)
        values = xp.take_along(images.reshape((n, c, h * w)), switches.reshape((n, c, i * j))).reshape((n, c, i, j))
        return values if good is True else xp.where(good, values, math.nan)

    def c_call(self, node: Apply, outputs: Sequence[str]) -> tuple[str, Sequence[Any]]:
        return "symae_take_at<{type}>", ()
