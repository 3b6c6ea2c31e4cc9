"""Convolution and its gradients by tiles of sums in registers, for many maps; arguments are those of `direct`.

At the peak of the machine where this was measured, while BLAS, with what it needs to be copied first, takes a third longer.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from symae.kernels.compiled_once import each_compiled_once
from symae.kernels.conv import gradients as convolution_gradients
from symae.kernels.conv.direct import Settings, jit, put
from symae.kernels.conv.gradients import is_finite, put_shifted, turn
from symae.kernels.conv.offsets import elements_of, positions_of
from symae.kernels.parallel.parts import Threads, in_parts, parts_for
from symae.kernels.simd.register_tile import Tile, add_tile


@functools.cache
def packed(tile: Tile) -> Callable[..., Any]:
    """Return a function (matrix, target, first): a matrix's rows, the maps, become blocks of columns with a tile's maps each.

    Maps that are missing in the last block are zero: nobody looks at their sums.
    """
    maps_of_tile = tile.maps

    @jit
    def pack(matrix: Any, target: Any, first: Any) -> None:
        maps, length = matrix.shape
        for block in range(-(-maps // maps_of_tile)):
            here = min(maps_of_tile, maps - block * maps_of_tile)
            start = first + block * maps_of_tile * length
            for k in range(length):
                row = target[start + k * maps_of_tile : start + (k + 1) * maps_of_tile]
                for m in range(here):
                    row[m] = matrix[block * maps_of_tile + m, k]
                row[here:] = 0

    return pack


@functools.cache
def correlation(tile: Tile) -> Callable[..., Any]:
    """Return a function (weights, first, image, pixel, positions, steps, sums, out) that makes a group's maps."""
    add = add_tile(tile)
    maps_of_tile, n_positions = tile.maps, tile.positions

    @jit
    def correlate(weights: Any, first: Any, image: Any, pixel: Any, positions: Any, steps: Any, sums: Any, out: Any) -> None:
        maps, length = out.shape
        for block in range(-(-maps // maps_of_tile)):
            here = min(maps_of_tile, maps - block * maps_of_tile)
            start = first + block * maps_of_tile * steps.size
            for p in range(0, positions.size, n_positions):
                sums[:] = 0
                add(weights, start, image, pixel, positions, p, steps, steps.size, sums, 0)
                for m in range(here):
                    row = out[block * maps_of_tile + m, p:]
                    for q in range(min(n_positions, length - p)):
                        row[q] = sums[q * maps_of_tile + m]

    return correlate


@each_compiled_once
def forward(settings: Settings, threads: Threads, tile: Tile) -> Callable[..., Any]:
    """Return a function (x, W, top, left, padded height, padded width, groups, y) that makes y the correlation."""
    s0, s1, d0, d1 = settings
    pack, correlate_group = packed(tile), correlation(tile)
    maps_of_tile, n_positions = tile.maps, tile.positions

    @jit
    def images(part: Any, parts: Any, arguments: Any) -> None:
        x, weights, positions, steps, top, left, height, width, groups, y = arguments
        n, channels, maps = x.shape[0], x.shape[1], y.shape[1] // groups
        channels_per_group = channels // groups
        padded, sums = np.zeros((channels, height, width), x.dtype), np.empty(maps_of_tile * n_positions, x.dtype)
        for b in range(part * n // parts, (part + 1) * n // parts):
            put(x[b], top, left, padded)
            for g in range(groups):
                out = y[b, g * maps : (g + 1) * maps].reshape(maps, y.shape[2] * y.shape[3])
                first, pixel = g * (weights.size // groups), g * channels_per_group * height * width
                correlate_group(weights, first, padded.reshape(-1), pixel, positions, steps, sums, out)

    every_image = in_parts(images, threads)

    @jit
    def correlate(x: Any, W: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, y: Any) -> None:
        maps, channels_per_group, kh, kw = W.shape[0] // groups, W.shape[1], W.shape[2], W.shape[3]
        column = channels_per_group * kh * kw
        block = -(-maps // maps_of_tile) * maps_of_tile * column
        weights = np.empty(groups * block, W.dtype)
        for g in range(groups):
            pack(W[g * maps : (g + 1) * maps].reshape(maps, column), weights, g * block)
        positions = positions_of(height, width, y.shape[2], y.shape[3], s0, s1, n_positions)
        steps = elements_of(channels_per_group, kh, kw, height, width, d0, d1, 1)
        work = x.shape[0] * W.size * y.shape[2] * y.shape[3]
        every_image(x.shape[0], work, (x, weights, positions, steps, top, left, height, width, groups, y))

    return correlate


@each_compiled_once
def input_gradient(settings: Settings, threads: Threads, tile: Tile) -> Callable[..., Any]:
    """Return a function (W, y, top, left, padded height, padded width, groups, x) that makes x the transpose with stride 1."""
    _, _, d0, d1 = settings
    pack, correlate_group = packed(tile), correlation(tile)
    maps_of_tile, n_positions = tile.maps, tile.positions
    exact = convolution_gradients.input_gradient(settings, "never", None)

    @jit
    def images(part: Any, parts: Any, arguments: Any) -> None:
        y, weights, positions, steps, down, right, height, width, groups, x = arguments
        n, maps, channels_per_group = x.shape[0], y.shape[1] // groups, x.shape[1] // groups
        padded, sums = np.zeros((y.shape[1], height, width), x.dtype), np.empty(maps_of_tile * n_positions, x.dtype)
        for b in range(part * n // parts, (part + 1) * n // parts):
            put_shifted(y[b], down, right, padded)
            for g in range(groups):
                channels = x[b, g * channels_per_group : (g + 1) * channels_per_group]
                out = channels.reshape(channels_per_group, x.shape[2] * x.shape[3])
                first = g * (weights.size // groups)
                correlate_group(weights, first, padded.reshape(-1), g * maps * height * width, positions, steps, sums, out)

    every_image = in_parts(images, threads)

    @jit
    def spread(W: Any, y: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, x: Any) -> None:
        if not is_finite(W):  # an infinite weight would meet the zeros around the maps
            exact(W, y, top, left, height, width, groups, x)
            return
        maps, channels_per_group, kh, kw = W.shape[0] // groups, W.shape[1], W.shape[2], W.shape[3]
        reach0, reach1 = (kh - 1) * d0, (kw - 1) * d1
        column = maps * kh * kw
        block = -(-channels_per_group // maps_of_tile) * maps_of_tile * column
        filters, weights = turn(W, groups), np.empty(groups * block, W.dtype)
        for g in range(groups):
            of_group = filters[g * channels_per_group : (g + 1) * channels_per_group]
            pack(of_group.reshape(channels_per_group, column), weights, g * block)
        inner, outer = x.shape[2] + reach0, x.shape[3] + reach1
        positions = positions_of(inner, outer, x.shape[2], x.shape[3], 1, 1, n_positions)
        steps = elements_of(maps, kh, kw, inner, outer, d0, d1, 1)
        work = x.shape[0] * W.size * y.shape[2] * y.shape[3]
        every_image(x.shape[0], work, (y, weights, positions, steps, reach0 - top, reach1 - left, inner, outer, groups, x))

    return spread


@each_compiled_once
def filter_gradient(settings: Settings, threads: Threads, tile: Tile) -> Callable[..., Any]:
    """Return a function (x, y, top, left, padded height, padded width, groups, W) that makes W the gradient of the filters."""
    s0, s1, d0, d1 = settings
    pack, add = packed(tile), add_tile(tile)
    maps_of_tile, n_positions = tile.maps, tile.positions

    @jit
    def images(part: Any, parts: Any, arguments: Any) -> None:
        """Add what one part of the images says to its own sums: (groups, blocks of maps, elements, maps of a block)."""
        x, y, elements, steps, top, left, height, width, groups, every_sum = arguments
        n, channels, maps = x.shape[0], x.shape[1], y.shape[1] // groups
        channels_per_group, blocks = channels // groups, -(-maps // maps_of_tile)
        length = y.shape[2] * y.shape[3]
        padded, sums = np.zeros((channels, height, width), x.dtype), every_sum[part]
        flat, values = padded.reshape(-1), np.empty(blocks * maps_of_tile * length, y.dtype)
        for b in range(part * n // parts, (part + 1) * n // parts):
            put(x[b], top, left, padded)
            for g in range(groups):
                pack(y[b, g * maps : (g + 1) * maps].reshape(maps, length), values, 0)
                pixel = g * channels_per_group * height * width
                for block in range(blocks):
                    first = (g * blocks + block) * elements.size * maps_of_tile
                    for k in range(0, elements.size, n_positions):
                        here, there = block * maps_of_tile * length, first + k * maps_of_tile
                        add(values, here, flat, pixel, elements, k, steps, length, sums, there)

    every_image, most = in_parts(images, threads), parts_for(threads)

    @jit
    def collect(x: Any, y: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, W: Any) -> None:
        maps, channels_per_group, kh, kw = W.shape[0] // groups, W.shape[1], W.shape[2], W.shape[3]
        elements = elements_of(channels_per_group, kh, kw, height, width, d0, d1, n_positions)
        steps = positions_of(height, width, y.shape[2], y.shape[3], s0, s1, 1)
        blocks = -(-maps // maps_of_tile)
        size = groups * blocks * elements.size * maps_of_tile
        sums = np.zeros((most, size), W.dtype)
        work = x.shape[0] * W.size * y.shape[2] * y.shape[3]
        parts = every_image(x.shape[0], work, (x, y, elements, steps, top, left, height, width, groups, sums))
        for part in range(1, parts):
            for i in range(size):
                sums[0, i] += sums[part, i]
        column = channels_per_group * kh * kw
        for g in range(groups):
            for m in range(maps):
                filters = W[g * maps + m].reshape(-1)
                first = (g * blocks + m // maps_of_tile) * elements.size * maps_of_tile + m % maps_of_tile
                for k in range(column):
                    filters[k] = sums[0, first + k * maps_of_tile]

    return collect
