"""The gradients of convolution as Numba functions: with respect to the images, and with respect to the filters.

Ways and arguments are those of `direct`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symae.kernels.compiled_once import each_compiled_once
from symae.kernels.conv.direct import Settings, by_blas, columns_of, direct_forward, jit, put, room_for, take
from symae.kernels.conv.offsets import elements_of
from symae.kernels.gemm import gemm
from symae.kernels.parallel.parts import Threads, in_parts, parts_for
from symae.kernels.simd.register_strip import Strip


@jit
def is_finite(values: Any) -> Any:
    """Return True where no value is infinite or NaN."""
    flat = values.reshape(-1)
    total = values.dtype.type(0)
    for k in range(flat.size):
        total += flat[k] * values.dtype.type(0)
    return total == 0


@jit
def put_shifted(values: Any, down: Any, right: Any, padded: Any) -> None:
    """Set padded[c, i, j] to values[c, i - down, j - right] where there is one; the shifts may be negative."""
    channels, h, w = values.shape
    start, stop = max(0, right), min(padded.shape[2], w + right)
    for c in range(channels):
        for i in range(max(0, down), min(padded.shape[1], h + down)):
            line, row = padded[c, i, start:stop], values[c, i - down, start - right :]
            for j in range(line.size):
                line[j] = row[j]


@jit
def turn(W: Any, groups: Any) -> Any:
    """Return the filters of the transpose with stride 1: maps and channels exchanged, rows and columns reversed."""
    maps, channels_per_group, kh, kw = W.shape[0] // groups, W.shape[1], W.shape[2], W.shape[3]
    turned = np.empty((groups * channels_per_group, maps, kh, kw), W.dtype)
    for g in range(groups):
        for o in range(maps):
            for c in range(channels_per_group):
                for r in range(kh):
                    for s in range(kw):
                        turned[g * channels_per_group + c, o, kh - 1 - r, kw - 1 - s] = W[g * maps + o, c, r, s]
    return turned


@jit
def _not_direct(padded: Any, W: Any, first: Any, start: Any, steps: Any, out: Any) -> None:
    """Stand where the direct loops are never called, and need not be compiled."""


@each_compiled_once
def input_gradient(settings: Settings, threads: Threads, strip: Strip | None) -> Callable[..., Any]:
    """Return a function (W, y, top, left, padded height, padded width, groups, x) that makes x the transposed correlation.

    `strip` is for `direct_forward`. None is for filters that are not finite: no value meets a zero that is not its own.
    """
    s0, s1, d0, d1 = settings
    strided = s0 > 1 or s1 > 1 or strip is None
    _, scatter = columns_of(settings)
    direct = _not_direct if strip is None or strided else direct_forward((1, 1, d0, d1), strip)
    padded_zeros = room_for(strip)

    @jit
    def add_rows(values: Any, W: Any, first: Any, padded: Any) -> None:
        """Add what one group's maps give to its channels in the padded, each value only where it belongs."""
        for o in range(values.shape[0]):
            for i in range(values.shape[1]):
                row = values[o, i]
                for c in range(W.shape[1]):
                    for r in range(W.shape[2]):
                        line, weights = padded[first + c, i * s0 + r * d0], W[o, c, r]
                        for s in range(weights.size):
                            weight, target = weights[s], line[s * d1 :: s1]
                            for j in range(row.size):
                                target[j] += weight * row[j]

    @jit
    def images(part: Any, parts: Any, arguments: Any) -> None:
        W, turned, correlation, y, top, left, height, width, groups, x = arguments
        n, channels = x.shape[0], x.shape[1]
        maps, channels_per_group, kh, kw = W.shape[0] // groups, W.shape[1], W.shape[2], W.shape[3]
        rows, columns = y.shape[2], y.shape[3]
        column = channels_per_group * kh * kw
        blas = by_blas(maps, column)
        flat = W.reshape(W.shape[0], column)
        reach0, reach1 = (kh - 1) * d0, (kw - 1) * d1
        one, zero = x.dtype.type(1), x.dtype.type(0)
        through_padded = blas or not correlation
        padded = np.empty((channels if through_padded else 0, height, width), x.dtype)
        seen = padded_zeros(0 if through_padded else y.shape[1], x.shape[2] + reach0, x.shape[3] + reach1, x.dtype)
        steps = elements_of(maps, kh, kw, seen.shape[1], seen.shape[2], d0, d1, 1)
        buffer = np.empty((column if blas else 0, rows * columns), x.dtype)
        for b in range(part * n // parts, (part + 1) * n // parts):
            if through_padded:
                padded[:] = 0
            else:
                put_shifted(y[b], reach0 - top, reach1 - left, seen)
            for g in range(groups):
                values, first, last = y[b, g * maps : (g + 1) * maps], g * channels_per_group, (g + 1) * channels_per_group
                if blas:
                    matrix = flat[g * maps : (g + 1) * maps]
                    gemm(one, matrix, True, values.reshape(maps, rows * columns), False, zero, buffer)
                    scatter(buffer, kh, kw, rows, columns, padded[first:last])
                elif through_padded:
                    add_rows(values, W[g * maps : (g + 1) * maps], first, padded)
                else:
                    direct(seen, turned[first:last], g * maps, 0, steps, x[b, first:last])
            if through_padded:
                take(padded, top, left, x[b])

    every_image = in_parts(images, threads)

    @jit
    def spread(W: Any, y: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, x: Any) -> None:
        work = x.shape[0] * W.size * y.shape[2] * y.shape[3]
        # Without a stride the result is a correlation of the maps, padded with zeros; an infinite weight would meet those.
        correlation = not strided and is_finite(W)
        every_image(x.shape[0], work, (W, turn(W, groups), correlation, y, top, left, height, width, groups, x))

    return spread


@jit
def add_up(sums: Any, total: Any) -> None:
    """Set `total` to the sums of all parts, added in their order."""
    flat = total.reshape(-1)
    flat[:] = 0
    for part in range(sums.shape[0]):
        values = sums[part].reshape(-1)
        for i in range(flat.size):
            flat[i] += values[i]


@each_compiled_once
def filter_gradient(settings: Settings, threads: Threads) -> Callable[..., Any]:
    """Return a function (x, y, top, left, padded height, padded width, groups, W) that makes W the gradient of the filters."""
    s0, s1, d0, d1 = settings
    gather, _ = columns_of(settings)

    @jit
    def products(map_: Any, seen: Any, totals: Any) -> None:
        """Add sum_p map_[p] seen[p + s d1] to totals[s]: five products or one for each pass."""
        s, last, size = 0, totals.size, map_.size
        while s + 5 <= last:
            u, v, w = seen[s * d1 :], seen[(s + 1) * d1 :], seen[(s + 2) * d1 :]
            x, y = seen[(s + 3) * d1 :], seen[(s + 4) * d1 :]
            a = b = c = d = e = map_.dtype.type(0)
            for p in range(size):
                value = map_[p]
                a += value * u[p]
                b += value * v[p]
                c += value * w[p]
                d += value * x[p]
                e += value * y[p]
            totals[s] += a
            totals[s + 1] += b
            totals[s + 2] += c
            totals[s + 3] += d
            totals[s + 4] += e
            s += 5
        while s < last:
            u = seen[s * d1 :]
            total = map_.dtype.type(0)
            for p in range(size):
                total += map_[p] * u[p]
            totals[s] += total
            s += 1

    @jit
    def direct(padded: Any, spaced: Any, first: Any, W: Any) -> None:
        """Add to one group's filters one long scalar product for each of their elements.

        `spaced` are the maps' gradients, their rows as far apart as the padded image's are at this stride, zeros between them:
        then a map and what an element sees of the padded image are two vectors.
        """
        width = padded.shape[2]
        for o in range(spaced.shape[0]):
            for c in range(W.shape[1]):
                seen = padded[first + c].reshape(-1)
                for r in range(W.shape[2]):
                    products(spaced[o], seen[r * d0 * width :], W[o, c, r])

    @jit
    def exact(padded: Any, values: Any, first: Any, W: Any) -> None:
        """Do the same without zeros in between, which an infinite pixel must not meet."""
        for o in range(values.shape[0]):
            for c in range(W.shape[1]):
                for r in range(W.shape[2]):
                    for s in range(W.shape[3]):
                        total = W.dtype.type(0)
                        for i in range(values.shape[1]):
                            row, seen = values[o, i], padded[first + c, i * s0 + r * d0, s * d1 :: s1]
                            for j in range(row.size):
                                total += row[j] * seen[j]
                        W[o, c, r, s] += total

    @jit
    def images(part: Any, parts: Any, arguments: Any) -> None:
        """Add what one part of the images says to its own sums."""
        x, y, top, left, height, width, groups, sums = arguments
        W = sums[part]
        n, channels = x.shape[0], x.shape[1]
        maps, channels_per_group, kh, kw = W.shape[0] // groups, W.shape[1], W.shape[2], W.shape[3]
        rows, columns = y.shape[2], y.shape[3]
        column = channels_per_group * kh * kw
        blas = by_blas(maps, column)
        length = (rows - 1) * s0 * width + (columns - 1) * s1 + 1
        one = x.dtype.type(1)
        padded = np.zeros((channels, height, width), x.dtype)
        buffer = np.empty((column if blas else 0, rows * columns), x.dtype)
        spaced = np.zeros((0 if blas else y.shape[1], length), x.dtype)
        for b in range(part * n // parts, (part + 1) * n // parts):
            put(x[b], top, left, padded)
            finite = blas or is_finite(x[b])
            if not blas:
                for o in range(y.shape[1]):
                    for i in range(rows):
                        row, target = y[b, o, i], spaced[o, i * s0 * width :: s1]
                        for j in range(columns):
                            target[j] = row[j]
            for g in range(groups):
                weights = W[g * maps : (g + 1) * maps]
                if blas:
                    gather(padded[g * channels_per_group : (g + 1) * channels_per_group], kh, kw, rows, columns, buffer)
                    values = y[b, g * maps : (g + 1) * maps].reshape(maps, rows * columns)
                    gemm(one, values, False, buffer, True, one, weights.reshape(maps, column))
                elif finite:
                    direct(padded, spaced[g * maps : (g + 1) * maps], g * channels_per_group, weights)
                else:
                    exact(padded, y[b, g * maps : (g + 1) * maps], g * channels_per_group, weights)

    every_image, most = in_parts(images, threads), parts_for(threads)

    @jit
    def collect(x: Any, y: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, W: Any) -> None:
        sums = np.zeros((most, W.shape[0], W.shape[1], W.shape[2], W.shape[3]), W.dtype)
        work = x.shape[0] * W.size * y.shape[2] * y.shape[3]
        parts = every_image(x.shape[0], work, (x, y, top, left, height, width, groups, sums))
        add_up(sums[:parts], W)

    return collect
