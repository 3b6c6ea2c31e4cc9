"""Gather from, and scatter to, positions in images, as Numba functions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from symae.errors import ShapeError
from symae.kernels.pooling import jit

POSITION, POSITIONS = "{}", "positions from 0 to {}, row * w + column in images of {} x {} pixels"
SHAPE, A_VALUE_FOR_EACH = "shape ({}, {}, {}, {})", "({}, {}, {}, {}), a value for each window"
AS_MANY = "({}, {}, h, w), as many as switches"
SIZES, SOME_SIZES = "({}, {})", "sizes of at least 0"


@functools.cache
def as_many_values(where: str) -> Callable[..., None]:
    """Compile (values' shape, switches' shape), which raises ShapeError unless they are the same."""
    values_where = f"{where}: pooled"

    @jit
    def check(values: Any, switches: Any) -> None:
        if values != switches:
            n, c, rows, columns = values
            a, b, i, j = switches
            raise ShapeError(values_where, SHAPE, A_VALUE_FOR_EACH, n, c, rows, columns, a, b, i, j)

    return check


@functools.cache
def as_many_images(where: str) -> Callable[..., None]:
    """Compile (images' shape, switches' shape), which raises ShapeError unless there are as many of both."""
    images_where = f"{where}: images"

    @jit
    def check(images: Any, switches: Any) -> None:
        a, b, h, w = images
        n, c, _, _ = switches
        if a != n or b != c:
            raise ShapeError(images_where, SHAPE, AS_MANY, a, b, h, w, n, c)

    return check


@functools.cache
def put_at(where: str) -> Callable[..., Any]:
    """Compile (values (n, c, i, j), switches (n, c, i, j), h, w) -> images (n, c, h, w), zero where nothing was put."""
    switches_where, shape_where, check = f"{where}: switches", f"{where}: shape", as_many_values(where)

    @jit
    def put(values: Any, switches: Any, h: Any, w: Any) -> Any:
        n, c, rows, columns = values.shape
        check(values.shape, switches.shape)
        if h < 0 or w < 0:
            raise ShapeError(shape_where, SIZES, SOME_SIZES, h, w)
        pixels = h * w
        images = np.zeros((n * c, pixels), values.dtype)
        values = np.ascontiguousarray(values).reshape((n * c, rows * columns))
        switches = np.ascontiguousarray(switches).reshape((n * c, rows * columns))
        for m in range(n * c):
            image, value, switch = images[m], values[m], switches[m]
            for k in range(switch.size):
                if switch[k] < 0 or switch[k] >= pixels:
                    raise ShapeError(switches_where, POSITION, POSITIONS, switch[k], pixels - 1, h, w)
                image[switch[k]] += value[k]
        return images.reshape((n, c, h, w))

    return put


@functools.cache
def take_at(where: str) -> Callable[..., Any]:
    """Compile (images (n, c, h, w), switches (n, c, i, j)) -> values (n, c, i, j)."""
    switches_where, check = f"{where}: switches", as_many_images(where)

    @jit
    def take(images: Any, switches: Any) -> Any:
        n, c, rows, columns = switches.shape
        _, _, h, w = images.shape
        check(images.shape, switches.shape)
        pixels = h * w
        values = np.empty((n * c, rows * columns), images.dtype)
        images = np.ascontiguousarray(images).reshape((n * c, pixels))
        switches = np.ascontiguousarray(switches).reshape((n * c, rows * columns))
        for m in range(n * c):
            image, value, switch = images[m], values[m], switches[m]
            for k in range(switch.size):
                if switch[k] < 0 or switch[k] >= pixels:
                    raise ShapeError(switches_where, POSITION, POSITIONS, switch[k], pixels - 1, h, w)
                value[k] = image[switch[k]]
        return values.reshape((n, c, rows, columns))

    return take
