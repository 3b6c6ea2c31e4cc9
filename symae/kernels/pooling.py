"""Pooling as Numba functions: maxima with their positions, sums of windows, and the transpose of the sums.

Each factory below makes a function for windows whose sizes and strides are constants in the machine code, so that LLVM unrolls
the loops over a window and vectorises the loop over the windows of a row; asked twice, it gives the same function.

A maximum is the first one of its window in row-major order, and the first NaN counts as larger than every number.

What limits maxima is comparing, not memory: a bias and a rectifier in the same pass, instead of in one of their own, took 99
instead of 108 us for worksheet 03's layer of 4 x 4 windows, and 870 instead of 840 for worksheet 04's first of 2 x 2, with 2
threads. So they stay an op, which works in place (`symae.kernels.bias_relu`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symae.errors import ShapeError
from symae.geometry.windows import Axis, Windows
from symae.kernels import tuning
from symae.kernels.compiled_once import ask, each_compiled_once
from symae.kernels.parallel.parts import Threads, in_parts, jit, threads_for

SHAPE, SOME_PIXELS = "shape ({}, {}, {}, {})", "at least one row and one column"
A_VALUE_FOR_EACH = "({}, {}, {}, {}), a value for each window of images of {} x {} pixels"


def threads_for_pixels(shape: Sequence[int | None]) -> Threads:
    """Return when to use threads for images of a shape."""
    return threads_for(shape, tuning.PIXELS_FOR_THREADS)


def over_maps(one_map: Any, threads: Threads) -> Any:
    """Compile (a, b, c) -> None, which calls one_map(a[m], b[m], c[m]) for each m."""

    @jit
    def maps(part: Any, parts: Any, arguments: Any) -> None:
        a, b, c = arguments
        for m in range(part * a.shape[0] // parts, (part + 1) * a.shape[0] // parts):
            one_map(a[m], b[m], c[m])

    every_map = in_parts(maps, threads, tuning.PIXELS_FOR_THREADS)

    @jit
    def loop(a: Any, b: Any, c: Any) -> None:
        every_map(a.shape[0], max(a.size, b.size), (a, b, c))

    return loop


def numbers(axis: Axis) -> tuple[int, ...]:
    """Return an axis as constants for machine code: size, stride, offset, extra, least, pad, and whether pad is "same"."""
    return axis.size, axis.stride, axis.offset, axis.extra, axis.least, axis.pad or 0, int(axis.pad is None)


@jit
def geometry(n: Any, axis: Any) -> Any:
    """Return the count of windows on n pixels, `before`, and the first and the last + 1 of the windows that lie inside."""
    size, stride, offset, extra, least, pad, same = axis
    count = max((n + offset) // stride + extra, least)
    before = max((count - 1) * stride + size - n, 0) // 2 if same else pad
    first = min(-(-before // stride), count)
    last = min((n - size + before) // stride + 1, count)  # may be negative: windows larger than the image
    return count, before, first, max(first, last)


@jit
def first_maximum(image: Any, top: Any, bottom: Any, left: Any, right: Any) -> Any:
    """Return the maximum of a part of an image, NaN above all, and its position."""
    best, at = image[top, left], top * image.shape[1] + left
    for r in range(top, bottom):
        for c in range(left, right):
            value = image[r, c]
            if best == best and not value <= best:
                best, at = value, r * image.shape[1] + c
    return best, at


@each_compiled_once
def _maxima(windows: Windows, threads: Threads) -> Callable[..., Any]:
    """Return a function (images, pooled, switches) of maps, (m, rows, columns), that makes the last two of the first."""
    (p, s), (q, t) = ((axis.size, axis.stride) for axis in (windows.rows, windows.columns))
    row_axis, column_axis = numbers(windows.rows), numbers(windows.columns)

    @jit
    def one_map(image: Any, pooled: Any, switches: Any) -> None:
        h, w = image.shape
        rows, above, _, _ = geometry(h, row_axis)
        columns, before, first, last = geometry(w, column_axis)
        flat = image.reshape(-1)
        nan = False
        for k in range(flat.size):
            nan |= flat[k] != flat[k]
        if nan:  # the vectorised loop below compares with > alone
            first = last = columns
        # Rows are cut at the first window that lies inside, so that no index below can be negative: Numba would look for that.
        origin, inside = first * t - before, last - first
        # position of the best so far, relative to the window: 32 bits wide like a float32, so that both fill a register alike
        best, at = np.empty(inside, image.dtype), np.empty(inside, np.int32)
        for i in range(rows):
            top, bottom = max(i * s - above, 0), min(i * s - above + p, h)
            for k in range(columns - inside):
                j = k if k < first else k + inside
                left, right = max(j * t - before, 0), min(j * t - before + q, w)
                pooled[i, j], switches[i, j] = first_maximum(image, top, bottom, left, right)
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

    return over_maps(one_map, threads)


@functools.cache
def max_pool(windows: Windows, where: str, threads: Threads, dtype: str) -> Callable[..., Any]:
    """Compile (n, c, h, w) -> the maximum of each window, and its position in the image as row * w + column."""
    row_axis, column_axis = numbers(windows.rows), numbers(windows.columns)
    every_map = _maxima(windows, threads)
    ask(every_map, (dtype, 3), (dtype, 3), ("int64", 3))

    @jit
    def pool(images: Any) -> Any:
        n, c, h, w = images.shape
        if h == 0 or w == 0:
            raise ShapeError(where, SHAPE, SOME_PIXELS, n, c, h, w)
        rows, columns = geometry(h, row_axis)[0], geometry(w, column_axis)[0]
        pooled = np.empty((n * c, rows, columns), images.dtype)
        switches = np.empty((n * c, rows, columns), np.int64)
        every_map(np.ascontiguousarray(images).reshape((n * c, h, w)), pooled, switches)
        return pooled.reshape((n, c, rows, columns)), switches.reshape((n, c, rows, columns))

    return pool


@each_compiled_once
def _sums(windows: Windows, divisor: str, threads: Threads) -> Callable[..., Any]:
    """Return a function (images, pooled, pooled) of maps, (m, rows, columns), that makes the second of the first."""
    (p, s), (q, t) = ((axis.size, axis.stride) for axis in (windows.rows, windows.columns))
    row_axis, column_axis = numbers(windows.rows), numbers(windows.columns)
    by_pixels, by = divisor == "pixels", p * q if divisor == "window" else 1

    @jit
    def one_map(image: Any, pooled: Any, _: Any) -> None:
        h, w = image.shape
        rows, above, _, _ = geometry(h, row_axis)
        columns, before, first, last = geometry(w, column_axis)
        total = np.empty(columns, image.dtype)
        for i in range(rows):
            top, bottom = max(i * s - above, 0), min(i * s - above + p, h)
            for j in range(columns):
                total[j] = 0
            for r in range(top, bottom):
                row = image[r]
                for m in range(columns - last + first):
                    j = m if m < first else m + last - first
                    for k in range(max(j * t - before, 0), min(j * t - before + q, w)):
                        total[j] += row[k]
                for j in range(first, last):
                    sum_of_row = row[j * t - before]
                    for l in range(1, q):  # noqa: E741
                        sum_of_row += row[j * t - before + l]
                    total[j] += sum_of_row
            for j in range(columns):
                left, right = max(j * t - before, 0), min(j * t - before + q, w)
                pooled[i, j] = total[j] / image.dtype.type((bottom - top) * (right - left) if by_pixels else by)

    return over_maps(one_map, threads)


@functools.cache
def sum_pool(windows: Windows, divisor: str, where: str, threads: Threads, dtype: str) -> Callable[..., Any]:
    """Compile (n, c, h, w) -> each window's sum over 1, over its size ("window") or its pixels in the image ("pixels")."""
    row_axis, column_axis = numbers(windows.rows), numbers(windows.columns)
    every_map = _sums(windows, divisor, threads)
    ask(every_map, *[(dtype, 3)] * 3)

    @jit
    def pool(images: Any) -> Any:
        n, c, h, w = images.shape
        if h == 0 or w == 0:
            raise ShapeError(where, SHAPE, SOME_PIXELS, n, c, h, w)
        rows, columns = geometry(h, row_axis)[0], geometry(w, column_axis)[0]
        pooled = np.empty((n * c, rows, columns), images.dtype)
        maps = np.ascontiguousarray(images).reshape((n * c, h, w))
        every_map(maps, pooled, pooled)
        return pooled.reshape((n, c, rows, columns))

    return pool


