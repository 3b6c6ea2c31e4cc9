"""Convolution as Numba functions, made for a stride and a dilation that are known when they compile.

All take and give C-contiguous arrays (n, channels, rows, columns) and compute a correlation: the caller flips the filters.
Each works on one image at a time in buffers of its own, so that memory does not grow with the batch. Where there is enough to
do, the batch is cut into as many parts as there are threads.

Two ways, between which machine code chooses by the number of maps and channels, as it may not have known them when it was made:

- *direct*: a map is the sum of shifted copies of the zero-padded image, its rows as far apart as the image's, so that the inner
  loop, a strip of sums in registers, runs over the whole map.
- *columns*: what the filters see at each position of one image goes into the columns of a buffer (im2col), and BLAS multiplies.

The gradients are in `gradients`. `tiled` has a third way, which is faster for many maps, where the filters' sizes are known
when the graph is built: `select` chooses it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from symae.errors import ShapeError
from symae.geometry.convolution import BorderMode, Geometry
from symae.kernels import tuning
from symae.kernels.compiled_once import each_compiled_once
from symae.kernels.conv.offsets import elements_of
from symae.kernels.gemm import gemm
from symae.kernels.parallel.parts import Threads, in_parts
from symae.kernels.simd.register_strip import Strip, strip_sums

FASTMATH = {"contract", "reassoc", "nsz", "arcp"}  # not nnan, ninf: those are to come through
MAPS_FOR_BLAS, COLUMN_FOR_BLAS = tuning.CONVOLUTION.maps_for_blas, tuning.CONVOLUTION.column_for_blas

Settings = tuple[int, int, int, int]  # strides and dilations of rows and columns

jit: Any = numba.njit(error_model="numpy", fastmath=FASTMATH, no_cpython_wrapper=True, no_cfunc_wrapper=True)


@functools.cache
def _measure(axis: Geometry) -> Callable[..., Any]:
    return jit(axis.measure(max))


def checked_sizes(
    border_mode: BorderMode, subsample: tuple[int, int], dilation: tuple[int, int], groups: int, op: str
) -> Callable[..., tuple[int, int, int, int, int, int]]:
    """Compile (images' shape, filters' shape) -> (top, left, padded height, padded width, rows, columns).

    It raises what `Bilinear.check_shapes` does, in the same words.
    """
    measure_rows, measure_columns = (_measure(Geometry.of(border_mode, axis, subsample, dilation)) for axis in (0, 1))
    whole_groups = f"a number of maps that {groups} groups divide"
    filters_on_images = "filters of shape ({}, {}, {}, {}) on images of shape ({}, {}, {}, {})"

    @jit
    def checked(x: Any, filters: Any) -> Any:
        n, c, h, w = x
        m, channels_per_group, kh, kw = filters
        if c != channels_per_group * groups:
            images, fitting = "images of shape ({}, {}, {}, {})", "{} channels for filters ({}, {}, {}, {})"
            raise ShapeError(op, images, fitting, n, c, h, w, channels_per_group * groups, m, channels_per_group, kh, kw)
        if m % groups != 0:
            raise ShapeError(op, "filters of shape ({}, {}, {}, {})", whole_groups, m, channels_per_group, kh, kw)
        if kh < 1 or kw < 1 or h < 0 or w < 0:
            some = "filters of at least one row and column, and images of no negative size"
            raise ShapeError(op, filters_on_images, some, m, channels_per_group, kh, kw, n, c, h, w)
        _, top, bottom, rows = measure_rows(h, kh)
        _, left, right, columns = measure_columns(w, kw)
        if rows < 1 or columns < 1:
            small = "filters no larger than the padded image"
            raise ShapeError(op, filters_on_images, small, m, channels_per_group, kh, kw, n, c, h, w)
        return top, left, h + top + bottom, w + left + right, rows, columns

    return checked


@jit
def by_blas(maps: Any, column: Any) -> Any:
    """Return True where BLAS is faster than the direct loops; asked by machine code, that may not have known the sizes."""
    return maps >= MAPS_FOR_BLAS and column >= COLUMN_FOR_BLAS


@jit
def put(image: Any, top: Any, left: Any, padded: Any) -> None:
    """Copy an image into the middle of a padded one."""
    channels, h, w = image.shape
    for c in range(channels):
        for i in range(h):
            line, row = padded[c, top + i, left:], image[c, i]  # of left + j Numba asks whether it is negative, in vain
            for j in range(w):
                line[j] = row[j]


@jit
def take(padded: Any, top: Any, left: Any, image: Any) -> None:
    """Copy the middle of a padded image into one that is not."""
    channels, h, w = image.shape
    for c in range(channels):
        for i in range(h):
            line, row = padded[c, top + i, left:], image[c, i]
            for j in range(w):
                row[j] = line[j]


@functools.cache
def columns_of(settings: Settings) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return im2col and its transpose for one image: padded (c, h, w) <-> columns (c * kh * kw, rows * columns)."""
    s0, s1, d0, d1 = settings

    @jit
    def gather(padded: Any, kh: Any, kw: Any, rows: Any, width: Any, columns: Any) -> None:
        k = 0
        for c in range(padded.shape[0]):
            for r in range(kh):
                for s in range(kw):
                    out = columns[k]
                    for i in range(rows):
                        line = padded[c, i * s0 + r * d0]
                        part = out[i * width : (i + 1) * width]
                        for j in range(width):
                            part[j] = line[j * s1 + s * d1]
                    k += 1

    @jit
    def scatter(columns: Any, kh: Any, kw: Any, rows: Any, width: Any, padded: Any) -> None:
        k = 0
        for c in range(padded.shape[0]):
            for r in range(kh):
                for s in range(kw):
                    values = columns[k]
                    for i in range(rows):
                        line = padded[c, i * s0 + r * d0]
                        part = values[i * width : (i + 1) * width]
                        for j in range(width):
                            line[j * s1 + s * d1] += part[j]
                    k += 1

    return gather, scatter


