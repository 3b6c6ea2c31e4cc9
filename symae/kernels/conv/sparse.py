"""Convolution and its gradients at chosen places of the maps, as Numba functions.

Images go through a frame whose channels come last, in which the patch that a filter sees has rows of consecutive numbers (see
`patches`). For each map of an image the places that count are put into a list first. A value of zero adds nothing and is left
out, unless it would meet an infinity or NaN: then every place of the map is listed, as if the maps were there in full.

Settings are strides and dilations as in `convolution`; dilations are 1.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from symae.errors import ShapeError
from symae.kernels.conv.direct import Settings, jit
from symae.kernels.conv.gradients import add_up, is_finite
from symae.kernels.conv.offsets import places_of
from symae.kernels.parallel.parts import Threads, in_parts, parts_for
from symae.kernels.simd.patch import Patch, add_patch, patch_product, sum_patches
from symae.kernels.switches import POSITION, POSITIONS, SIZES, SOME_SIZES

__all__ = ["filter_gradient", "forward", "input_gradient", "places_in"]


@functools.cache
def places_in(place: str) -> Callable[..., Any]:
    """(switches, h, w) -> switches (n, m, places), all of which are places of maps of h by w; raises what `put_at` does."""
    switches_place, shape_place = f"{place}: switches", f"{place}: shape"

    @jit
    def checked(switches: Any, h: Any, w: Any) -> Any:
        n, m, i, j = switches.shape
        if h < 0 or w < 0:
            raise ShapeError(shape_place, SIZES, SOME_SIZES, h, w)
        places = np.ascontiguousarray(switches).reshape((n, m, i * j))
        flat, pixels = places.reshape(-1), h * w
        outside = False
        for k in range(flat.size):
            outside |= (flat[k] < 0) | (flat[k] >= pixels)
        if outside:
            for k in range(flat.size):
                if flat[k] < 0 or flat[k] >= pixels:
                    raise ShapeError(switches_place, POSITION, POSITIONS, flat[k], pixels - 1, h, w)
        return places

    return checked


def _copy(into_frame: bool) -> Callable[..., None]:
    """(image, top, left, width, frame) -> None: between an image and a flat frame with channels last, `width` pixels a row."""

    @jit
    def copy_row(row: Any, line: Any) -> None:
        for j in range(row.size):
            if into_frame:
                line[j] = row[j]
            else:
                row[j] = line[j]

    @jit
    def copy(image: Any, top: Any, left: Any, width: Any, frame: Any) -> None:
        channels, h, w = image.shape
        for i in range(h):
            start = ((top + i) * width + left) * channels
            line = frame[start : start + w * channels]
            if channels == 1:
                copy_row(image[0, i], line)
            else:
                for c in range(channels):
                    copy_row(image[c, i], line[c::channels])

    return copy


_put_last, _take_last = _copy(into_frame=True), _copy(into_frame=False)


@jit
def _listed(values: Any, switches: Any, table: Any, everywhere: Any, dense: Any, listed: Any, places: Any) -> Any:
    """List the values of a map that are not zero and their places; returns how many. With `everywhere`, the whole map."""
    if everywhere:
        dense[:] = 0
        for k in range(values.size):
            dense[switches[k]] += values[k]
        for p in range(table.size):
            listed[p], places[p] = dense[p], table[p]
        return table.size
    count = np.int64(0)
    for k in range(values.size):
        value = values[k]
        listed[count], places[count] = value, table[switches[k]]
        count += np.int64(value != 0)
    return count


@functools.cache
def _repack(patch: Patch, into_rows: bool) -> Callable[..., None]:
    """(filters (m, c, kh, kw), rows) -> None: between filters and the rows that the patches have, flat, zeros between them."""
    wide, high = patch.wide, patch.rows

    @jit
    def repack(W: Any, rows: Any) -> None:
        maps, channels, _, kw = W.shape
        for m in range(maps):
            for c in range(channels):
                for r in range(high):
                    for s in range(kw):
                        at = (m * high + r) * wide + s * channels + c
                        if into_rows:
                            rows[at] = W[m, c, r, s]
                        else:
                            W[m, c, r, s] = rows[at]

    return repack


@functools.cache
def _packed(patch: Patch) -> Callable[..., Any]:
    """Filters (m, c, kh, kw) -> rows as the patches have them, flat."""
    size, repack = patch.rows * patch.wide, _repack(patch, into_rows=True)

    @jit
    def packed(W: Any) -> Any:
        rows = np.zeros(W.shape[0] * size, W.dtype)
        repack(W, rows)
        return rows

    return packed


@functools.cache
def forward(settings: Settings, threads: Threads, patch: Patch) -> Callable[..., Any]:
    """(x, W, switches (n, m, places), top, left, frame height, frame width, rows, columns, y): y becomes the correlation."""
    s0, s1, _, _ = settings
    wide, high = patch.wide, patch.rows
    pack = _packed(patch)
    product = patch_product(patch)

    @jit
    def images(part: Any, parts: Any, arguments: Any) -> None:
        x, filters, switches, table, top, left, height, width, y = arguments
        n, channels = x.shape[0], x.shape[1]
        frame = np.zeros(height * width * channels + wide, x.dtype)
        for b in range(part * n // parts, (part + 1) * n // parts):
            _put_last(x[b], top, left, width, frame)
            for m in range(y.shape[1]):
                switch, out = switches[b, m], y[b, m]
                for k in range(out.size):
                    out[k] = product(filters, m * high * wide, frame, table[switch[k]], width * channels)

    every_image = in_parts(images, threads)

    @jit
    def correlate(
        x: Any, W: Any, switches: Any, top: Any, left: Any, height: Any, width: Any, rows: Any, columns: Any, y: Any
    ) -> None:
        work, channels = y.size * (W.size // max(1, W.shape[0])), x.shape[1]
        table = places_of(height, width, rows, columns, s0 * channels, s1 * channels, 1)
        every_image(x.shape[0], work, (x, pack(W), switches, table, top, left, height, width, y))

    return correlate


@functools.cache
def input_gradient(settings: Settings, threads: Threads, patch: Patch) -> Callable[..., Any]:
    """(W, values (n, m, places), switches, apart, top, left, frame height, frame width, rows, columns, x): x is drawn.

    After a value comes the one that is `apart` from it: where patches overlap, a processor waits for what it has just stored.
    """
    s0, s1, _, _ = settings
    wide, high = patch.wide, patch.rows
    pack = _packed(patch)
    add = add_patch(patch)

    @jit
    def images(part: Any, parts: Any, arguments: Any) -> None:
        filters, everywhere, values, switches, apart, table, top, left, height, width, x = arguments
        n, channels = x.shape[0], x.shape[1]
        frame = np.empty(height * width * channels + wide, x.dtype)
        dense, room = np.empty(table.size, x.dtype), max(table.size, values.shape[2]) + 1
        listed, places = np.empty(room, x.dtype), np.empty(room, np.int64)
        for b in range(part * n // parts, (part + 1) * n // parts):
            frame[:] = 0
            for m in range(values.shape[1]):
                count = _listed(values[b, m], switches[b, m], table, everywhere, dense, listed, places)
                for first in range(min(apart, count)):
                    for k in range(first, count, apart):
                        add(listed[k], filters, m * high * wide, frame, places[k], width * channels)
            _take_last(x[b], top, left, width, frame)

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
        table = places_of(height, width, rows, columns, s0 * channels, s1 * channels, 1)
        every_image(x.shape[0], work, (pack(W), not is_finite(W), values, switches, apart, table, top, left, height, width, x))

    return spread


@functools.cache
def filter_gradient(settings: Settings, threads: Threads, patch: Patch) -> Callable[..., Any]:
    """(x, values (n, m, places), switches, top, left, frame height, frame width, rows, columns, W): W becomes the gradient."""
    s0, s1, _, _ = settings
    wide, high = patch.wide, patch.rows
    unpack = _repack(patch, into_rows=False)
    add = sum_patches(patch)

    @jit
    def images(part: Any, parts: Any, arguments: Any) -> None:
        x, values, switches, table, top, left, height, width, sums = arguments
        n, channels = x.shape[0], x.shape[1]
        frame = np.zeros(height * width * channels + wide, x.dtype)
        dense, room = np.empty(table.size, x.dtype), max(table.size, values.shape[2]) + 1
        listed, places = np.empty(room, x.dtype), np.empty(room, np.int64)
        for b in range(part * n // parts, (part + 1) * n // parts):
            _put_last(x[b], top, left, width, frame)
            everywhere = not is_finite(x[b])
            for m in range(values.shape[1]):
                count = _listed(values[b, m], switches[b, m], table, everywhere, dense, listed, places)
                add(listed, places, count, frame, width * channels, sums[part], m * high * wide)

    every_image, most = in_parts(images, threads), parts_for(threads)

    @jit
    def collect(
        x: Any, values: Any, switches: Any, top: Any, left: Any, height: Any, width: Any, rows: Any, columns: Any, W: Any
    ) -> None:
        work, channels = values.size * (W.size // max(1, W.shape[0])), x.shape[1]
        table = places_of(height, width, rows, columns, s0 * channels, s1 * channels, 1)
        sums, total = np.zeros((most, W.shape[0] * high * wide), W.dtype), np.empty(W.shape[0] * high * wide, W.dtype)
        parts = every_image(x.shape[0], work, (x, values, switches, table, top, left, height, width, sums))
        add_up(sums[:parts], total)
        unpack(W, total)

    return collect
