"""Convolution and its gradients at chosen positions of the maps, as Numba functions.

Images are padded with their channels last: the patch that a filter sees has rows of consecutive numbers there (`simd.patch`).
For each map of an image the positions that count are put into a list first. A value of zero adds nothing and is left out,
unless it would meet an infinity or NaN: then every position of the map is listed, as if the maps were there in full.

Settings are strides and dilations as in `direct`; dilations are 1.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from symae.errors import ShapeError
from symae.kernels.compiled_once import each_compiled_once
from symae.kernels.conv.direct import Settings, jit
from symae.kernels.conv.gradients import add_up, is_finite
from symae.kernels.conv.offsets import positions_of
from symae.kernels.parallel.parts import Threads, in_parts, parts_for
from symae.kernels.simd.patch import Patch, add_patch, patch_product, sum_patches
from symae.kernels.switches import POSITION, POSITIONS, SIZES, SOME_SIZES


@functools.cache
def positions_in(where: str) -> Callable[..., Any]:
    """Return a function (switches, h, w) -> switches (n, m, positions), all in maps of h by w; it raises what `put_at` does."""
    where_switches, where_shape = f"{where}: switches", f"{where}: shape"

    @jit
    def checked(switches: Any, h: Any, w: Any) -> Any:
        n, m, i, j = switches.shape
        if h < 0 or w < 0:
            raise ShapeError(where_shape, SIZES, SOME_SIZES, h, w)
        positions = np.ascontiguousarray(switches).reshape((n, m, i * j))
        flat, pixels = positions.reshape(-1), h * w
        outside = False
        for k in range(flat.size):
            outside |= (flat[k] < 0) | (flat[k] >= pixels)
        if outside:
            for k in range(flat.size):
                if flat[k] < 0 or flat[k] >= pixels:
                    raise ShapeError(where_switches, POSITION, POSITIONS, flat[k], pixels - 1, h, w)
        return positions

    return checked


def _copy(into_padded: bool) -> Callable[..., None]:
    """Return a function (image, top, left, width, padded): between an image and a flat one with channels last."""

    @jit
    def copy_row(row: Any, line: Any) -> None:
        for j in range(row.size):
            if into_padded:
                line[j] = row[j]
            else:
                row[j] = line[j]

    @jit
    def copy(image: Any, top: Any, left: Any, width: Any, padded: Any) -> None:
        channels, h, w = image.shape
        for i in range(h):
            start = ((top + i) * width + left) * channels
            line = padded[start : start + w * channels]
            if channels == 1:
                copy_row(image[0, i], line)
            else:
                for c in range(channels):
                    copy_row(image[c, i], line[c::channels])

    return copy


_put_last, _take_last = _copy(into_padded=True), _copy(into_padded=False)


@jit
def _listed(values: Any, switches: Any, table: Any, everywhere: Any, dense: Any, listed: Any, positions: Any) -> Any:
    """List the values of a map that are not zero and their positions; return how many. With `everywhere`, the whole map."""
    if everywhere:
        dense[:] = 0
        for k in range(values.size):
            dense[switches[k]] += values[k]
        for p in range(table.size):
            listed[p], positions[p] = dense[p], table[p]
        return table.size
    count = np.int64(0)
    for k in range(values.size):
        value = values[k]
        listed[count], positions[count] = value, table[switches[k]]
        count += np.int64(value != 0)
    return count


@functools.cache
def _repack(patch: Patch, into_rows: bool) -> Callable[..., None]:
    """Return a function (filters (m, c, kh, kw), rows): between filters and the rows of patches, flat, zeros between them."""
    row_width, patch_rows = patch.width, patch.rows

    @jit
    def repack(W: Any, rows: Any) -> None:
        maps, channels, _, kw = W.shape
        for m in range(maps):
            for c in range(channels):
                for r in range(patch_rows):
                    for s in range(kw):
                        at = (m * patch_rows + r) * row_width + s * channels + c
                        if into_rows:
                            rows[at] = W[m, c, r, s]
                        else:
                            W[m, c, r, s] = rows[at]

    return repack


@functools.cache
def _packed(patch: Patch) -> Callable[..., Any]:
    """Return a function that makes rows as patches have them, flat, of filters (m, c, kh, kw)."""
    size, repack = patch.rows * patch.width, _repack(patch, into_rows=True)

    @jit
    def packed(W: Any) -> Any:
        rows = np.zeros(W.shape[0] * size, W.dtype)
        repack(W, rows)
        return rows

    return packed


@each_compiled_once
def forward(settings: Settings, threads: Threads, patch: Patch) -> Callable[..., Any]:
    """Return a function (x, W, switches, top, left, padded height, width, rows, columns, y) that makes y the correlation."""
    s0, s1, _, _ = settings
    row_width, patch_rows = patch.width, patch.rows
    pack = _packed(patch)
    product = patch_product(patch)

    @jit
    def images(part: Any, parts: Any, arguments: Any) -> None:
        x, filters, switches, table, top, left, height, width, y = arguments
        n, channels = x.shape[0], x.shape[1]
        padded = np.zeros(height * width * channels + row_width, x.dtype)
        for b in range(part * n // parts, (part + 1) * n // parts):
            _put_last(x[b], top, left, width, padded)
            for m in range(y.shape[1]):
                switch, out = switches[b, m], y[b, m]
                for k in range(out.size):
                    out[k] = product(filters, m * patch_rows * row_width, padded, table[switch[k]], width * channels)

    every_image = in_parts(images, threads)

    @jit
    def correlate(
        x: Any, W: Any, switches: Any, top: Any, left: Any, height: Any, width: Any, rows: Any, columns: Any, y: Any
    ) -> None:
        work, channels = y.size * (W.size // max(1, W.shape[0])), x.shape[1]
        table = positions_of(height, width, rows, columns, s0 * channels, s1 * channels)
        every_image(x.shape[0], work, (x, pack(W), switches, table, top, left, height, width, y))

    return correlate


@each_compiled_once
def input_gradient(settings: Settings, threads: Threads, patch: Patch) -> Callable[..., Any]:
    """Return a function (W, values, switches, apart, top, left, padded height, width, rows, columns, x) that draws x.

    After a value comes the one that is `apart` from it: where patches overlap, a processor waits for what it has just stored.
    """
    s0, s1, _, _ = settings
    row_width, patch_rows = patch.width, patch.rows
    pack = _packed(patch)
    add = add_patch(patch)

    @jit
    def images(part: Any, parts: Any, arguments: Any) -> None:
        filters, everywhere, values, switches, apart, table, top, left, height, width, x = arguments
        n, channels = x.shape[0], x.shape[1]
        padded = np.empty(height * width * channels + row_width, x.dtype)
        dense, room = np.empty(table.size, x.dtype), max(table.size, values.shape[2]) + 1
        listed, positions = np.empty(room, x.dtype), np.empty(room, np.int64)
        for b in range(part * n // parts, (part + 1) * n // parts):
            padded[:] = 0
            for m in range(values.shape[1]):
                count = _listed(values[b, m], switches[b, m], table, everywhere, dense, listed, positions)
                for first in range(min(apart, count)):
                    for k in range(first, count, apart):
                        add(listed[k], filters, m * patch_rows * row_width, padded, positions[k], width * channels)
            _take_last(x[b], top, left, width, padded)

    every_image = in_parts(images, threads)

    @jit
    def spread(
        W: Any,
        values: Any,
        switches: Any,
        apart: Any,
        top: Any,
        left: Any,
        height: Any,
        width: Any,
        rows: Any,
        columns: Any,
        x: Any,
    ) -> None:
        work, channels = values.size * (W.size // max(1, W.shape[0])), x.shape[1]
        table = positions_of(height, width, rows, columns, s0 * channels, s1 * channels)
        every_image(x.shape[0], work, (pack(W), not is_finite(W), values, switches, apart, table, top, left, height, width, x))

    return spread


@each_compiled_once
def filter_gradient(settings: Settings, threads: Threads, patch: Patch) -> Callable[..., Any]:
    """Return a function (x, values, switches, top, left, padded height, width, rows, columns, W) that makes W the gradient."""
    s0, s1, _, _ = settings
    row_width, patch_rows = patch.width, patch.rows
    unpack = _repack(patch, into_rows=False)
    add = sum_patches(patch)

    @jit
    def images(part: Any, parts: Any, arguments: Any) -> None:
        x, values, switches, table, top, left, height, width, sums = arguments
        n, channels = x.shape[0], x.shape[1]
        padded = np.zeros(height * width * channels + row_width, x.dtype)
        dense, room = np.empty(table.size, x.dtype), max(table.size, values.shape[2]) + 1
        listed, positions = np.empty(room, x.dtype), np.empty(room, np.int64)
        for b in range(part * n // parts, (part + 1) * n // parts):
            _put_last(x[b], top, left, width, padded)
            everywhere = not is_finite(x[b])
            for m in range(values.shape[1]):
                count = _listed(values[b, m], switches[b, m], table, everywhere, dense, listed, positions)
                add(listed, positions, count, padded, width * channels, sums[part], m * patch_rows * row_width)

    every_image, most = in_parts(images, threads), parts_for(threads)

    @jit
    def collect(
        x: Any, values: Any, switches: Any, top: Any, left: Any, height: Any, width: Any, rows: Any, columns: Any, W: Any
    ) -> None:
        work, channels = values.size * (W.size // max(1, W.shape[0])), x.shape[1]
        table = positions_of(height, width, rows, columns, s0 * channels, s1 * channels)
        size = W.shape[0] * patch_rows * row_width
        sums, total = np.zeros((most, size), W.dtype), np.empty(size, W.dtype)
        parts = every_image(x.shape[0], work, (x, values, switches, table, top, left, height, width, sums))
        add_up(sums[:parts], total)
        unpack(W, total)

    return collect
