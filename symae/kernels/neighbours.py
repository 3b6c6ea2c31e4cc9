"""Neighbourhoods of images as Numba functions: taken out row by row, and put back."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from symae.errors import ShapeError, WindowError
from symae.geometry.windows import Axis, Windows
from symae.kernels.pooling import geometry, jit, numbers

MATRIX, NEIGHBOURHOODS = "shape ({}, {})", "({}, {}), the neighbourhoods of images ({}, {}, {}, {})"


def table(axis: Axis, mode: str) -> Any:
    """Compile n -> (count, size) pixels of each window, -1 for those outside of the image."""
    size, stride, wrap = axis.size, axis.stride, mode == "wrap_centered"
    constants = numbers(axis)

    @jit
    def pixels(n: Any) -> Any:
        count, before, _, _ = geometry(n, constants)
        index = np.empty((count, size), np.int64)
        for i in range(count):
            for k in range(size):
                at = i * stride - before + k
                if wrap:
                    at = at % n
                index[i, k] = at if 0 <= at < n else -1
        return index

    return pixels


def fits(axis: Axis, mode: str) -> Any:
    """Compile n -> True if images of n pixels are accepted."""
    size, stride, offset = axis.size, axis.stride, axis.offset
    if mode == "ignore_borders":
        return jit(lambda n: n > 0)
    if mode == "wrap_centered":
        return jit(lambda n: n >= size)
    return jit(lambda n: n >= size and (n + offset) % stride == 0)


@functools.cache
def gather(windows: Windows, mode: str, where: str, expected: str) -> Callable[..., Any]:
    """Compile (n, c, h, w) -> (n * c * i * j, p * q), a row for each window."""
    (p, q) = windows.rows.size, windows.columns.size
    row_table, column_table = table(windows.rows, mode), table(windows.columns, mode)
    row_fits, column_fits = fits(windows.rows, mode), fits(windows.columns, mode)

    @jit
    def images2neibs(images: Any) -> Any:
        n, c, h, w = images.shape
        if not (row_fits(h) and column_fits(w)):
            raise WindowError(where, "shape ({}, {}, {}, {})", expected, n, c, h, w)
        rows, columns = row_table(h), column_table(w)
        maps = np.ascontiguousarray(images).reshape((n * c, h, w))
        out = np.zeros((n * c, len(rows), len(columns), p, q), images.dtype)
        for m in range(n * c):
            for i in range(len(rows)):
                for j in range(len(columns)):
                    for k in range(p):
                        r = rows[i, k]
                        if r >= 0:
                            for l in range(q):  # noqa: E741
                                if columns[j, l] >= 0:
                                    out[m, i, j, k, l] = maps[m, r, columns[j, l]]
        return out.reshape((n * c * len(rows) * len(columns), p * q))

    return images2neibs


@functools.cache
def scatter(windows: Windows, mode: str, where: str, expected: str) -> Callable[..., Any]:
    """Compile the transpose of `gather`: (neibs, n, c, h, w) -> (n, c, h, w)."""
    (p, q) = windows.rows.size, windows.columns.size
    row_table, column_table = table(windows.rows, mode), table(windows.columns, mode)
    row_fits, column_fits = fits(windows.rows, mode), fits(windows.columns, mode)
    neibs_where, shape_where = f"{where}: neibs", f"{where}: original_shape"

    @jit
    def neibs2images(neibs: Any, n: Any, c: Any, h: Any, w: Any) -> Any:
        if not (row_fits(h) and column_fits(w)):
            raise WindowError(shape_where, "shape ({}, {}, {}, {})", expected, n, c, h, w)
        rows, columns = row_table(h), column_table(w)
        count = n * c * len(rows) * len(columns)
        if neibs.shape != (count, p * q):
            a, b = neibs.shape
            raise ShapeError(neibs_where, MATRIX, NEIGHBOURHOODS, a, b, count, p * q, n, c, h, w)
        source = np.ascontiguousarray(neibs).reshape((n * c, len(rows), len(columns), p, q))
        out = np.zeros((n * c, h, w), neibs.dtype)
        for m in range(n * c):
            for i in range(len(rows)):
                for j in range(len(columns)):
                    for k in range(p):
                        r = rows[i, k]
                        if r >= 0:
                            for l in range(q):  # noqa: E741
                                if columns[j, l] >= 0:
                                    out[m, r, columns[j, l]] += source[m, i, j, k, l]
        return out.reshape((n, c, h, w))

    return neibs2images
