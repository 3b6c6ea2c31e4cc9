"""The gradient of a strided convolution with respect to the images, phase by phase.

With strides (s, t) the pixels whose rows are equal modulo s and whose columns are equal modulo t, a *phase*, see the same
elements of the filters, every s-th row and every t-th column of them. So each phase is a correlation of the maps without a
stride, and nothing is spread into gaps. Only without dilation. Arguments are those of `gradients.input_gradient`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from symae.kernels.compiled_once import each_compiled_once
from symae.kernels.conv import gradients as convolution_gradients
from symae.kernels.conv.direct import Settings, direct_forward, jit, room_for
from symae.kernels.conv.gradients import is_finite
from symae.kernels.conv.offsets import elements_of, positions_in_images
from symae.kernels.conv.tiled import (
    COLUMNS,
    FIRST_COLUMN,
    FIRST_ROW,
    HEIGHT,
    POSITIONS,
    ROWS,
    START,
    STEPS,
    WEIGHTS,
    WIDTH,
    correlated,
    framed,
    packed,
    together,
)
from symae.kernels.parallel.parts import Threads, in_parts
from symae.kernels.simd.register_strip import Strip
from symae.kernels.simd.register_tile import Tile


@jit
def _axis(size: Any, kernel: Any, stride: Any, before: Any) -> Any:
    """Return, for one axis, how far the maps are shifted in their padded, how long that is, and a row for each phase.

    A row says the first pixel of the phase, how many it has, where the first of them begins to look in the padded, and how many
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
    """Return a function (images' shape, W, top, left, groups, tile's maps) -> shifts, padded size, table of phases.

    Its rows are those of `tiled`, positions left out; a last one, after all phases, has the sizes of what holds those of all.
    """

    @jit
    def phases(x: Any, W: Any, top: Any, left: Any, groups: Any, maps_of_tile: Any) -> Any:
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
        return down, right, height, width, table

    return phases


@functools.cache
def _turned(s0: int, s1: int) -> Callable[..., Any]:
    """Return a function (W, groups, phase, filters) that makes what a phase sees, (channels, maps, rows, columns), turned."""

    @jit
    def turned(W: Any, groups: Any, phase: Any, filters: Any) -> None:
        maps, channels_per_group = W.shape[0] // groups, W.shape[1]
        a, b, (kernel_height, kernel_width) = phase // s1, phase % s1, filters.shape[2:]
        for g in range(groups):
            for o in range(maps):
                for c in range(channels_per_group):
                    for r in range(kernel_height):
                        for s in range(kernel_width):
                            weight = W[g * maps + o, c, a + r * s0, b + s * s1]
                            filters[g * channels_per_group + c, o, kernel_height - 1 - r, kernel_width - 1 - s] = weight

    return turned


@functools.cache
def _interleaved(s0: int, s1: int) -> Callable[..., Any]:
    """Return a function (values, first row, first column, image) that puts a phase's pixels where they belong."""

    @jit
    def interleave(values: Any, row: Any, column: Any, image: Any) -> None:
        for c in range(values.shape[0]):
            for i in range(values.shape[1]):
                line, target = values[c, i], image[c, row + i * s0, column::s1]
                for j in range(line.size):
                    target[j] = line[j]

    return interleave