@functools.cache
def room_for(strip: Strip | None) -> Callable[..., Any]:
    """Return a function (channels, height, width, dtype) -> padded image of zeros, behind which the last strip may look."""
    more = 0 if strip is None else strip.positions

    @jit
    def padded_zeros(channels: Any, height: Any, width: Any, dtype: Any) -> Any:
        size = channels * height * width
        return np.zeros(size + more, dtype)[:size].reshape(channels, height, width)

    return padded_zeros


@functools.cache
def direct_forward(settings: Settings, strip: Strip) -> Callable[..., Any]:
    """Return a function (padded, W, first channel, start, steps, out) that makes one image's maps of a group.

    `start` is where the first position begins in the padded, `steps` how far from a position each element of the filters looks.
    """
    s0, s1, d0, d1 = settings
    add = strip_sums(strip)
    n_positions, together = strip.positions, strip.maps

    @jit
    def whole_maps(padded: Any, W: Any, first: Any, start: Any, steps: Any, out: Any) -> None:
        """Compute maps without a stride: also the positions between two rows are computed, and left out."""
        width = padded.shape[2]
        maps, rows, columns = out.shape
        pixel, weights, seen = first * padded.shape[1] * width + start, W.reshape(-1), padded.reshape(-1)
        length = max(0, -(-((rows - 1) * width + columns) // n_positions) * n_positions)
        sums = np.empty(together * length, out.dtype)
        for block in range(0, maps, together):
            o = min(block, maps - together)  # the last block may do some maps once more
            for p in range(0, length, n_positions):
                add(weights, o * steps.size, steps.size, seen, pixel + p, steps, steps.size, sums, p, length)
            for m in range(together):
                for i in range(rows):
                    row, values = out[o + m, i], sums[m * length + i * width :]
                    for j in range(columns):
                        row[j] = values[j]

    @jit
    def row_by_row(padded: Any, W: Any, first: Any, start: Any, steps: Any, out: Any) -> None:
        for o in range(out.shape[0]):
            for i in range(out.shape[1]):
                row = out[o, i]
                row[:] = 0
                for c in range(W.shape[1]):
                    channel = padded[first + c].reshape(-1)
                    for r in range(W.shape[2]):
                        seen, weights = channel[start + (i * s0 + r * d0) * padded.shape[2] :], W[o, c, r]
                        for s in range(weights.size):
                            weight, values = weights[s], seen[s * d1 :: s1]
                            for j in range(row.size):
                                row[j] += weight * values[j]

    return whole_maps if s0 == s1 == 1 else row_by_row


@each_compiled_once
def forward(settings: Settings, threads: Threads, strip: Strip) -> Callable[..., Any]:
    """Return a function (x, W, top, left, padded height, padded width, groups, y) that makes y the correlation."""
    gather, _ = columns_of(settings)
    direct, padded_zeros = direct_forward(settings, strip), room_for(strip)
    d0, d1 = settings[2:]

    @jit
    def images(part: Any, parts: Any, arguments: Any) -> None:
        x, W, top, left, height, width, groups, y = arguments
        n, channels = x.shape[0], x.shape[1]
        maps, channels_per_group, kh, kw = W.shape[0] // groups, W.shape[1], W.shape[2], W.shape[3]
        rows, columns = y.shape[2], y.shape[3]
        column = channels_per_group * kh * kw
        blas = by_blas(maps, column)
        flat = W.reshape(W.shape[0], column)
        one, zero = x.dtype.type(1), x.dtype.type(0)
        padded = padded_zeros(channels, height, width, x.dtype)
        steps = elements_of(channels_per_group, kh, kw, height, width, d0, d1, 1)
        buffer = np.empty((column if blas else 0, rows * columns), x.dtype)
        for b in range(part * n // parts, (part + 1) * n // parts):
            put(x[b], top, left, padded)
            for g in range(groups):
                out = y[b, g * maps : (g + 1) * maps]
                if blas:
                    gather(padded[g * channels_per_group : (g + 1) * channels_per_group], kh, kw, rows, columns, buffer)
                    matrix = flat[g * maps : (g + 1) * maps]
                    gemm(one, matrix, False, buffer, False, zero, out.reshape(maps, rows * columns))
                else:
                    direct(padded, W[g * maps : (g + 1) * maps], g * channels_per_group, 0, steps, out)

    every_image = in_parts(images, threads)

    @jit
    def correlate(x: Any, W: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, y: Any) -> None:
        work = x.shape[0] * W.size * y.shape[2] * y.shape[3]
        every_image(x.shape[0], work, (x, W, top, left, height, width, groups, y))

    return correlate
