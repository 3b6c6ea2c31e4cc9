"""The gradient of a strided convolution with respect to the images, element by element of the filters, for many maps.

Each element of the filters adds what all maps say at its positions to the pixels that it sees there:

    x[b, c, i s + r - top, j t + q - left] += sum_m y[b, m, i, j] * W[m, c, r, q]

Positions at which an element sees nothing but padding are left out, where phases (`polyphase`) would multiply by zeros; of maps
of 3 x 3 with filters of 3 x 3 and a stride of 2 that is a third. Nothing is copied before, but the sums of a tile are read and
written for each element. Arguments are those of `gradients.input_gradient`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symae.kernels.compiled_once import each_compiled_once
from symae.kernels.conv.direct import Settings, jit
from symae.kernels.conv.offsets import positions_in_images
from symae.kernels.conv.tiled import together
from symae.kernels.parallel.parts import Threads, in_parts
from symae.kernels.simd.rectangles import transposed
from symae.kernels.simd.register_tile import Tile, add_tile


@jit
def _seen(element: Any, before: Any, stride: Any, size: Any, positions: Any) -> Any:
    """Return the first position at which an element of the filters sees a pixel, and the number of all, along one axis."""
    first = max(0, -(-(before - element) // stride))
    last = min(positions - 1, (size - 1 + before - element) // stride)
    return first, max(0, last - first + 1)


@each_compiled_once
def input_gradient(settings: Settings, threads: Threads, tile: Tile) -> Callable[..., Any]:
    """Return a function (W, y, top, left, padded height, padded width, groups, x) that makes x the transpose, by tiles."""
    s0, s1, _, _ = settings
    add, transpose = add_tile(tile), transposed(tile.lanes)
    maps_of_tile, n_positions = tile.maps, tile.positions

    @jit
    def tables(
        images: Any, x: Any, y: Any, kh: Any, kw: Any, top: Any, left: Any, begin: Any, positions: Any, pixels: Any
    ) -> None:
        """Fill in where each element's positions begin in the two tables, of the maps' numbers and of the pixels seen there."""
        (_, maps, rows, columns), (_, _, h, w) = y, x
        begin[0] = 0
        for r in range(kh):
            i, height = _seen(r, top, s0, h, rows)
            for s in range(kw):
                j, width = _seen(s, left, s1, w, columns)
                p = r * kw + s
                a, b, corner = (
                    begin[p],
                    begin[p] + images * height * width + n_positions,
                    (i * s0 + r - top) * w + j * s1 + s - left,
                )
                begin[p + 1] = b
                positions[a:b] = positions_in_images(
                    images, maps * rows * columns, i * columns + j, height, columns, width, 1, n_positions
                )
                pixels[a:b] = positions_in_images(images, h * w, corner, height, s0 * w, width, s1, n_positions)

    @jit
    def images(part: Any, parts: Any, arguments: Any) -> None:
        y, weights, steps, kh, kw, top, left, groups, at_once, x = arguments
        n, maps, channels, area = x.shape[0], y.shape[1] // groups, x.shape[1] // groups, x.shape[2] * x.shape[3]
        seen, blocks, elements, out = y.reshape(-1), -(-channels // maps_of_tile), kh * kw, x.reshape(-1)
        begin, size = np.empty(elements + 1, np.int64), elements * (at_once * steps[1] + n_positions)
        positions, pixels = np.empty(size, np.int64), np.empty(size, np.int64)
        sums, filled, end = np.empty(at_once * area * maps_of_tile, x.dtype), 0, (part + 1) * n // parts
        for first in range(part * n // parts, end, at_once):
            count = min(at_once, end - first)
            if count != filled:
                tables(count, x.shape, y.shape, kh, kw, top, left, begin, positions, pixels)
                filled = count
            for g in range(groups):
                for block in range(blocks):
                    here = min(maps_of_tile, channels - block * maps_of_tile)
                    sums[:] = 0
                    for p in range(elements):
                        row = ((g * blocks + block) * elements + p) * maps * maps_of_tile
                        for q in range(begin[p], begin[p + 1] - n_positions, n_positions):
                            map_ = (first * groups + g) * maps * steps[1]
                            add(weights, row, seen, map_, positions, pixels, q, steps, 0, maps, sums, 0, False)
                    for b in range(count):
                        result = (((first + b) * groups + g) * channels + block * maps_of_tile) * area
                        transpose(sums, b * area * maps_of_tile, maps_of_tile, area, here, out, result, area)

    every_image = in_parts(images, threads)

    @jit
    def spread(W: Any, y: Any, top: Any, left: Any, height: Any, width: Any, groups: Any, x: Any) -> None:
        maps, channels, kh, kw = W.shape[0] // groups, W.shape[1], W.shape[2], W.shape[3]
        blocks, elements = -(-channels // maps_of_tile), kh * kw
        weights = np.zeros(groups * blocks * elements * maps * maps_of_tile, W.dtype)
        for g in range(groups):
            for o in range(maps):
                for c in range(channels):
                    block, lane = c // maps_of_tile, c % maps_of_tile
                    for r in range(kh):
                        for s in range(kw):
                            row = ((g * blocks + block) * elements + r * kw + s) * maps + o
                            weights[row * maps_of_tile + lane] = W[g * maps + o, c, r, s]
        steps = np.arange(max(2, maps)) * (y.shape[2] * y.shape[3])
        work = x.shape[0] * W.size * y.shape[2] * y.shape[3]
        at_once = together(y.shape[2] * y.shape[3])
        every_image(x.shape[0], work, (y, weights, steps, kh, kw, top, left, groups, at_once, x))

    return spread
