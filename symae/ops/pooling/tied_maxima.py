"""Maxima whose gradient goes to every pixel that reaches them, as Theano's did.

`symae.ops.pool2d` gives it to the first one. Both are right where there is one; but windows of background have many, and a
network that trains on digits comes out otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Variable

from symae.geometry.windows import Axis, Windows
from symae.ops.arguments import as_images
from symae.ops.pooling.pool import MaxPool
from symae.ops.traced import Arrays, TracedOp, padded, spread_along, strided


class EqualMaxPool(MaxPool):
    """Pool as `MaxPool`, but hand the whole gradient to each pixel of a window that equals its maximum."""

    where = "pool_2d"

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        if isinstance(cotangents[0].type, DisconnectedType):
            return [DisconnectedType()()]
        return [SpreadToMaxima(self.windows)(inputs[0], outputs[0], cotangents[0])]


class _AtMaxima(TracedOp):
    """Compute (images (n, c, h, w), their maxima (n, c, i, j), third) -> result; for fixed maxima linear in `third`."""

    __props__ = ("windows",)

    compiled = False  # with symbolic sizes PyTorch's compiler fails

    def __init__(self, windows: Windows):
        self.windows = windows

    def make_node(self, images: Any, maxima: Any, third: Any) -> Apply:
        images, maxima, third = (as_images(f"{self}", v, pixels=False) for v in (images, maxima, third))
        third = pt.cast(third, images.type.dtype)
        result = self.result_like(images, maxima)
        return Apply(self, [images, maxima, third], [pt.tensor(dtype=images.type.dtype, shape=result.type.shape)])

    def result_like(self, images: Any, maxima: Any) -> Any:
        raise NotImplementedError

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [self.result_like(*shapes[:2])]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[False], [False], [True]]  # a small change of the images does not move their maxima

    def numba_key(self, node: Apply) -> Any:
        return node.outputs[0].type.dtype

    def borders(self, images: Any) -> list[tuple[Axis, int, int, int]]:
        """Return for rows and columns the axis, its windows, and the pixels that they cover before and after the image."""
        sizes = []
        for axis, n in zip((self.windows.rows, self.windows.columns), images.shape[2:], strict=True):
            count, before = axis.count(n), axis.before(n)
            sizes.append((axis, count, before, max((count - 1) * axis.stride + axis.size - before - n, 0)))
        return sizes

    def offsets(self) -> list[tuple[int, int]]:
        return list(np.ndindex(self.windows.rows.size, self.windows.columns.size))


class SpreadToMaxima(_AtMaxima):
    """Add `third` (n, c, i, j) to all pixels that equal the maximum of their window: (n, c, h, w)."""

    def result_like(self, images: Any, maxima: Any) -> Any:
        return images

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        images, maxima = inputs[:2]
        return [*(DisconnectedType()() for _ in range(2)), SumAtMaxima(self.windows)(images, maxima, cotangents[0])]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        images, maxima, third = inputs
        (rows, i, top, bottom), (columns, j, left, right) = self.borders(images)
        padded_images = np.pad(images, ((0, 0), (0, 0), (top, bottom), (left, right)))
        result = np.zeros_like(padded_images)
        for k, l in self.offsets():  # noqa: E741
            at = np.s_[:, :, k : k + i * rows.stride : rows.stride, l : l + j * columns.stride : columns.stride]
            result[at][:, :, :i, :j] += np.where(padded_images[at][:, :, :i, :j] == maxima, third, 0)
        output_storage[0][0] = np.ascontiguousarray(result[:, :, top : top + images.shape[2], left : left + images.shape[3]])

    def numba(self, node: Apply) -> Callable[..., Any]:
        return _kernel(self.windows, spread=True)

    def traced(self, xp: Arrays, node: Apply, *inputs: Any) -> Any:
        images, maxima, third = inputs
        h, w = images.shape[2:]
        axes = ((self.windows.rows, h, 2), (self.windows.columns, w, 3))
        if not self.windows.overlap:
            for axis, n, dimension in axes:
                maxima, third = (spread_along(xp, x, axis, n, dimension) for x in (maxima, third))
            return xp.where(images == maxima, third, 0)
        padded_images = images
        for (_, _, before, after), dimension in zip(self.borders(images), (2, 3), strict=True):
            padded_images = padded(xp, padded_images, dimension, before, after, edge=False)
        total = xp.zeros(padded_images.shape, images)
        (rows, i, top, _), (columns, j, left, _) = self.borders(images)
        for k, l in self.offsets():  # noqa: E741
            seen = strided(strided(padded_images, 2, k, rows.stride, i), 3, l, columns.stride, j)
            share = xp.where(seen == maxima, third, 0)
            share = xp.add_at(share, [k + m * rows.stride for m in range(i)], 2, padded_images.shape[2])
            total = total + xp.add_at(share, [l + m * columns.stride for m in range(j)], 3, padded_images.shape[3])
        return strided(strided(total, 2, top, 1, h), 3, left, 1, w)


class SumAtMaxima(_AtMaxima):
    """Add up `third` (n, c, h, w) over the pixels of each window that equal its maximum: (n, c, i, j)."""

    def result_like(self, images: Any, maxima: Any) -> Any:
        return maxima

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        images, maxima = inputs[:2]
        return [*(DisconnectedType()() for _ in range(2)), SpreadToMaxima(self.windows)(images, maxima, cotangents[0])]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        images, maxima, third = inputs
        (rows, i, top, bottom), (columns, j, left, right) = self.borders(images)
        padded_images, values = (np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right))) for x in (images, third))
        result = np.zeros_like(maxima)
        for k, l in self.offsets():  # noqa: E741
            at = np.s_[:, :, k : k + i * rows.stride : rows.stride, l : l + j * columns.stride : columns.stride]
            result += np.where(padded_images[at][:, :, :i, :j] == maxima, values[at][:, :, :i, :j], 0)
        output_storage[0][0] = result

    def numba(self, node: Apply) -> Callable[..., Any]:
        return _kernel(self.windows, spread=False)

    def traced(self, xp: Arrays, node: Apply, *inputs: Any) -> Any:
        images, maxima, third = inputs
        for (_, _, before, after), dimension in zip(self.borders(images), (2, 3), strict=True):
            images, third = (padded(xp, x, dimension, before, after, edge=False) for x in (images, third))
        (rows, i, _, _), (columns, j, _, _) = self.borders(inputs[0])
        total = xp.zeros(maxima.shape, maxima)
        for k, l in self.offsets():  # noqa: E741
            seen, value = (strided(strided(x, 2, k, rows.stride, i), 3, l, columns.stride, j) for x in (images, third))
            total = total + xp.where(seen == maxima, value, 0)
        return total


def _kernel(windows: Windows, spread: bool) -> Callable[..., Any]:
    """Compile the kernel of either op: both walk over the same pixels; one adds to the images, the other to the maxima."""
    from symae.kernels.pooling import geometry, jit, numbers

    (p, s), (q, t) = ((axis.size, axis.stride) for axis in (windows.rows, windows.columns))
    row_axis, column_axis = numbers(windows.rows), numbers(windows.columns)

    @jit
    def at_maxima(images: Any, maxima: Any, third: Any) -> Any:
        n, c, h, w = images.shape
        rows, above, _, _ = geometry(h, row_axis)
        columns, before, first, last = geometry(w, column_axis)
        result = np.zeros((n, c, h, w) if spread else (n, c, rows, columns), images.dtype)
        zero = images.dtype.type(0)
        for m in range(n * c):
            image, best = images[m // c, m % c], maxima[m // c, m % c]
            given, made = third[m // c, m % c], result[m // c, m % c]
            for i in range(rows):
                largest = best[i]
                for r in range(max(i * s - above, 0), min(i * s - above + p, h)):
                    row, source, target = image[r], given[i if spread else r], made[r if spread else i]
                    for k in range(columns - last + first):  # the windows that reach out of the image
                        j = k if k < first else k + last - first
                        for x in range(max(j * t - before, 0), min(j * t - before + q, w)):
                            if row[x] == largest[j]:
                                target[x if spread else j] += source[j if spread else x]
                    for j in range(first, last):
                        for l in range(q):  # noqa: E741
                            x = j * t - before + l
                            value = source[j if spread else x]
                            target[x if spread else j] += value if row[x] == largest[j] else zero
        return result

    return at_maxima