@each_compiled_once
def input_gradient(settings: Settings, threads: Threads, tile: Tile) -> Callable[..., Any]:
    """Return a function (W, y, top, left, padded height, padded width, groups, x) that makes x the transpose, by tiles."""
    s0, s1, _, _ = settings
    phases, turned, pack = _phases(s0, s1), _turned(s0, s1), packed(tile)
    maps_of_tile, n_positions = tile.maps, tile.positions
    exact = convolution_gradients.input_gradient(settings, "never", None)
    every_image = in_parts(correlated(tile, s0), threads)

    @jit
    def spread(W: Any, y: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, x: Any) -> None:
        if not is_finite(W):  # an infinite weight would meet the zeros around the maps
            exact(W, y, top, left, height, width, groups, x)
            return
        maps, channels_per_group, (h, w) = W.shape[0] // groups, W.shape[1], x.shape[2:]
        down, right, inner, outer, table = phases(x.shape, W, top, left, groups, maps_of_tile)
        most = 0
        for p in range(s0 * s1):
            most = max(most, table[p, ROWS] * table[p, COLUMNS])
        at_once = together(most)
        for p in range(s0 * s1):
            table[p + 1, POSITIONS] = table[p, POSITIONS] + at_once * table[p, ROWS] * table[p, COLUMNS] + n_positions
        weights, steps = np.empty(table[-1, WEIGHTS], W.dtype), np.empty(table[-1, STEPS], np.int64)
        positions, targets = np.empty(table[-1, POSITIONS], np.int64), np.empty(table[-1, POSITIONS], np.int64)
        for p in range(s0 * s1):
            a, b = table[p], table[p + 1]
            filters = np.empty((groups * channels_per_group, maps, a[HEIGHT], a[WIDTH]), W.dtype)
            turned(W, groups, p, filters)
            column, block = maps * a[HEIGHT] * a[WIDTH], (b[WEIGHTS] - a[WEIGHTS]) // groups
            for g in range(groups):
                first = g * channels_per_group * column
                pack(filters.reshape(-1), first, channels_per_group, column, weights, a[WEIGHTS] + g * block, column)
            steps[a[STEPS] : b[STEPS]] = elements_of(maps, a[HEIGHT], a[WIDTH], inner, outer, 1, 1, 1)
            apart, rows, columns = y.shape[1] * inner * outer, a[ROWS], a[COLUMNS]
            begun = positions_in_images(at_once, apart, a[START], rows, outer, columns, 1, n_positions)
            pixel = a[FIRST_ROW] * w + a[FIRST_COLUMN]
            positions[a[POSITIONS] : b[POSITIONS]] = begun
            targets[a[POSITIONS] : b[POSITIONS]] = positions_in_images(
                at_once, h * w, pixel, rows, s0 * w, columns, s1, n_positions
            )
        work = x.shape[0] * W.size * y.shape[2] * y.shape[3]
        every_image(
            x.shape[0], work, (y, weights, steps, positions, targets, table, down, right, inner, outer, groups, at_once, x)
        )

    return spread


@each_compiled_once
def direct_input_gradient(settings: Settings, threads: Threads, strip: Strip) -> Callable[..., Any]:
    """Return the same function, by direct loops, for few channels."""
    s0, s1, _, _ = settings
    phases, turned, interleave = _phases(s0, s1), _turned(s0, s1), _interleaved(s0, s1)
    direct, padded_zeros, put = direct_forward((1, 1, 1, 1), strip), room_for(strip), framed(strip.lanes)
    exact = convolution_gradients.input_gradient(settings, "never", None)

    @jit
    def images(part: Any, parts: Any, arguments: Any) -> None:
        y, weights, steps, table, down, right, height, width, groups, x = arguments
        n, maps, channels_per_group = x.shape[0], y.shape[1] // groups, x.shape[1] // groups
        padded = padded_zeros(y.shape[1], height, width, x.dtype)
        for b in range(part * n // parts, (part + 1) * n // parts):
            put(y, b, down, right, padded.reshape(-1), 0, height, width)
            for p in range(s0 * s1):
                rows, columns = table[p, ROWS], table[p, COLUMNS]
                shape = (groups * channels_per_group, maps, table[p, HEIGHT], table[p, WIDTH])
                filters = weights[table[p, WEIGHTS] : table[p + 1, WEIGHTS]].reshape(shape)
                out = np.empty((channels_per_group, rows, columns), x.dtype)
                seen = steps[table[p, STEPS] : table[p + 1, STEPS]]
                for g in range(groups):
                    first, last = g * channels_per_group, (g + 1) * channels_per_group
                    direct(padded, filters[first:last], g * maps, table[p, START], seen, out)
                    interleave(out, table[p, FIRST_ROW], table[p, FIRST_COLUMN], x[b, first:last])

    every_image = in_parts(images, threads)

    @jit
    def spread(W: Any, y: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, x: Any) -> None:
        if not is_finite(W):  # as above
            exact(W, y, top, left, height, width, groups, x)
            return
        down, right, inner, outer, table = phases(x.shape, W, top, left, groups, 1)
        weights, steps = np.empty(table[-1, WEIGHTS], W.dtype), np.empty(table[-1, STEPS], np.int64)
        for p in range(s0 * s1):
            shape = (x.shape[1], W.shape[0] // groups, table[p, HEIGHT], table[p, WIDTH])
            steps[table[p, STEPS] : table[p + 1, STEPS]] = elements_of(shape[1], shape[2], shape[3], inner, outer, 1, 1, 1)
            turned(W, groups, p, weights[table[p, WEIGHTS] : table[p + 1, WEIGHTS]].reshape(shape))
        work = x.shape[0] * W.size * y.shape[2] * y.shape[3]
        every_image(x.shape[0], work, (y, weights, steps, table, down, right, inner, outer, groups, x))

    return spread
