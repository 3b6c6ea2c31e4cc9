"""Gather from, and scatter to, places in images, as Numba functions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from symae.kernels.pooling import jit
from symae.ops.windows import ShapeError

__all__ = ["put_at", "take_at"]

PLACE, PLACES = "{}", "places from 0 to {}, row * w + column in images of {} x {} pixels"
SIZES, SOME_SIZES = "({}, {})", "sizes of at least 0"


@functools.cache
def put_at(place: str) -> Callable[..., Any]:
    """(values (n, c, i, j), switches (n, c, i, j), h, w) -> images (n, c, h, w), zero where nothing was put."""
    values_place, switches_place, shape_place = f"{place}: pooled", f"{place}: switches", f"{place}: shape"

    @jit
    def put(values: Any, switches: Any, h: Any, w: Any) -> Any:
        n, c, rows, columns = values.shape
        if values.shape != switches.shape:
            a, b, i, j = switches.shape
            raise ShapeError(
                values_place,
                "shape ({}, {}, {}, {})",
                "({}, {}, {}, {}), a value for each window",
                n,
                c,
                rows,
                columns,
                a,
                b,
                i,
                j,
            )
        if h < 0 or w < 0:
            raise ShapeError(shape_place, SIZES, SOME_SIZES, h, w)
        pixels = h * w
        images = np.zeros((n * c, pixels), values.dtype)
        values = np.ascontiguousarray(values).reshape((n * c, rows * columns))
        switches = np.ascontiguousarray(switches).reshape((n * c, rows * columns))
        for m in range(n * c):
            image, value, switch = images[m], values[m], switches[m]
            for k in range(switch.size):
                if switch[k] < 0 or switch[k] >= pixels:
                    raise ShapeError(switches_place, PLACE, PLACES, switch[k], pixels - 1, h, w)
                image[switch[k]] += value[k]
        return images.reshape((n, c, h, w))

    return put


@functools.cache
def take_at(place: str) -> Callable[..., Any]:
    """(images (n, c, h, w), switches (n, c, i, j)) -> values (n, c, i, j)."""
    images_place, switches_place = f"{place}: images", f"{place}: switches"

    @jit
    def take(images: Any, switches: Any) -> Any:
        n, c, rows, columns = switches.shape
        a, b, h, w = images.shape
        if a != n or b != c:
            raise ShapeError(images_place, "shape ({}, {}, {}, {})", "({}, {}, h, w), as many as switches", a, b, h, w, n, c)
        pixels = h * w
        values = np.empty((n * c, rows * columns), images.dtype)
        images = np.ascontiguousarray(images).reshape((n * c, pixels))
        switches = np.ascontiguousarray(switches).reshape((n * c, rows * columns))
        for m in range(n * c):
            image, value, switch = images[m], values[m], switches[m]
            for k in range(switch.size):
                if switch[k] < 0 or switch[k] >= pixels:
                    raise ShapeError(switches_place, PLACE, PLACES, switch[k], pixels - 1, h, w)
                value[k] = image[switch[k]]
        return values.reshape((n, c, rows, columns))

    return take
