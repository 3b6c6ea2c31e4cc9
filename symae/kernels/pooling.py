"""Pooling as Numba functions: maxima with their places, sums of windows, and the transpose of the sums.

Each factory below makes a function for windows whose sizes and strides are constants in the machine code, so that LLVM unrolls
the loops over a window and vectorises the loop over the windows of a row.

A maximum is the first one of its window in row-major order, and the first NaN counts as larger than every number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from symae.ops.windows import Axis, ShapeError, Windows

__all__ = ["jit", "max_pool", "over_maps", "spread", "sum_pool"]

NO_PIXELS = ("shape ({}, {}, {}, {})", "at least one row and one column")

# Two threads halve the time from 50,000 pixels on, if both get a core at once. If one has to wait for a core that another
# process holds, all wait, for 4 ms as measured; so only work of that order goes to threads.
PIXELS_FOR_THREADS = 2_097_152

jit: Any = numba.njit(error_model="numpy", fastmath=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)
threaded: Any = numba.njit(error_model="numpy", fastmath=False, no_cpython_wrapper=True, no_cfunc_wrapper=True, parallel=True)


def over_maps(one_map: Any, pixels: int | None) -> Any:
    """(a, b, c) -> None, which calls one_map(a[m], b[m], c[m]) for each m, on several threads where that pays.

    `pixels` is how many there are in all, if that is known when the function is made: the choice then costs no machine code.
    """

    def loop(a: Any, b: Any, c: Any) -> None:
        for m in numba.prange(a.shape[0]):
            one_map(a[m], b[m], c[m])

    if pixels is not None:
        return (jit if pixels < PIXELS_FOR_THREADS else threaded)(loop)

    alone, together = jit(loop), threaded(loop)

    @jit
    def choice(a: Any, b: Any, c: Any) -> None:
        if max(a.size, b.size) < PIXELS_FOR_THREADS:
            alone(a, b, c)
        else:
            together(a, b, c)

    return choice


def geometry(axis: Axis) -> Any:
    """n -> (count, before, first and last + 1 of the windows that lie inside of the image), compiled."""
    size, stride, offset, extra, least = axis.size, axis.stride, axis.offset, axis.extra, axis.least
    pad, same = axis.pad or 0, axis.pad is None

    @jit
    def of(n: Any) -> Any:
        count = max((n + offset) // stride + extra, least)
        before = max((count - 1) * stride + size - n, 0) // 2 if same else pad
        first = min(-(-before // stride), count)
        last = min((n - size + before) // stride + 1, count) if n - size + before >= 0 else 0
        return count, before, first, max(first, last)

    return of


def max_pool(windows: Windows, place: str, pixels: int | None) -> Callable[..., Any]:
    """(n, c, h, w) -> the maximum of each window, and its place in the image as row * w + column."""
    (p, s), (q, t) = ((axis.size, axis.stride) for axis in (windows.rows, windows.columns))
    row_geometry, column_geometry = geometry(windows.rows), geometry(windows.columns)

    @jit
    def one_window(image: Any, top: Any, bottom: Any, left: Any, right: Any) -> Any:
        best, at = image[top, left], top * image.shape[1] + left
        if best != best:
            return best, at
        for r in range(top, bottom):
            for c in range(left, right):
                value = image[r, c]
                if not value <= best:
                    best, at = value, r * image.shape[1] + c
                    if value != value:
                        return best, at
        return best, at

    @jit
    def one_map(image: Any, pooled: Any, switches: Any) -> None:
        h, w = image.shape
        rows, above, _, _ = row_geometry(h)
        columns, before, first, last = column_geometry(w)
        flat = image.reshape(-1)
        nan = False
        for k in range(flat.size):
            nan |= flat[k] != flat[k]
        if nan:  # the vectorised loop below compares with > alone
            first = last = columns
        # Rows are cut at the first window that lies inside, so that no index below can be negative: Numba would look for that.
        origin, inside = first * t - before, last - first
        # place of the best so far, relative to the window: 32 bits wide like a float32, so that both fill a register alike
        best, at = np.empty(inside, image.dtype), np.empty(inside, np.int32)
        for i in range(rows):
            top, bottom = max(i * s - above, 0), min(i * s - above + p, h)
            for j in range(first):
                left, right = max(j * t - before, 0), min(j * t - before + q, w)
                pooled[i, j], switches[i, j] = one_window(image, top, bottom, left, right)
            for j in range(last, columns):
                left, right = max(j * t - before, 0), min(j * t - before + q, w)
                pooled[i, j], switches[i, j] = one_window(image, top, bottom, left, right)
            row = image[top, origin:]
            for j in range(inside):
                best[j], at[j] = row[j * t], 0
            for r in range(top, bottom):
                row, base = image[r, origin:], np.int32((r - top) * w)
                for j in range(inside):
                    b, a = best[j], at[j]
                    for l in range(q):  # noqa: E741
                        value = row[j * t + l]
                        a = np.int32(base + np.int32(l)) if value > b else a
                        b = value if value > b else b
                    best[j], at[j] = b, a
            target, switch = pooled[i, first:last], switches[i, first:last]
            for j in range(inside):
                target[j] = best[j]
                switch[j] = top * w + origin + j * t + np.int64(at[j])

    every_map = over_maps(one_map, pixels)

    @jit
    def pool(images: Any) -> Any:
        n, c, h, w = images.shape
        if h == 0 or w == 0:
            raise ShapeError(place, NO_PIXELS[0], NO_PIXELS[1], n, c, h, w)
        rows, columns = row_geometry(h)[0], column_geometry(w)[0]
        pooled = np.empty((n * c, rows, columns), images.dtype)
        switches = np.empty((n * c, rows, columns), np.int64)
        every_map(np.ascontiguousarray(images).reshape((n * c, h, w)), pooled, switches)
        return pooled.reshape((n, c, rows, columns)), switches.reshape((n, c, rows, columns))

    return pool


def divisors(axis: Axis, divisor: str) -> Any:
    """(i, first pixel, last + 1) -> what a sum over window i of the axis is divided by, compiled."""
    if divisor == "pixels":
        return jit(lambda begin, end: end - begin)
    constant = axis.size if divisor == "window" else 1
    return jit(lambda begin, end: constant)


def sum_pool(windows: Windows, divisor: str, place: str, pixels: int | None) -> Callable[..., Any]:
    """(n, c, h, w) -> the sum of each window, divided by 1, by its size ("window") or by its pixels in the image ("pixels")."""
    (p, s), (q, t) = ((axis.size, axis.stride) for axis in (windows.rows, windows.columns))
    row_geometry, column_geometry = geometry(windows.rows), geometry(windows.columns)
    row_divisor, column_divisor = divisors(windows.rows, divisor), divisors(windows.columns, divisor)

    @jit
    def one_map(image: Any, pooled: Any, _: Any) -> None:
        h, w = image.shape
        rows, above, _, _ = row_geometry(h)
        columns, before, first, last = column_geometry(w)
        total = np.empty(columns, image.dtype)
        for i in range(rows):
            top, bottom = max(i * s - above, 0), min(i * s - above + p, h)
            for j in range(columns):
                total[j] = 0
            for r in range(top, bottom):
                row = image[r]
                for j in range(first):
                    for k in range(max(j * t - before, 0), min(j * t - before + q, w)):
                        total[j] += row[k]
                for j in range(first, last):
                    sum_of_row = row[j * t - before]
                    for l in range(1, q):  # noqa: E741
                        sum_of_row += row[j * t - before + l]
                    total[j] += sum_of_row
                for j in range(last, columns):
                    for k in range(max(j * t - before, 0), min(j * t - before + q, w)):
                        total[j] += row[k]
            by = row_divisor(top, bottom)
            for j in range(columns):
                left, right = max(j * t - before, 0), min(j * t - before + q, w)
                pooled[i, j] = total[j] / image.dtype.type(by * column_divisor(left, right))

    every_map = over_maps(one_map, pixels)

    @jit
    def pool(images: Any) -> Any:
        n, c, h, w = images.shape
        if h == 0 or w == 0:
            raise ShapeError(place, NO_PIXELS[0], NO_PIXELS[1], n, c, h, w)
        rows, columns = row_geometry(h)[0], column_geometry(w)[0]
        pooled = np.empty((n * c, rows, columns), images.dtype)
        maps = np.ascontiguousarray(images).reshape((n * c, h, w))
        every_map(maps, pooled, pooled)
        return pooled.reshape((n, c, rows, columns))

    return pool


def spread(windows: Windows, divisor: str, place: str, pixels: int | None) -> Callable[..., Any]:
    """The transpose of `sum_pool`, (n, c, rows, columns), h, w -> (n, c, h, w)."""
    (p, s), (q, t) = ((axis.size, axis.stride) for axis in (windows.rows, windows.columns))
    row_geometry, column_geometry = geometry(windows.rows), geometry(windows.columns)
    row_divisor, column_divisor = divisors(windows.rows, divisor), divisors(windows.columns, divisor)

    @jit
    def one_map(pooled: Any, image: Any, _: Any) -> None:
        h, w = image.shape
        rows, above, _, _ = row_geometry(h)
        columns, before, first, last = column_geometry(w)
        line = np.empty(w, image.dtype)
        image[:] = 0
        for i in range(rows):
            top, bottom = max(i * s - above, 0), min(i * s - above + p, h)
            by = row_divisor(top, bottom)
            line[:] = 0
            for j in range(first):
                left, right = max(j * t - before, 0), min(j * t - before + q, w)
                for k in range(left, right):
                    line[k] += pooled[i, j] / image.dtype.type(by * column_divisor(left, right))
            inside = image.dtype.type(by * column_divisor(0, q))
            for j in range(first, last):
                share = pooled[i, j] / inside
                for l in range(q):  # noqa: E741
                    line[j * t - before + l] += share
            for j in range(last, columns):
                left, right = max(j * t - before, 0), min(j * t - before + q, w)
                for k in range(left, right):
                    line[k] += pooled[i, j] / image.dtype.type(by * column_divisor(left, right))
            for r in range(top, bottom):
                row = image[r]
                for k in range(w):
                    row[k] += line[k]

    every_map = over_maps(one_map, pixels)

    @jit
    def unpool(pooled: Any, h: Any, w: Any) -> Any:
        n, c, rows, columns = pooled.shape
        if h < 1 or w < 1:
            raise ShapeError(place, NO_PIXELS[0], NO_PIXELS[1], n, c, h, w)
        wanted = row_geometry(h)[0], column_geometry(w)[0]
        if (rows, columns) != wanted:
            raise ShapeError(
                place,
                "shape ({}, {}, {}, {})",
                "({}, {}, {}, {}), a value for each window of images of {} x {} pixels",
                n,
                c,
                rows,
                columns,
                n,
                c,
                wanted[0],
                wanted[1],
                h,
                w,
            )
        images = np.empty((n * c, h, w), pooled.dtype)
        every_map(np.ascontiguousarray(pooled).reshape((n * c, rows, columns)), images, images)
        return images.reshape((n, c, h, w))

    return unpool