@each_compiled_once
def _spreads(windows: Windows, divisor: str, threads: Threads) -> Callable[..., Any]:
    """Return a function (pooled, images, images) of maps, (m, rows, columns), that makes the second of the first."""
    (p, s), (q, t) = ((axis.size, axis.stride) for axis in (windows.rows, windows.columns))
    row_axis, column_axis = numbers(windows.rows), numbers(windows.columns)
    by_pixels, by = divisor == "pixels", p * q if divisor == "window" else 1

    @jit
    def one_map(pooled: Any, image: Any, _: Any) -> None:
        h, w = image.shape
        rows, above, _, _ = geometry(h, row_axis)
        columns, before, first, last = geometry(w, column_axis)
        line = np.empty(w, image.dtype)
        image[:] = 0
        for i in range(rows):
            top, bottom = max(i * s - above, 0), min(i * s - above + p, h)
            line[:] = 0
            for m in range(columns - last + first):
                j = m if m < first else m + last - first
                left, right = max(j * t - before, 0), min(j * t - before + q, w)
                share = pooled[i, j] / image.dtype.type((bottom - top) * (right - left) if by_pixels else by)
                for k in range(left, right):
                    line[k] += share
            inside = image.dtype.type((bottom - top) * q if by_pixels else by)
            for j in range(first, last):
                share = pooled[i, j] / inside
                for l in range(q):  # noqa: E741
                    line[j * t - before + l] += share
            for r in range(top, bottom):
                row = image[r]
                for k in range(w):
                    row[k] += line[k]

    return over_maps(one_map, threads)


@functools.cache
def spread(windows: Windows, divisor: str, where: str, threads: Threads, dtype: str) -> Callable[..., Any]:
    """Compile the transpose of `sum_pool`, (n, c, rows, columns), h, w -> (n, c, h, w)."""
    row_axis, column_axis = numbers(windows.rows), numbers(windows.columns)
    every_map = _spreads(windows, divisor, threads)
    ask(every_map, *[(dtype, 3)] * 3)

    @jit
    def unpool(pooled: Any, h: Any, w: Any) -> Any:
        n, c, rows, columns = pooled.shape
        if h < 1 or w < 1:
            raise ShapeError(where, SHAPE, SOME_PIXELS, n, c, h, w)
        wanted = geometry(h, row_axis)[0], geometry(w, column_axis)[0]
        if (rows, columns) != wanted:
            raise ShapeError(where, SHAPE, A_VALUE_FOR_EACH, n, c, rows, columns, n, c, wanted[0], wanted[1], h, w)
        images = np.empty((n * c, h, w), pooled.dtype)
        every_map(np.ascontiguousarray(pooled).reshape((n * c, rows, columns)), images, images)
        return images.reshape((n, c, h, w))

    return unpool
