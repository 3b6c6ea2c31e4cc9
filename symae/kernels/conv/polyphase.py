"""The gradient of a strided convolution with respect to the images, phase by phase.

With strides (s, t) the pixels whose rows are equal modulo s and whose columns are equal modulo t, a *phase*, see the same
elements of the filters, every s-th row and every t-th column of them. So each phase is a correlation of the maps without a
stride, and nothing is spread into gaps. Only without dilation. Arguments are those of `convolution_gradients.input_gradient`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from symae.kernels.conv import gradients as convolution_gradients
from symae.kernels.conv.direct import Settings, direct_forward, jit, room_for
from symae.kernels.conv.gradients import is_finite, put_shifted
from symae.kernels.conv.offsets import elements_of, places_of
from symae.kernels.conv.tiled import correlation, packed
from symae.kernels.parallel.parts import Threads, in_parts
from symae.kernels.simd.register_strip import Strip
from symae.kernels.simd.register_tile import Tile

__all__ = ["direct_input_gradient", "input_gradient"]


FIRST_ROW, ROWS, FIRST_COLUMN, COLUMNS, START, HIGH, WIDE, WEIGHTS, STEPS, PLACES = range(10)


@jit
def _axis(size: Any, kernel: Any, stride: Any, before: Any) -> Any:
    """Along one axis: how far the maps are shifted in their frame, how long that is, and a row for each phase.

    A row says the first pixel of the phase, how many it has, where the first of them begins to look in the frame, and how many
    elements of the filters see it.
    """
    most, lowest = (kernel - 1) // stride, before // stride
    table = np.zeros((stride, 4), np.int64)
    for phase in range(stride):
        first, seen = (phase - before) % stride, max(0, -(-(kernel - phase) // stride))
        table[phase] = (
            first,
            max(0, -(-(size - first) // stride)),
            (first + before) // stride - lowest + most - (seen - 1),
            seen,
        )
    return most - lowest, (size - 1 + before) // stride - lowest + most + 1, table


@functools.cache
def _phases(s0: int, s1: int) -> Callable[..., Any]:
    """(images' shape, W, top, left, groups, tile's maps, tile's places) -> shifts and size of the frame, a table of the phases.

    Its last columns say where the phase's weights, steps and places begin in buffers that hold those of all; the last row,
    after all phases, has the buffers' sizes there.
    """

    @jit
    def phases(x: Any, W: Any, top: Any, left: Any, groups: Any, maps_of_tile: Any, places_of_tile: Any) -> Any:
        down, height, rows = _axis(x[2], W.shape[2], s0, top)
        right, width, columns = _axis(x[3], W.shape[3], s1, left)
        table = np.zeros((s0 * s1 + 1, 10), np.int64)
        channels, maps = -(-W.shape[1] // maps_of_tile) * maps_of_tile, W.shape[0] // groups
        for p in range(s0 * s1):
            a, b = rows[p // s1], columns[p % s1]
            table[p, :7] = a[0], a[1], b[0], b[1], a[2] * width + b[2], a[3], b[3]
            elements = maps * a[3] * b[3]
            table[p + 1, WEIGHTS] = table[p, WEIGHTS] + groups * channels * elements
            table[p + 1, STEPS] = table[p, STEPS] + elements
            table[p + 1, PLACES] = table[p, PLACES] + -(-a[1] * b[1] // places_of_tile) * places_of_tile
        return down, right, height, width, table

    return phases


@functools.cache
def _turned(s0: int, s1: int) -> Callable[..., Any]:
    """(W, groups, phase, filters): those that a phase sees, (channels, maps of a group, rows, columns), turned round."""

    @jit
    def turned(W: Any, groups: Any, phase: Any, filters: Any) -> None:
        maps, own = W.shape[0] // groups, W.shape[1]
        a, b, (high, wide) = phase // s1, phase % s1, filters.shape[2:]
        for g in range(groups):
            for o in range(maps):
                for c in range(own):
                    for r in range(high):
                        for s in range(wide):
                            weight = W[g * maps + o, c, a + r * s0, b + s * s1]
                            filters[g * own + c, o, high - 1 - r, wide - 1 - s] = weight

    return turned


@functools.cache
def _interleaved(s0: int, s1: int) -> Callable[..., Any]:
    """(values (channels, rows, columns), first row, first column, image): put a phase's pixels where they belong."""

    @jit
    def interleave(values: Any, row: Any, column: Any, image: Any) -> None:
        for c in range(values.shape[0]):
            for i in range(values.shape[1]):
                line, target = values[c, i], image[c, row + i * s0, column::s1]
                for j in range(line.size):
                    target[j] = line[j]

    return interleave


@functools.cache
def input_gradient(settings: Settings, threads: Threads, tile: Tile) -> Callable[..., Any]:
    """(W, y, top, left, frame height, frame width, groups, x): x becomes the transposed correlation, by tiles."""
    s0, s1, _, _ = settings
    phases, turned, interleave = _phases(s0, s1), _turned(s0, s1), _interleaved(s0, s1)
    pack, correlate = packed(tile), correlation(tile)
    wide_tile, many = tile.maps, tile.places
    exact = convolution_gradients.input_gradient(settings, "never", None)

    @jit
    def images(part: Any, parts: Any, arguments: Any) -> None:
        y, weights, steps, places, table, down, right, height, width, groups, x = arguments
        n, maps, own = x.shape[0], y.shape[1] // groups, x.shape[1] // groups
        frame, sums = np.zeros((y.shape[1], height, width), x.dtype), np.empty(wide_tile * many, x.dtype)
        most = 0
        for p in range(s0 * s1):
            most = max(most, table[p, ROWS] * table[p, COLUMNS])
        values = np.empty(own * most, x.dtype)
        for b in range(part * n // parts, (part + 1) * n // parts):
            put_shifted(y[b], down, right, frame)
            for p in range(s0 * s1):
                rows, columns = table[p, ROWS], table[p, COLUMNS]
                mine = places[table[p, PLACES] : table[p + 1, PLACES]]
                seen = steps[table[p, STEPS] : table[p + 1, STEPS]]
                out = values[: own * rows * columns]
                for g in range(groups):
                    first = table[p, WEIGHTS] + g * ((table[p + 1, WEIGHTS] - table[p, WEIGHTS]) // groups)
                    pixel = g * maps * height * width + table[p, START]
                    correlate(weights, first, frame.reshape(-1), pixel, mine, seen, sums, out.reshape(own, rows * columns))
                    target = x[b, g * own : (g + 1) * own]
                    interleave(out.reshape(own, rows, columns), table[p, FIRST_ROW], table[p, FIRST_COLUMN], target)

    every_image = in_parts(images, threads)

    @jit
    def spread(W: Any, y: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, x: Any) -> None:
        if not is_finite(W):  # an infinite weight would meet the zeros around the maps
            exact(W, y, top, left, height, width, groups, x)
            return
        maps, own = W.shape[0] // groups, W.shape[1]
        down, right, inner, outer, table = phases(x.shape, W, top, left, groups, wide_tile, many)
        weights, steps, places = (
            np.empty(table[-1, WEIGHTS], W.dtype),
            np.empty(table[-1, STEPS], np.int64),
            np.empty(table[-1, PLACES], np.int64),
        )
        for p in range(s0 * s1):
            high, wide = table[p, HIGH], table[p, WIDE]
            filters = np.empty((groups * own, maps, high, wide), W.dtype)
            turned(W, groups, p, filters)
            block = (table[p + 1, WEIGHTS] - table[p, WEIGHTS]) // groups
            for g in range(groups):
                matrix = filters[g * own : (g + 1) * own].reshape(own, maps * high * wide)
                pack(matrix, weights, table[p, WEIGHTS] + g * block)
            steps[table[p, STEPS] : table[p + 1, STEPS]] = elements_of(maps, high, wide, inner, outer, 1, 1, 1)
            here = places_of(inner, outer, table[p, ROWS], table[p, COLUMNS], 1, 1, many)
            places[table[p, PLACES] : table[p + 1, PLACES]] = here
        work = x.shape[0] * W.size * y.shape[2] * y.shape[3]
        every_image(x.shape[0], work, (y, weights, steps, places, table, down, right, inner, outer, groups, x))

    return spread


@functools.cache
def direct_input_gradient(settings: Settings, threads: Threads, strip: Strip) -> Callable[..., Any]:
    """The same by direct loops, for few channels."""
    s0, s1, _, _ = settings
    phases, turned, interleave = _phases(s0, s1), _turned(s0, s1), _interleaved(s0, s1)
    direct, frames = direct_forward((1, 1, 1, 1), strip), room_for(strip)
    exact = convolution_gradients.input_gradient(settings, "never", None)

    @jit
    def images(part: Any, parts: Any, arguments: Any) -> None:
        y, weights, steps, table, down, right, height, width, groups, x = arguments
        n, maps, own = x.shape[0], y.shape[1] // groups, x.shape[1] // groups
        frame = frames(y.shape[1], height, width, x.dtype)
        for b in range(part * n // parts, (part + 1) * n // parts):
            put_shifted(y[b], down, right, frame)
            for p in range(s0 * s1):
                rows, columns = table[p, ROWS], table[p, COLUMNS]
                shape = (groups * own, maps, table[p, HIGH], table[p, WIDE])
                filters = weights[table[p, WEIGHTS] : table[p + 1, WEIGHTS]].reshape(shape)
                out = np.empty((own, rows, columns), x.dtype)
                seen = steps[table[p, STEPS] : table[p + 1, STEPS]]
                for g in range(groups):
                    direct(frame, filters[g * own : (g + 1) * own], g * maps, table[p, START], seen, out)
                    interleave(out, table[p, FIRST_ROW], table[p, FIRST_COLUMN], x[b, g * own : (g + 1) * own])

    every_image = in_parts(images, threads)

    @jit
    def spread(W: Any, y: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, x: Any) -> None:
        if not is_finite(W):  # as above
            exact(W, y, top, left, height, width, groups, x)
            return
        down, right, inner, outer, table = phases(x.shape, W, top, left, groups, 1, 1)
        weights, steps = np.empty(table[-1, WEIGHTS], W.dtype), np.empty(table[-1, STEPS], np.int64)
        for p in range(s0 * s1):
            shape = (x.shape[1], W.shape[0] // groups, table[p, HIGH], table[p, WIDE])
            steps[table[p, STEPS] : table[p + 1, STEPS]] = elements_of(shape[1], shape[2], shape[3], inner, outer, 1, 1, 1)
            turned(W, groups, p, weights[table[p, WEIGHTS] : table[p + 1, WEIGHTS]].reshape(shape))
        work = x.shape[0] * W.size * y.shape[2] * y.shape[3]
        every_image(x.shape[0], work, (y, weights, steps, table, down, right, inner, outer, groups, x))

    return spread
