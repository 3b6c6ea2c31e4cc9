"""The three convolution ops as Numba functions, made for a stride and a dilation that are known when they compile.

All take and give C-contiguous arrays (n, channels, rows, columns) and compute a correlation: the caller flips the filters.
The images of a batch are cut into as many parts as there are threads; each part has buffers of its own for one image at a
time, so that memory does not grow with the batch.

Two ways, chosen by the number of maps and channels:

- *direct*: rows of the result are sums of shifted rows of the zero-padded image, and the loop over a row is the inner one,
where LLVM
  makes vectors of it: 20 GFLOP/s a core in float32 with AVX2.
- *columns*: what the filters see at each place of one image goes into the columns of a buffer (im2col), and BLAS multiplies.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import prange

from symae.errors import ShapeError
from symae.kernels.gemm import gemm

__all__ = ["filter_gradient", "forward", "frame", "input_gradient"]

FASTMATH = {"contract", "reassoc", "nsz", "arcp"}  # not nnan, ninf: those are to come through
# Below this many multiplications a second thread costs more than it brings (measured: starting it takes about 10 us).
PARALLEL_FROM = 400_000
# A constant of the machine code: Numba's own function for it is called through a pointer, and what holds one cannot be cached.
THREADS = numba.get_num_threads()
# From this many maps and this long a column on, BLAS is faster than the direct loops (measured with AVX2).
MAPS_FOR_BLAS, COLUMN_FOR_BLAS = 8, 64

SHAPES = "images of shape ({}, {}, {}, {}) and filters of shape ({}, {}, {}, {})"

Settings = tuple[int, int, int, int]  # strides and dilations of rows and columns

jit: Any = numba.njit(error_model="numpy", fastmath=FASTMATH, no_cpython_wrapper=True, no_cfunc_wrapper=True)
parallel: Any = numba.njit(error_model="numpy", parallel=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def frame(
    border_mode: Any, subsample: tuple[int, int], dilation: tuple[int, int], groups: int, op: str
) -> Callable[..., tuple[int, int, int, int, int, int]]:
    """Compiled: (images' shape, filters' shape) -> (top, left, frame height, frame width, rows, columns); checks them."""
    named = border_mode if isinstance(border_mode, str) else ""
    given = ((0, 0), (0, 0)) if named else border_mode

    @jit
    def axis(size: Any, kernel: Any, stride: Any, step: Any, before: Any, after: Any) -> Any:
        reach = (kernel - 1) * step + 1
        if named == "full":
            before = after = reach - 1
        elif named == "half":
            before = after = reach // 2
        elif named == "same":
            total = max(0, (-(-size // stride) - 1) * stride + reach - size)
            before, after = total // 2, total - total // 2
        length = size + before + after
        return before, length, (length - reach) // stride + 1

    @jit
    def measured(x: Any, filters: Any) -> Any:
        if x[1] != filters[1] * groups or filters[0] % groups != 0:
            raise ShapeError(
                op, SHAPES, "channels and maps that fit", x[0], x[1], x[2], x[3], filters[0], filters[1], filters[2], filters[3]
            )
        top, height, rows = axis(x[2], filters[2], subsample[0], dilation[0], given[0][0], given[0][1])
        left, width, columns = axis(x[3], filters[3], subsample[1], dilation[1], given[1][0], given[1][1])
        if rows < 1 or columns < 1:
            raise ShapeError(
                op,
                SHAPES,
                "filters no larger than the padded image",
                x[0],
                x[1],
                x[2],
                x[3],
                filters[0],
                filters[1],
                filters[2],
                filters[3],
            )
        return top, left, height, width, rows, columns

    return measured


@jit
def parts_of(work: Any, n: Any) -> Any:
    """In how many parts `n` images and that many multiplications are cut."""
    if work < PARALLEL_FROM:
        return np.int64(1)
    return max(np.int64(1), min(np.int64(n), np.int64(THREADS)))


@jit
def by_blas(maps: Any, column: Any) -> Any:
    return maps >= MAPS_FOR_BLAS and column >= COLUMN_FOR_BLAS


@jit
def _put(image: Any, top: Any, left: Any, frame: Any) -> None:
    """Copy an image into the middle of a frame of zeros."""
    channels, h, w = image.shape
    for c in range(channels):
        for i in range(h):
            line = frame[c, top + i]
            for j in range(w):
                line[left + j] = image[c, i, j]


@jit
def _take(frame: Any, top: Any, left: Any, image: Any) -> None:
    """Copy the middle of a frame into an image."""
    channels, h, w = image.shape
    for c in range(channels):
        for i in range(h):
            line = frame[c, top + i]
            for j in range(w):
                image[c, i, j] = line[left + j]


@functools.cache
def _columns(settings: Settings) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """im2col and its transpose for one image: frame (c, fh, fw) <-> columns (c * kh * kw, rows * columns)."""
    s0, s1, d0, d1 = settings

    @jit
    def gather(frame: Any, kh: Any, kw: Any, rows: Any, width: Any, columns: Any) -> None:
        k = 0
        for c in range(frame.shape[0]):
            for r in range(kh):
                for s in range(kw):
                    out = columns[k]
                    for i in range(rows):
                        line = frame[c, i * s0 + r * d0]
                        part = out[i * width : (i + 1) * width]
                        for j in range(width):
                            part[j] = line[j * s1 + s * d1]
                    k += 1

    @jit
    def scatter(columns: Any, kh: Any, kw: Any, rows: Any, width: Any, frame: Any) -> None:
        k = 0
        for c in range(frame.shape[0]):
            for r in range(kh):
                for s in range(kw):
                    values = columns[k]
                    for i in range(rows):
                        line = frame[c, i * s0 + r * d0]
                        part = values[i * width : (i + 1) * width]
                        for j in range(width):
                            line[j * s1 + s * d1] += part[j]
                    k += 1

    return gather, scatter


@functools.cache
def _direct_forward(settings: Settings) -> Callable[..., Any]:
    """(frame, W, first channel, out): one image's maps of a group, rows of the result as sums of shifted rows of the frame."""
    s0, s1, d0, d1 = settings

    @jit
    def add_row(weights: Any, line: Any, row: Any) -> None:
        """row[j] += sum_s weights[s] line[j s1 + s d1], five, three or one weight for each pass over the row."""
        s, last = 0, weights.size
        while s + 5 <= last:
            a, b, c, d, e = weights[s], weights[s + 1], weights[s + 2], weights[s + 3], weights[s + 4]
            part = line[s * d1 :]
            for j in range(row.size):
                k = j * s1
                row[j] += a * part[k] + b * part[k + d1] + c * part[k + 2 * d1] + d * part[k + 3 * d1] + e * part[k + 4 * d1]
            s += 5
        while s + 3 <= last:
            a, b, c = weights[s], weights[s + 1], weights[s + 2]
            part = line[s * d1 :]
            for j in range(row.size):
                k = j * s1
                row[j] += a * part[k] + b * part[k + d1] + c * part[k + 2 * d1]
            s += 3
        while s < last:
            a = weights[s]
            part = line[s * d1 :]
            for j in range(row.size):
                row[j] += a * part[j * s1]
            s += 1

    @jit
    def direct(frame: Any, W: Any, first: Any, out: Any) -> None:
        for o in range(out.shape[0]):
            for i in range(out.shape[1]):
                row = out[o, i]
                row[:] = 0
                for c in range(W.shape[1]):
                    for r in range(W.shape[2]):
                        add_row(W[o, c, r], frame[first + c, i * s0 + r * d0], row)

    return direct


