"""Pooling: one number for each window of an image, its maximum, its sum or its average."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.variable import TensorVariable

from symae.errors import InputError
from symae.geometry.windows import Axis, Windows
from symae.ops.arguments import as_images, extent, pooling_windows, require_pixels
from symae.ops.pooling.c_call import PoolingOp, c_axis
from symae.ops.pooling.sum_pool import SumPool
from symae.ops.pooling.switches import PutAtSwitches
from symae.ops.traced import Arrays, padded, strided
from symae.typing import TensorLike

MODES = ("max", "sum", "average_inc_pad", "average_exc_pad")


def pool2d(
    input: TensorLike, ws: Any, stride: Any = None, pad: Any = (0, 0), mode: str = "max", ignore_border: bool = True
) -> TensorVariable:
    """Pool each map of images over windows.

    y[n, c, i, j] = the maximum, sum or average of x[n, c, i * s - p + k, j * t - q + l] over k < ws[0] and l < ws[1], where
    (s, t) is the stride and (p, q) the padding. Padding never is a maximum and adds nothing to a sum.

    Parameters
    ----------
    input : (n, c, h, w), float32 or float64
        Images; h and w at least 1.
    ws : int or (int, int)
        Height and width of the windows, at least 1.
    stride : int or (int, int), optional
        Rows and columns from one window to the next, at least 1; `ws` if not given, so that windows neither overlap nor leave
        gaps.
    pad : int, (int, int), "valid" or "same"
        Numbers: rows above and below and columns left and right, less than `ws`, and only with ``ignore_border=True``.
        "valid": none. "same", TensorFlow's and Keras's: ceil(h / s) by ceil(w / t) windows, the image in their middle, an odd
        row or column over at the bottom or right. With these two words `ignore_border` has no say.
    mode : {"max", "sum", "average_inc_pad", "average_exc_pad"}
        The averages differ with numbers in `pad`: does the padding count as zeros (inc) or not at all (exc)?
    ignore_border : bool
        True: only windows that lie in the padded image, max(0, (h + 2p - ws[0]) // s + 1) by … of them. False: windows at the
        bottom and the right may reach out of the image, ceil(h / s) by … of them, or with overlapping windows (s < ws[0])
        max(0, ceil((h - ws[0]) / s)) + 1; they are averaged over the pixels they have. (Theano's own default was False.)

    Returns
    -------
    (n, c, i, j), of the dtype of `input`
        Its gradient goes to the first maximum of a window in row-major order, or evenly to the pixels that were added up. A NaN
        in a window makes the result NaN, and the first NaN counts as the maximum.

    Raises
    ------
    InputError
        A number out of its range, an unknown mode, not 4 dimensions, images without a pixel.
    TypeError
        `input` does not hold floats.

    Notes
    -----
    Meaning and shapes are those of Theano 1.0.5, ``theano.tensor.signal.pool.pool_2d``, except that Theano gave the gradient of
    a maximum to every pixel that reaches it, and that it left NaN to chance.
    """
    windows = pooling_windows("pool2d", ws, stride, pad, ignore_border)
    if mode == "max":
        return MaxPool(windows)(input)[0]
    if mode not in MODES:
        raise InputError("pool2d: mode", repr(mode), f"one of {', '.join(MODES)}")
    return SumPool(windows, _divisor(mode, windows))(input)


def max_pool2d_with_switches(
    input: TensorLike, ws: Any, stride: Any = None, pad: Any = (0, 0), ignore_border: bool = True
) -> tuple[TensorVariable, TensorVariable]:
    """Compute the maximum of each window, and where it is.

    Parameters
    ----------
    input, ws, stride, pad, ignore_border
        As in `pool2d`.

    Returns
    -------
    pooled : (n, c, i, j), of the dtype of `input`
        ``pool2d(input, ..., mode="max")``.
    switches : (n, c, i, j), int64
        row * w + column of the maximum in its image, without the padding; of several equal ones the first in row-major order.
        ``input.reshape((n, c, h * w))[n, c, switches] == pooled``.

    Raises
    ------
    InputError, TypeError
        As in `pool2d`.
    """
    pooled, switches = MaxPool(pooling_windows("max_pool2d_with_switches", ws, stride, pad, ignore_border))(input)
    return pooled, switches


def _divisor(mode: str, windows: Windows) -> str:
    if mode == "sum":
        return "one"
    # without padding all the pixels that an average includes are in the image
    padding = windows.rows.pad or windows.columns.pad
    return "window" if mode == "average_inc_pad" and padding else "pixels"


def _first_maximum(xp: Arrays, x: Any, companion: Any, axis: Axis, dimension: int) -> tuple[Any, Any, Any]:
    """Compute over windows along one dimension the maxima, what accompanies them in `companion`, and their positions."""
    n = x.shape[dimension]
    count, before = axis.count(n), axis.before(n)
    after = max((count - 1) * axis.stride + axis.size - before - n, 0)
    # repeating the border adds no new values, and of equal ones the first counts; their positions are clipped below
    x = padded(xp, x, dimension, before, after, edge=True)
    companion = companion if companion is None else padded(xp, companion, dimension, before, after, edge=True)

    def pixel(array: Any, k: int) -> Any:
        return strided(array, dimension, k, axis.stride, count)

    best = pixel(x, 0)
    best_companion = companion if companion is None else pixel(companion, 0)
    at = xp.zeros(best.shape, xp.constant([0]))
    for k in range(1, axis.size):
        value = pixel(x, k)
        better = (value > best) | ((value != value) & (best == best))
        best, at = xp.where(better, value, best), xp.where(better, k, at)
        if companion is not None:
            best_companion = xp.where(better, pixel(companion, k), best_companion)
    position = at + xp.constant([i * axis.stride - before for i in range(count)]).reshape(
        [-1 if d == dimension else 1 for d in range(4)]
    )
    return best, best_companion, xp.where(position < 0, 0, xp.where(position > n - 1, n - 1, position))


def _first_maximum_eagerly(xp: Any, x: Any, other: Any, axis: Axis, dimension: int) -> tuple[Any, Any, Any]:
    """Compute the maxima, what accompanies them in `other`, whole numbers, and their places in windows; there are no NaN."""
    torch, n = xp.torch, x.shape[dimension]
    before, count = axis.before(n), axis.count(n)
    after = max((count - 1) * axis.stride + axis.size - before - n, 0)
    x, other = (a if a is None else padded(xp, a, dimension, before, after, edge=True) for a in (x, other))
    best, *values = (strided(x, dimension, k, axis.stride, count) for k in range(axis.size))
    best_other = other if other is None else strided(other, dimension, 0, axis.stride, count)
    at = torch.zeros((), dtype=torch.uint8 if axis.size < 256 else torch.int32).expand(best.shape)
    for k, value in enumerate(values, 1):
        better = value > best
        best = torch.maximum(best, value)
        at = better.to(at.dtype) if k == 1 else at.masked_fill_(better, k)
        if other is not None:
            # a choice, by arithmetic that may wrap around: faster than torch.where of bytes
            difference = strided(other, dimension, k, axis.stride, count) - best_other
            best_other = difference.mul_(better).add_(best_other)
    return best, best_other, at


def _switches(windows: Windows, row: Any, column: Any, h: int, w: int) -> Any:
    """Return positions in images of h x w pixels from places in windows."""
    import torch

    starts, inside = [], True
    for axis, n in ((windows.rows, h), (windows.columns, w)):
        starts.append(torch.arange(axis.count(n)) * axis.stride - axis.before(n))
        inside = inside and axis.before(n) == 0 and (axis.count(n) - 1) * axis.stride + axis.size <= n
    rows, columns = starts[0][:, None], starts[1]
    if inside:
        return row.to(torch.int32).mul_(w).add_(column).to(torch.int64).add_(rows * w + columns)
    # what repeats the border is in its place
    return (row + rows).clamp_(0, h - 1).mul_(w).add_((column + columns).clamp_(0, w - 1))


class MaxPool(PoolingOp):
    """Compute (n, c, h, w) -> the maximum of each window, and its switch."""

    __props__ = ("windows",)
    where = "pool2d"

    def __init__(self, windows: Windows):
        self.windows = windows

    def make_node(self, images: Any) -> Apply:
        images = as_images(f"{self.where}: input", images)
        shape = (*images.type.shape[:2], *self.windows.known_counts(*images.type.shape[2:]))
        outputs = [pt.tensor(dtype=dtype, shape=shape) for dtype in (images.type.dtype, "int64")]
        return Apply(self, [images], outputs)

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        n, c, h, w = shapes[0]
        return [(n, c, *self.windows.counts(h, w, pt.maximum))] * 2

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True, False]]  # a small change of the image does not move a maximum

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        (images,) = inputs
        if isinstance(cotangents[0].type, DisconnectedType):
            return [DisconnectedType()()]
        return [PutAtSwitches(self.windows)(cotangents[0], outputs[1], extent(images, 2), extent(images, 3))]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        (images,) = inputs
        require_pixels(f"{self.where}: input", images.shape)
        n, c, h, w = images.shape
        # where a window reaches out of the image, its last pixel inside again: that changes neither maximum nor switch
        rows = self.windows.rows.positions(h).clip(0, h - 1)
        columns = self.windows.columns.positions(w).clip(0, w - 1)
        (i, p), (j, q) = rows.shape, columns.shape
        seen = images[:, :, rows[:, None, :, None], columns[None, :, None, :]].reshape((n, c, i, j, p * q))
        first = seen.argmax(axis=-1)
        output_storage[0][0] = np.take_along_axis(seen, first[..., None], axis=-1)[..., 0]
        row = rows[np.arange(i)[:, None], first // q]
        column = columns[np.arange(j), first % q]
        output_storage[1][0] = row * w + column

    def numba(self, node: Apply) -> Callable[..., Any]:
        from symae.kernels.pooling import max_pool, threads_for_pixels

        images = node.inputs[0].type
        return max_pool(self.windows, f"{self.where}: input", threads_for_pixels(images.shape), images.dtype)

    def traced(self, xp: Arrays, node: Apply, *inputs: Any) -> Any:
        (images,) = inputs
        require_pixels(f"{self.where}: input", images.shape)
        # the first maximum of each row of a window, then the first row that has the maximum: row-major order
        best, _, column = _first_maximum(xp, images, None, self.windows.columns, 3)
        best, column, row = _first_maximum(xp, best, column, self.windows.rows, 2)
        return best, row * images.shape[3] + column

    def eagerly(self, xp: Any, node: Apply, *inputs: Any) -> Any:
        (images,) = inputs
        require_pixels(f"{self.where}: input", images.shape)
        rows, columns = self.windows.rows, self.windows.columns
        h, w = images.shape[2:]
        if not images.numel() or not rows.count(h) or not columns.count(w):
            return self.traced(xp, node, images)
        best, _, column = _first_maximum_eagerly(xp, images, None, columns, 3)
        best, column, row = _first_maximum_eagerly(xp, best, column, rows, 2)
        if xp.torch.isnan(best.sum()):  # of NaN the first counts, which no comparison finds
            return self.traced(xp, node, images)
        return best, _switches(self.windows, row, column, h, w)

    def c_call(self, node: Apply, outputs: Sequence[str]) -> tuple[str, Sequence[Any]]:
        rows, columns = self.windows.rows, self.windows.columns
        return f"symae_max_pool<{{type}}, {columns.size}, {columns.stride}>", (c_axis(rows), c_axis(columns))
