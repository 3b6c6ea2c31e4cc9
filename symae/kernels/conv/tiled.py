"""Convolution and its gradients by tiles of sums in registers, for many maps; arguments are those of `direct`.

A correlation, and each phase of a transposed one, goes over the positions of several images, or of some rows of one, together:
small maps fill tiles then, and the weights of some terms stay in the nearest cache. The sums, rows of maps, are transposed into
the result.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from symae.kernels import tuning
from symae.kernels.compiled_once import each_compiled_once
from symae.kernels.conv import gradients as convolution_gradients
from symae.kernels.conv.direct import Settings, jit
from symae.kernels.conv.gradients import is_finite, turn
from symae.kernels.conv.offsets import elements_of, positions_in_images
from symae.kernels.parallel.parts import Threads, in_parts, parts_for
from symae.kernels.simd.rectangles import copied, transposed
from symae.kernels.simd.register_tile import Tile, add_tile

IMAGES_TOGETHER, POSITIONS_TOGETHER = tuning.IMAGES_TOGETHER, tuning.POSITIONS_TOGETHER
WEIGHTS_TOGETHER = tuning.WEIGHTS_TOGETHER

# What a row of a table of phases says: the first row and column of a phase's pixels and how many there are of each, where it
# begins to look in a frame, its filters' height and width, and where its weights, steps and positions begin in those of all.
FIRST_ROW, ROWS, FIRST_COLUMN, COLUMNS, START, HEIGHT, WIDTH, WEIGHTS, STEPS, POSITIONS = range(10)


@functools.cache
def packed(tile: Tile) -> Callable[..., Any]:
    """Return a function (matrix, first, maps, length, target, there, apart): the rows, maps, become blocks of columns.

    A block has a tile's maps, and the blocks are `apart` rows of a block from each other. Maps that are missing in the last
    block are zero: nobody looks at their sums.
    """
    maps_of_tile, lanes, transpose = tile.maps, tile.lanes, transposed(tile.lanes, filled=True)

    @jit
    def pack(matrix: Any, first: Any, maps: Any, length: Any, target: Any, there: Any, apart: Any) -> None:
        for m in range(0, maps, maps_of_tile):
            here, block = min(maps_of_tile, maps - m), there + m * apart
            transpose(matrix, first + m * length, length, here, length, target, block, maps_of_tile)
            for missing in range(-(-here // lanes) * lanes, maps_of_tile):
                for k in range(length):
                    target[block + k * maps_of_tile + missing] = 0

    return pack


@functools.cache
def framed(lanes: int) -> Callable[..., Any]:
    """Return a function (images, number, down, right, frames, first, height, width) that copies an image into a frame.

    Then frame[c, i + down, j + right] = image[c, i, j]. The shifts may be negative; what falls outside the frame is left out.
    """
    copy = copied(lanes)

    @jit
    def put(images: Any, number: Any, down: Any, right: Any, frames: Any, first: Any, height: Any, width: Any) -> None:
        _, channels, h, w = images.shape
        flat = images.reshape(-1)
        top, left = max(0, down), max(0, right)
        rows, columns = min(height, h + down) - top, min(width, w + right) - left
        for c in range(channels):
            here = ((number * channels + c) * h + top - down) * w + left - right
            copy(flat, here, w, frames, first + (c * height + top) * width + left, width, rows, columns)

    return put


@jit
def together(positions: Any) -> Any:
    """Return how many images go through the tiles together, if each has so many positions."""
    return max(1, min(IMAGES_TOGETHER, POSITIONS_TOGETHER // max(1, positions)))


@jit
def terms_together(maps_of_tile: Any, values: Any) -> Any:
    """Return how many terms of sums have packed weights that stay in the nearest cache."""
    return max(1, WEIGHTS_TOGETHER // (maps_of_tile * values.itemsize))


@functools.cache
def correlated(tile: Tile, s0: int) -> Callable[..., Any]:
    """Return the work (part, parts, arguments) of a correlation in phases, whose rows are `s0` apart in the result."""
    add, put, transpose = add_tile(tile), framed(tile.lanes), transposed(tile.lanes)
    maps_of_tile, n_positions = tile.maps, tile.positions

    @jit
    def images(part: Any, parts: Any, arguments: Any) -> None:
        x, weights, steps, positions, targets, table, down, right, height, width, groups, at_once, y = arguments
        n, channels, maps, h, w = x.shape[0], x.shape[1], y.shape[1] // groups, y.shape[2], y.shape[3]
        channels_per_group, blocks, pixels, phases = channels // groups, -(-maps // maps_of_tile), h * w, table.shape[0] - 1
        most, widest = 0, 1
        for p in range(phases):
            most, widest = max(most, table[p, ROWS]), max(widest, table[p, COLUMNS])
        # at once: all rows of some images, or a band of rows of one
        bands = 1 if at_once > 1 else max(1, -(-(most * widest) // POSITIONS_TOGETHER))
        band = max(1, -(-most // bands))
        # positions that fill the last tile of a band belong to the rows below
        room = at_once * pixels if band >= most else min(pixels, (band + n_positions) * s0 * w)
        size = channels * height * width
        frames = np.zeros(at_once * size, x.dtype)
        sums, out = np.empty(room * maps_of_tile, x.dtype), y.reshape(-1)
        chunk = terms_together(maps_of_tile, sums)
        end = (part + 1) * n // parts
        for first in range(part * n // parts, end, at_once):
            count = min(at_once, end - first)
            for b in range(count):
                put(x, first + b, down, right, frames, b * size, height, width)
            for g in range(groups):
                for block in range(blocks):
                    here = min(maps_of_tile, maps - block * maps_of_tile)
                    for top in range(0, most, band):
                        above = -top * s0 * w * maps_of_tile
                        for p in range(phases):
                            length, apart = table[p + 1, STEPS] - table[p, STEPS], table[p, COLUMNS]
                            start = table[p, WEIGHTS] + (g * blocks + block) * maps_of_tile * length
                            begin = table[p, POSITIONS] + top * apart
                            stop = begin + count * max(0, min(band, table[p, ROWS] - top)) * apart
                            pixel = g * channels_per_group * height * width
                            for k in range(0, max(1, length), chunk):
                                terms, step, row = min(chunk, length - k), table[p, STEPS] + k, start + k * maps_of_tile
                                for q in range(begin, stop, n_positions):
                                    add(
                                        weights,
                                        row,
                                        frames,
                                        pixel,
                                        positions,
                                        targets,
                                        q,
                                        steps,
                                        step,
                                        terms,
                                        sums,
                                        above,
                                        k == 0,
                                    )
                        made = (min(h, (top + band) * s0) - top * s0) * w
                        for b in range(count):
                            result = (((first + b) * groups + g) * maps + block * maps_of_tile) * pixels + top * s0 * w
                            transpose(sums, b * pixels * maps_of_tile, maps_of_tile, made, here, out, result, pixels)

    return images


@each_compiled_once
def forward(settings: Settings, threads: Threads, tile: Tile) -> Callable[..., Any]:
    """Return a function (x, W, top, left, padded height, padded width, groups, y) that makes y the correlation."""
    s0, s1, d0, d1 = settings
    pack, every_image = packed(tile), in_parts(correlated(tile, 1), threads)
    maps_of_tile, n_positions = tile.maps, tile.positions

    @jit
    def correlate(x: Any, W: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, y: Any) -> None:
        maps, column, (rows, columns) = W.shape[0] // groups, W.shape[1] * W.shape[2] * W.shape[3], y.shape[2:]
        block = -(-maps // maps_of_tile) * maps_of_tile * column
        weights, at_once = np.empty(groups * block, W.dtype), together(rows * columns)
        for g in range(groups):
            pack(W.reshape(-1), g * maps * column, maps, column, weights, g * block, column)
        table = np.zeros((2, 10), np.int64)
        table[0, ROWS], table[0, COLUMNS], table[1, STEPS] = rows, columns, column
        positions = positions_in_images(at_once, x.shape[1] * height * width, 0, rows, s0 * width, columns, s1, n_positions)
        targets = positions_in_images(at_once, rows * columns, 0, rows, columns, columns, 1, n_positions)
        steps = elements_of(W.shape[1], W.shape[2], W.shape[3], height, width, d0, d1, 1)
        work = x.shape[0] * W.size * rows * columns
        every_image(
            x.shape[0], work, (x, weights, steps, positions, targets, table, top, left, height, width, groups, at_once, y)
        )

    return correlate


@each_compiled_once
def input_gradient(settings: Settings, threads: Threads, tile: Tile) -> Callable[..., Any]:
    """Return a function (W, y, top, left, padded height, padded width, groups, x) that makes x the transpose with stride 1."""
    _, _, d0, d1 = settings
    correlate = forward((1, 1, d0, d1), threads, tile)
    exact = convolution_gradients.input_gradient(settings, "never", None)

    @jit
    def spread(W: Any, y: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, x: Any) -> None:
        if not is_finite(W):  # an infinite weight would meet the zeros around the maps
            exact(W, y, top, left, height, width, groups, x)
            return
        reach0, reach1 = (W.shape[2] - 1) * d0, (W.shape[3] - 1) * d1
        correlate(y, turn(W, groups), reach0 - top, reach1 - left, x.shape[2] + reach0, x.shape[3] + reach1, groups, x)

    return spread


@each_compiled_once
def filter_gradient(settings: Settings, threads: Threads, tile: Tile) -> Callable[..., Any]:
    """Return a function (x, y, top, left, padded height, padded width, groups, W) that makes W the gradient of the filters."""
    s0, s1, d0, d1 = settings
    pack, add, put, transpose = packed(tile), add_tile(tile), framed(tile.lanes), transposed(tile.lanes)
    maps_of_tile, n_positions = tile.maps, tile.positions

    @jit
    def images(part: Any, parts: Any, arguments: Any) -> None:
        """Add what one part of the images says to its own sums: (groups, blocks of maps, elements, maps of a block)."""
        x, y, elements, own, steps, top, left, height, width, groups, at_once, every_sum = arguments
        n, channels, maps, length = x.shape[0], x.shape[1], y.shape[1] // groups, y.shape[2] * y.shape[3]
        channels_per_group, blocks, size = channels // groups, -(-maps // maps_of_tile), channels * height * width
        frames, sums, flat = np.zeros(at_once * size, x.dtype), every_sum[part], y.reshape(-1)
        values = np.empty(blocks * at_once * length * maps_of_tile, y.dtype)
        chunk, end = terms_together(maps_of_tile, values), (part + 1) * n // parts
        for first in range(part * n // parts, end, at_once):
            count = min(at_once, end - first)
            for b in range(count):
                put(x, first + b, top, left, frames, b * size, height, width)
            for g in range(groups):
                for b in range(count):
                    map_ = ((first + b) * groups + g) * maps * length
                    pack(flat, map_, maps, length, values, b * length * maps_of_tile, at_once * length)
                pixel = g * channels_per_group * height * width
                for block in range(blocks):
                    total = (g * blocks + block) * elements.size * maps_of_tile
                    for k in range(0, count * length, chunk):
                        terms, row = min(chunk, count * length - k), (block * at_once * length + k) * maps_of_tile
                        for e in range(0, elements.size, n_positions):
                            add(values, row, frames, pixel, elements, own, e, steps, k, terms, sums, total, False)

    every_image, most = in_parts(images, threads), parts_for(threads)

    @jit
    def collect(x: Any, y: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, W: Any) -> None:
        maps, channels_per_group, kh, kw = W.shape[0] // groups, W.shape[1], W.shape[2], W.shape[3]
        rows, columns, at_once = y.shape[2], y.shape[3], together(y.shape[2] * y.shape[3])
        elements = elements_of(channels_per_group, kh, kw, height, width, d0, d1, n_positions)
        steps = positions_in_images(at_once, x.shape[1] * height * width, 0, rows, s0 * width, columns, s1, 0)
        column, blocks, out = channels_per_group * kh * kw, -(-maps // maps_of_tile), W.reshape(-1)
        block = elements.size * maps_of_tile
        sums = np.zeros((most, groups * blocks * block), W.dtype)
        work, own = x.shape[0] * W.size * rows * columns, np.arange(elements.size)
        parts = every_image(x.shape[0], work, (x, y, elements, own, steps, top, left, height, width, groups, at_once, sums))
        for part in range(1, parts):
            for i in range(sums.shape[1]):
                sums[0, i] += sums[part, i]
        for g in range(groups):
            for m in range(0, maps, maps_of_tile):
                first, here = (g * blocks + m // maps_of_tile) * block, min(maps_of_tile, maps - m)
                transpose(sums[0], first, maps_of_tile, column, here, out, (g * maps + m) * column, column)

    return collect