@functools.cache
def forward(settings: Settings) -> Callable[..., Any]:
    """(x, W, top, left, frame height, frame width, groups, y): y becomes the correlation."""
    gather, _ = _columns(settings)
    direct = _direct_forward(settings)

    @jit
    def images(
        part: Any, parts: Any, x: Any, W: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, y: Any
    ) -> None:
        n, channels = x.shape[0], x.shape[1]
        maps, own, kh, kw = W.shape[0] // groups, W.shape[1], W.shape[2], W.shape[3]
        rows, columns = y.shape[2], y.shape[3]
        column = own * kh * kw
        blas = by_blas(maps, column)
        flat = W.reshape(W.shape[0], column)
        one, zero = x.dtype.type(1), x.dtype.type(0)
        frame = np.zeros((channels, height, width), x.dtype)
        buffer = np.empty((column if blas else 0, rows * columns), x.dtype)
        for b in range(part * n // parts, (part + 1) * n // parts):
            _put(x[b], top, left, frame)
            for g in range(groups):
                out = y[b, g * maps : (g + 1) * maps]
                if blas:
                    gather(frame[g * own : (g + 1) * own], kh, kw, rows, columns, buffer)
                    matrix = flat[g * maps : (g + 1) * maps]
                    gemm(one, matrix, False, buffer, False, zero, out.reshape(maps, rows * columns))
                else:
                    direct(frame, W[g * maps : (g + 1) * maps], g * own, out)

    @parallel
    def correlate(x: Any, W: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, y: Any) -> None:
        parts = parts_of(x.shape[0] * W.size * y.shape[2] * y.shape[3], x.shape[0])
        for part in prange(parts):
            images(part, parts, x, W, top, left, height, width, groups, y)

    return correlate


@jit
def _put_shifted(values: Any, down: Any, right: Any, frame: Any) -> None:
    """frame[c, i, j] <- values[c, i - down, j - right], zero outside; the shifts may be negative."""
    channels, h, w = values.shape
    frame[:] = 0
    for c in range(channels):
        for i in range(max(0, down), min(frame.shape[1], h + down)):
            line, row = frame[c, i], values[c, i - down]
            for j in range(max(0, right), min(line.size, w + right)):
                line[j] = row[j - right]


@jit
def _turned(W: Any, groups: Any) -> Any:
    """The filters of the transposed correlation with stride 1: maps and channels exchanged, rows and columns reversed."""
    maps, own, kh, kw = W.shape[0] // groups, W.shape[1], W.shape[2], W.shape[3]
    turned = np.empty((groups * own, maps, kh, kw), W.dtype)
    for g in range(groups):
        for o in range(maps):
            for c in range(own):
                for r in range(kh):
                    for s in range(kw):
                        turned[g * own + c, o, kh - 1 - r, kw - 1 - s] = W[g * maps + o, c, r, s]
    return turned


@functools.cache
def input_gradient(settings: Settings) -> Callable[..., Any]:
    """(W, y, top, left, frame height, frame width, groups, x): x becomes the transposed correlation."""
    s0, s1, d0, d1 = settings
    strided = s0 > 1 or s1 > 1
    _, scatter = _columns(settings)
    direct_forward = _direct_forward((1, 1, d0, d1))

    @jit
    def add_rows(values: Any, W: Any, first: Any, frame: Any) -> None:
        """Add what one group's maps give to its channels in the frame, where a stride leaves gaps between their places."""
        for o in range(values.shape[0]):
            for i in range(values.shape[1]):
                row = values[o, i]
                for c in range(W.shape[1]):
                    for r in range(W.shape[2]):
                        line, weights = frame[first + c, i * s0 + r * d0], W[o, c, r]
                        for s in range(weights.size):
                            weight = weights[s]
                            for j in range(row.size):
                                line[j * s1 + s * d1] += weight * row[j]

    @jit
    def images(
        part: Any, parts: Any, W: Any, turned: Any, y: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, x: Any
    ) -> None:
        n, channels = x.shape[0], x.shape[1]
        maps, own, kh, kw = W.shape[0] // groups, W.shape[1], W.shape[2], W.shape[3]
        rows, columns = y.shape[2], y.shape[3]
        column = own * kh * kw
        blas = by_blas(maps, column)
        flat = W.reshape(W.shape[0], column)
        reach0, reach1 = (kh - 1) * d0, (kw - 1) * d1
        one, zero = x.dtype.type(1), x.dtype.type(0)
        framed = strided or blas  # otherwise the result is a correlation of y and needs no frame of its own
        frame = np.empty((channels if framed else 0, height, width), x.dtype)
        seen = np.empty((0 if framed else y.shape[1], x.shape[2] + reach0, x.shape[3] + reach1), x.dtype)
        buffer = np.empty((column if blas else 0, rows * columns), x.dtype)
        for b in range(part * n // parts, (part + 1) * n // parts):
            if framed:
                frame[:] = 0
            else:
                _put_shifted(y[b], reach0 - top, reach1 - left, seen)
            for g in range(groups):
                values = y[b, g * maps : (g + 1) * maps]
                if blas:
                    matrix = flat[g * maps : (g + 1) * maps]
                    gemm(one, matrix, True, values.reshape(maps, rows * columns), False, zero, buffer)
                    scatter(buffer, kh, kw, rows, columns, frame[g * own : (g + 1) * own])
                elif strided:
                    add_rows(values, W[g * maps : (g + 1) * maps], g * own, frame)
                else:
                    weights = turned[g * own : (g + 1) * own]
                    direct_forward(seen, weights, g * maps, x[b, g * own : (g + 1) * own])
            if framed:
                _take(frame, top, left, x[b])

    @parallel
    def spread(W: Any, y: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, x: Any) -> None:
        parts = parts_of(x.shape[0] * W.size * y.shape[2] * y.shape[3], x.shape[0])
        turned = _turned(W, groups)
        for part in prange(parts):
            images(part, parts, W, turned, y, top, left, height, width, groups, x)

    return spread


@jit
def _add_up(sums: Any, total: Any) -> None:
    flat = total.reshape(-1)
    flat[:] = 0
    for part in range(sums.shape[0]):
        values = sums[part].reshape(-1)
        for i in range(flat.size):
            flat[i] += values[i]


@functools.cache
def filter_gradient(settings: Settings) -> Callable[..., Any]:
    """(x, y, top, left, frame height, frame width, groups, W): W becomes the gradient with respect to the filters."""
    s0, s1, d0, d1 = settings
    gather, _ = _columns(settings)

    @jit
    def direct(frame: Any, values: Any, first: Any, W: Any) -> None:
        """Add to one group's filters one long scalar product for each of their elements.

        `values` are the maps' gradients with rows as far apart as the frame's are at this stride, zeros between them: then a
        map and what an element sees of the frame are two vectors.
        """
        width = frame.shape[2]
        length = values.shape[1]
        for o in range(values.shape[0]):
            map_ = values[o]
            for c in range(W.shape[1]):
                seen = frame[first + c].reshape(-1)
                for r in range(W.shape[2]):
                    for s in range(W.shape[3]):
                        part = seen[r * d0 * width + s * d1 : r * d0 * width + s * d1 + length]
                        total = W.dtype.type(0)
                        for p in range(length):
                            total += map_[p] * part[p]
                        W[o, c, r, s] += total

    @jit
    def images(
        part: Any, parts: Any, x: Any, y: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, W: Any
    ) -> None:
        """Add what one part of the images says to W."""
        n, channels = x.shape[0], x.shape[1]
        maps, own, kh, kw = W.shape[0] // groups, W.shape[1], W.shape[2], W.shape[3]
        rows, columns = y.shape[2], y.shape[3]
        column = own * kh * kw
        blas = by_blas(maps, column)
        length = (rows - 1) * s0 * width + (columns - 1) * s1 + 1
        one = x.dtype.type(1)
        frame = np.zeros((channels, height, width), x.dtype)
        buffer = np.empty((column if blas else 0, rows * columns), x.dtype)
        spaced = np.zeros((0 if blas else y.shape[1], length), x.dtype)
        for b in range(part * n // parts, (part + 1) * n // parts):
            _put(x[b], top, left, frame)
            if not blas:
                for o in range(y.shape[1]):
                    for i in range(rows):
                        for j in range(columns):
                            spaced[o, i * s0 * width + j * s1] = y[b, o, i, j]
            for g in range(groups):
                weights = W[g * maps : (g + 1) * maps]
                if blas:
                    gather(frame[g * own : (g + 1) * own], kh, kw, rows, columns, buffer)
                    values = y[b, g * maps : (g + 1) * maps].reshape(maps, rows * columns)
                    gemm(one, values, False, buffer, True, one, weights.reshape(maps, column))
                else:
                    direct(frame, spaced[g * maps : (g + 1) * maps], g * own, weights)

    @parallel
    def collect(x: Any, y: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, W: Any) -> None:
        parts = parts_of(x.shape[0] * W.size * y.shape[2] * y.shape[3], x.shape[0])
        sums = np.zeros((parts, W.shape[0], W.shape[1], W.shape[2], W.shape[3]), W.dtype)
        for part in prange(parts):
            images(part, parts, x, y, top, left, height, width, groups, sums[part])
        _add_up(sums, W)

    return collect
