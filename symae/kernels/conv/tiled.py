"""Convolution and its gradients by tiles of sums in registers, for many maps; arguments are those of `convolution`.

At the peak of the machine where this was measured, while BLAS, with what it needs to be copied first, takes a third longer.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from symae.kernels.conv import gradients as convolution_gradients
from symae.kernels.conv.direct import Settings, jit, put
from symae.kernels.conv.gradients import is_finite, put_shifted, turn
from symae.kernels.conv.offsets import elements_of, places_of
from symae.kernels.parallel.parts import Threads, in_parts, parts_for
from symae.kernels.simd.register_tile import Tile, add_tile

__all__ = ["correlation", "filter_gradient", "forward", "input_gradient", "packed"]


@functools.cache
def packed(tile: Tile) -> Callable[..., Any]:
    """(matrix, target, where): rows of a matrix, one for each map, become blocks of columns, one tile's maps beside each other.

    Maps that are missing in the last block are zero: nobody looks at their sums.
    """
    wide = tile.maps

    @jit
    def pack(matrix: Any, target: Any, first: Any) -> None:
        maps, length = matrix.shape
        for block in range(-(-maps // wide)):
            here = min(wide, maps - block * wide)
            start = first + block * wide * length
            for k in range(length):
                row = target[start + k * wide : start + (k + 1) * wide]
                for m in range(here):
                    row[m] = matrix[block * wide + m, k]
                row[here:] = 0

    return pack


@functools.cache
def correlation(tile: Tile) -> Callable[..., Any]:
    """(weights, where, image, where, places, steps, sums, out): all maps of a group of an image; `out` is (maps, places)."""
    add = add_tile(tile)
    wide, many = tile.maps, tile.places

    @jit
    def correlate(weights: Any, first: Any, image: Any, pixel: Any, places: Any, steps: Any, sums: Any, out: Any) -> None:
        maps, length = out.shape
        for block in range(-(-maps // wide)):
            here = min(wide, maps - block * wide)
            start = first + block * wide * steps.size
            for p in range(0, places.size, many):
                sums[:] = 0
                add(weights, start, image, pixel, places, p, steps, steps.size, sums, 0)
                for m in range(here):
                    row = out[block * wide + m, p:]
                    for q in range(min(many, length - p)):
                        row[q] = sums[q * wide + m]

    return correlate


@functools.cache
def forward(settings: Settings, threads: Threads, tile: Tile) -> Callable[..., Any]:
    """(x, W, top, left, frame height, frame width, groups, y): y becomes the correlation."""
    s0, s1, d0, d1 = settings
    pack, correlate_group = packed(tile), correlation(tile)
    wide, many = tile.maps, tile.places

    @jit
    def images(part: Any, parts: Any, arguments: Any) -> None:
        x, weights, places, steps, top, left, height, width, groups, y = arguments
        n, channels, maps = x.shape[0], x.shape[1], y.shape[1] // groups
        own = channels // groups
        frame, sums = np.zeros((channels, height, width), x.dtype), np.empty(wide * many, x.dtype)
        for b in range(part * n // parts, (part + 1) * n // parts):
            put(x[b], top, left, frame)
            for g in range(groups):
                out = y[b, g * maps : (g + 1) * maps].reshape(maps, y.shape[2] * y.shape[3])
                first = g * (weights.size // groups)
                correlate_group(weights, first, frame.reshape(-1), g * own * height * width, places, steps, sums, out)

    every_image = in_parts(images, threads)

    @jit
    def correlate(x: Any, W: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, y: Any) -> None:
        maps, own, kh, kw = W.shape[0] // groups, W.shape[1], W.shape[2], W.shape[3]
        column = own * kh * kw
        block = -(-maps // wide) * wide * column
        weights = np.empty(groups * block, W.dtype)
        for g in range(groups):
            pack(W[g * maps : (g + 1) * maps].reshape(maps, column), weights, g * block)
        places = places_of(height, width, y.shape[2], y.shape[3], s0, s1, many)
        steps = elements_of(own, kh, kw, height, width, d0, d1, 1)
        work = x.shape[0] * W.size * y.shape[2] * y.shape[3]
        every_image(x.shape[0], work, (x, weights, places, steps, top, left, height, width, groups, y))

    return correlate


@functools.cache
def input_gradient(settings: Settings, threads: Threads, tile: Tile) -> Callable[..., Any]:
    """(W, y, top, left, frame height, frame width, groups, x): x becomes the transposed correlation, without a stride."""
    _, _, d0, d1 = settings
    pack, correlate_group = packed(tile), correlation(tile)
    wide, many = tile.maps, tile.places
    exact = convolution_gradients.input_gradient(settings, "never", None)

    @jit
    def images(part: Any, parts: Any, arguments: Any) -> None:
        y, weights, places, steps, down, right, height, width, groups, x = arguments
        n, maps, own = x.shape[0], y.shape[1] // groups, x.shape[1] // groups
        frame, sums = np.zeros((y.shape[1], height, width), x.dtype), np.empty(wide * many, x.dtype)
        for b in range(part * n // parts, (part + 1) * n // parts):
            put_shifted(y[b], down, right, frame)
            for g in range(groups):
                out = x[b, g * own : (g + 1) * own].reshape(own, x.shape[2] * x.shape[3])
                first = g * (weights.size // groups)
                correlate_group(weights, first, frame.reshape(-1), g * maps * height * width, places, steps, sums, out)

    every_image = in_parts(images, threads)

    @jit
    def spread(W: Any, y: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, x: Any) -> None:
        if not is_finite(W):  # an infinite weight would meet the zeros around the maps
            exact(W, y, top, left, height, width, groups, x)
            return
        maps, own, kh, kw = W.shape[0] // groups, W.shape[1], W.shape[2], W.shape[3]
        reach0, reach1 = (kh - 1) * d0, (kw - 1) * d1
        column = maps * kh * kw
        block = -(-own // wide) * wide * column
        filters, weights = turn(W, groups), np.empty(groups * block, W.dtype)
        for g in range(groups):
            pack(filters[g * own : (g + 1) * own].reshape(own, column), weights, g * block)
        inner, outer = x.shape[2] + reach0, x.shape[3] + reach1
        places = places_of(inner, outer, x.shape[2], x.shape[3], 1, 1, many)
        steps = elements_of(maps, kh, kw, inner, outer, d0, d1, 1)
        work = x.shape[0] * W.size * y.shape[2] * y.shape[3]
        every_image(x.shape[0], work, (y, weights, places, steps, reach0 - top, reach1 - left, inner, outer, groups, x))

    return spread


@functools.cache
def filter_gradient(settings: Settings, threads: Threads, tile: Tile) -> Callable[..., Any]:
    """(x, y, top, left, frame height, frame width, groups, W): W becomes the gradient with respect to the filters."""
    s0, s1, d0, d1 = settings
    pack, add = packed(tile), add_tile(tile)
    wide, many = tile.maps, tile.places

    @jit
    def images(part: Any, parts: Any, arguments: Any) -> None:
        """Add what one part of the images says to its own sums: (groups, blocks of maps, elements, maps of a block)."""
        x, y, elements, steps, top, left, height, width, groups, every_sum = arguments
        n, channels, maps = x.shape[0], x.shape[1], y.shape[1] // groups
        own, blocks = channels // groups, -(-maps // wide)
        length = y.shape[2] * y.shape[3]
        frame, sums = np.zeros((channels, height, width), x.dtype), every_sum[part]
        flat, values = frame.reshape(-1), np.empty(blocks * wide * length, y.dtype)
        for b in range(part * n // parts, (part + 1) * n // parts):
            put(x[b], top, left, frame)
            for g in range(groups):
                pack(y[b, g * maps : (g + 1) * maps].reshape(maps, length), values, 0)
                pixel = g * own * height * width
                for block in range(blocks):
                    first = (g * blocks + block) * elements.size * wide
                    for k in range(0, elements.size, many):
                        add(values, block * wide * length, flat, pixel, elements, k, steps, length, sums, first + k * wide)

    every_image, most = in_parts(images, threads), parts_for(threads)

    @jit
    def collect(x: Any, y: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, W: Any) -> None:
        maps, own, kh, kw = W.shape[0] // groups, W.shape[1], W.shape[2], W.shape[3]
        elements = elements_of(own, kh, kw, height, width, d0, d1, many)
        steps = places_of(height, width, y.shape[2], y.shape[3], s0, s1, 1)
        blocks = -(-maps // wide)
        size = groups * blocks * elements.size * wide
        sums = np.zeros((most, size), W.dtype)
        work = x.shape[0] * W.size * y.shape[2] * y.shape[3]
        parts = every_image(x.shape[0], work, (x, y, elements, steps, top, left, height, width, groups, sums))
        for part in range(1, parts):
            for i in range(size):
                sums[0, i] += sums[part, i]
        column = own * kh * kw
        for g in range(groups):
            for m in range(maps):
                filters = W[g * maps + m].reshape(-1)
                first = (g * blocks + m // wide) * elements.size * wide + m % wide
                for k in range(column):
                    filters[k] = sums[0, first + k * wide]

    return collect
