"""Sums and averages over windows, and their transpose: two linear ops, each the gradient of the other, to any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Variable

from symae.errors import InputError
from symae.geometry.windows import Windows
from symae.ops.arguments import as_images, as_size, extent, known, require_pixels
from symae.ops.pooling.c_call import PoolingOp, c_axis
from symae.ops.traced import Arrays, concrete, outer, padded, spread_along, strided


class _WindowSums(PoolingOp):
    """Sum over windows and divide: `divisor` is "one", "window" for their size, or "pixels" for their pixels of the image."""

    __props__ = ("windows", "divisor")
    where = "pool2d"

    def __init__(self, windows: Windows, divisor: str = "one"):
        self.windows = windows
        self.divisor = divisor

    def divisors(self, h: int, w: int) -> np.ndarray:
        """Return what the sum over each window is divided by, (i, j)."""
        rows, columns = (np.array(d) for d in self.axis_divisors(h, w))
        return rows[:, None] * columns

    def axis_divisors(self, h: int, w: int) -> tuple[list[int], list[int]]:
        rows, columns = self.windows.rows, self.windows.columns
        if self.divisor == "pixels":
            return rows.covered(h), columns.covered(w)
        a, b = (rows.size, columns.size) if self.divisor == "window" else (1, 1)
        return [a] * rows.count(h), [b] * columns.count(w)

    def c_call(self, node: Apply, outputs: Sequence[str]) -> tuple[str, Sequence[Any]]:
        axes = c_axis(self.windows.rows), c_axis(self.windows.columns)
        return f"{self.c_function}<{{type}}>", (*axes, f"SYMAE_{self.divisor.upper()}")


class SumPool(_WindowSums):
    """Compute (n, c, h, w) -> the sum of each window over `divisor`: linear, with `SumPoolTranspose` for its transpose."""

    c_function = "symae_sum_pool"

    def make_node(self, images: Any) -> Apply:
        images = as_images(f"{self.where}: input", images)
        shape = (*images.type.shape[:2], *self.windows.known_counts(*images.type.shape[2:]))
        return Apply(self, [images], [pt.tensor(dtype=images.type.dtype, shape=shape)])

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        n, c, h, w = shapes[0]
        return [(n, c, *self.windows.counts(h, w, pt.maximum))]

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        (images,) = inputs
        transpose = SumPoolTranspose(self.windows, self.divisor)
        return [transpose(cotangents[0], extent(images, 2), extent(images, 3))]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        (images,) = inputs
        require_pixels(f"{self.where}: input", images.shape)
        h, w = images.shape[2:]
        rows, columns = self.windows.rows.positions(h), self.windows.columns.positions(w)
        inside = ((rows >= 0) & (rows < h))[:, None, :, None] & ((columns >= 0) & (columns < w))[None, :, None, :]
        seen = images[:, :, rows.clip(0, h - 1)[:, None, :, None], columns.clip(0, w - 1)[None, :, None, :]]
        total = np.where(inside, seen, 0).sum(axis=(4, 5), dtype=images.dtype)
        output_storage[0][0] = total / self.divisors(h, w).astype(images.dtype)

    def numba(self, node: Apply) -> Callable[..., Any]:
        from symae.kernels.pooling import sum_pool, threads_for_pixels

        images = node.inputs[0].type
        return sum_pool(self.windows, self.divisor, f"{self.where}: input", threads_for_pixels(images.shape), images.dtype)

    def traced(self, xp: Arrays, node: Apply, *inputs: Any) -> Any:
        (x,) = inputs
        require_pixels(f"{self.where}: input", x.shape)
        axis_divisors = self.axis_divisors(*x.shape[2:])
        for axis, dimension in ((self.windows.columns, 3), (self.windows.rows, 2)):
            n = x.shape[dimension]
            count, before = axis.count(n), axis.before(n)
            after = max((count - 1) * axis.stride + axis.size - before - n, 0)
            x = padded(xp, x, dimension, before, after, edge=False)
            first, *others = (strided(x, dimension, k, axis.stride, count) for k in range(axis.size))
            x = sum(others, start=first)
        return x if self.divisor == "one" else x / outer(xp, axis_divisors, x)


class SumPoolTranspose(_WindowSums):
    """Add each value over `divisor` to all pixels of its window, (pooled (n, c, i, j), h, w) -> images (n, c, h, w)."""

    c_function = "symae_spread"
    connected = 1

    def make_node(self, pooled: Any, h: Any, w: Any) -> Apply:
        pooled = as_images(f"{self.where}: pooled", pooled, pixels=False)
        h, w = as_size(f"{self.where}: h", h), as_size(f"{self.where}: w", w)
        shape = (*pooled.type.shape[:2], known(h), known(w))
        self.check_shapes(pooled.type.shape, shape[2], shape[3])
        return Apply(self, [pooled, h, w], [pt.tensor(dtype=pooled.type.dtype, shape=shape)])

    def check_shapes(self, pooled: Sequence[int | None], h: int | None, w: int | None) -> None:
        require_pixels(f"{self.where}: input", (*pooled[:2], h, w))
        wanted = (*pooled[:2], *self.windows.known_counts(h, w))
        if any(a != b for a, b in zip(pooled, wanted, strict=True) if a is not None and b is not None):
            raise InputError(
                f"{self.where}: pooled",
                f"shape {tuple(pooled)}",
                f"{wanted}, a value for each window of images of {h} x {w} pixels",
            )

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [(*shapes[0][:2], *node.inputs[1:])]

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        return [SumPool(self.windows, self.divisor)(cotangents[0]), DisconnectedType()(), DisconnectedType()()]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        pooled, h, w = inputs[0], int(inputs[1]), int(inputs[2])
        self.check_shapes(pooled.shape, h, w)
        shares = pooled / self.divisors(h, w).astype(pooled.dtype)
        images = np.zeros((*pooled.shape[:2], h, w), pooled.dtype)
        rows, columns = self.windows.rows.positions(h), self.windows.columns.positions(w)
        for i, j in np.ndindex(shares.shape[2:]):
            top, left = max(rows[i, 0], 0), max(columns[j, 0], 0)
            images[:, :, top : rows[i, -1] + 1, left : columns[j, -1] + 1] += shares[:, :, i, j, None, None]
        output_storage[0][0] = images

    def numba(self, node: Apply) -> Callable[..., Any]:
        from symae.kernels.pooling import jit, spread, threads_for_pixels

        images = node.outputs[0].type
        unpool = spread(self.windows, self.divisor, f"{self.where}: pooled", threads_for_pixels(images.shape), images.dtype)

        @jit
        def sum_pool_transpose(pooled: Any, h: Any, w: Any) -> Any:
            return unpool(pooled, h.item(), w.item())

        return sum_pool_transpose

    def traced(self, xp: Arrays, node: Apply, *inputs: Any) -> Any:
        x = inputs[0]
        h, w = (concrete(self, size, value) for size, value in zip(node.inputs[1:], inputs[1:], strict=True))
        self.check_shapes(tuple(x.shape), h, w)
        x = x if self.divisor == "one" else x / outer(xp, self.axis_divisors(h, w), x)
        for axis, n, dimension in ((self.windows.rows, h, 2), (self.windows.columns, w, 3)):
            x = spread_along(xp, x, axis, n, dimension)
        return x
