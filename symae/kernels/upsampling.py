"""Bilinear interpolation as Numba functions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from symae.errors import ShapeError
from symae.geometry.windows import Windows
from symae.kernels.pooling import SHAPE, SOME_PIXELS, Threads, jit, over_maps, spread

Taps = tuple[tuple[float, float, float], ...]


@functools.cache
def repeat(windows: Windows, where: str, threads: Threads, dtype: str) -> Callable[..., Any]:
    """Compile (n, c, h, w) -> (n, c, h * f, w * g), each pixel put everywhere in its window of f by g."""
    f, g = windows.rows.size, windows.columns.size
    put = spread(windows, "one", where, threads, dtype)

    @jit
    def repeat_pixels(images: Any) -> Any:
        n, c, h, w = images.shape
        if h == 0 or w == 0:
            raise ShapeError(where, SHAPE, SOME_PIXELS, n, c, h, w)
        return put(images, h * f, w * g)

    return repeat_pixels


@functools.cache
def interpolate(rows: Taps, columns: Taps, dtype: str, where: str, threads: Threads) -> Callable[..., Any]:
    """Compile (n, c, h, w) -> (n, c, h * f, w * g): row i * f + r is rows i - 1, i and i + 1 weighted by rows[r]."""
    a, b = np.array(rows, dtype), np.array(columns, dtype)
    f, g = len(rows), len(columns)

    @jit
    def one_map(image: Any, out: Any, _: Any) -> None:
        h, w = image.shape
        line = np.empty(w, image.dtype)
        for i in range(h):
            above, this, below = image[max(i - 1, 0)], image[i], image[min(i + 1, h - 1)]
            for r in range(f):
                for j in range(w):
                    line[j] = a[r, 0] * above[j] + a[r, 1] * this[j] + a[r, 2] * below[j]
                target = out[i * f + r]
                for j in range(w):
                    left, middle, right = line[max(j - 1, 0)], line[j], line[min(j + 1, w - 1)]
                    for s in range(g):
                        target[j * g + s] = b[s, 0] * left + b[s, 1] * middle + b[s, 2] * right

    every_map = over_maps(one_map, threads)

    @jit
    def upsample(images: Any) -> Any:
        n, c, h, w = images.shape
        if h == 0 or w == 0:
            raise ShapeError(where, SHAPE, SOME_PIXELS, n, c, h, w)
        out = np.empty((n * c, h * f, w * g), images.dtype)
        every_map(np.ascontiguousarray(images).reshape((n * c, h, w)), out, out)
        return out.reshape((n, c, h * f, w * g))

    return upsample


@functools.cache
def interpolate_transpose(rows: Taps, columns: Taps, dtype: str, where: str, threads: Threads) -> Callable[..., Any]:
    """Compile the transpose of `interpolate`."""
    a, b = np.array(rows, dtype), np.array(columns, dtype)
    f, g = len(rows), len(columns)

    @jit
    def one_map(fine: Any, out: Any, _: Any) -> None:
        h, w = out.shape
        line = np.empty(w, out.dtype)
        out[:] = 0
        for i in range(h):
            above, this, below = out[max(i - 1, 0)], out[i], out[min(i + 1, h - 1)]
            for r in range(f):
                source = fine[i * f + r]
                line[:] = 0
                for j in range(w):
                    for s in range(g):
                        value = source[j * g + s]
                        line[max(j - 1, 0)] += b[s, 0] * value
                        line[j] += b[s, 1] * value
                        line[min(j + 1, w - 1)] += b[s, 2] * value
                for j in range(w):
                    above[j] += a[r, 0] * line[j]
                    this[j] += a[r, 1] * line[j]
                    below[j] += a[r, 2] * line[j]

    every_map = over_maps(one_map, threads)

    @jit
    def transpose(images: Any) -> Any:
        n, c, h, w = images.shape
        if h % f or w % g:
            raise ShapeError(where, "shape ({}, {}, {}, {})", "multiples of ({}, {}) rows and columns", n, c, h, w, f, g)
        out = np.empty((n * c, h // f, w // g), images.dtype)
        every_map(np.ascontiguousarray(images).reshape((n * c, h, w)), out, out)
        return out.reshape((n, c, h // f, w // g))

    return transpose
