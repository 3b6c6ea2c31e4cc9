"""Bias and rectifier, and their gradients, as Numba functions: one pass over memory each, which is what limits them.

In place, what is read and what is written are one array by name: LLVM makes no vectors for two that turn out to overlap. Maps,
which may be short, have loops of vectors of their own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symae.errors import ShapeError
from symae.kernels import tuning
from symae.kernels.conv.direct import jit
from symae.kernels.parallel.parts import Threads, in_parts, parts_for, threads_for
from symae.kernels.simd.rectified_map import rectified_gradient_map, rectified_map
from symae.kernels.simd.vectors import vector_registers


def threads_for_values(shape: Sequence[int | None]) -> Threads:
    """Return when to use threads for arrays of a shape."""
    return threads_for(shape, tuning.VALUES_FOR_THREADS)


@jit
def _share(part: Any, parts: Any, n: Any) -> Any:
    return part * n // parts, (part + 1) * n // parts


@jit
def _check_rows(x: Any, b: Any) -> None:
    if x.shape[1] != b.size:
        raise ShapeError(
            "rectified", "{} biases", "{}, one for each map of ({}, {})", b.size, x.shape[1], x.shape[0], x.shape[1]
        )


@jit
def _check_maps(x: Any, b: Any) -> None:
    n, c, h, w = x.shape
    if c != b.size:
        raise ShapeError("rectified", "{} biases", "{}, one for each map of ({}, {}, {}, {})", b.size, c, n, c, h, w)


def _lanes(itemsize: int) -> int:
    """Return how many numbers of a map are a vector."""
    return (vector_registers().size or 16) // itemsize


@functools.cache
def rectify(ndim: int, itemsize: int, threads: Threads, inplace: bool) -> Callable[..., Any]:
    """Compile (x, b) -> max(x + b, 0), in x's memory if `inplace`."""
    of_map = rectified_map(_lanes(itemsize))

    @jit
    def rows(part: Any, parts: Any, arguments: Any) -> None:
        x, b, y = arguments
        zero = x.dtype.type(0)
        first, end = _share(part, parts, x.shape[0])
        for i in range(first, end):
            out = y[i].reshape(-1)
            seen = out if inplace else x[i].reshape(-1)
            for j in range(out.size):
                value = seen[j] + b[j]
                out[j] = zero if value <= zero else value

    @jit
    def maps(part: Any, parts: Any, arguments: Any) -> None:
        x, b, y = arguments
        made, size = y.reshape(-1), x.shape[2] * x.shape[3]
        seen = made if inplace else x.reshape(-1)
        first, end = _share(part, parts, x.shape[0])
        for i in range(first, end):
            for c in range(b.size):
                of_map(seen, b[c], made, (i * b.size + c) * size, size)

    everywhere = in_parts(rows if ndim == 2 else maps, threads, tuning.VALUES_FOR_THREADS)
    check = _check_rows if ndim == 2 else _check_maps

    @jit
    def rectified(x: Any, b: Any) -> Any:
        check(x, b)
        seen = np.ascontiguousarray(x)
        y = seen if inplace else np.empty_like(seen)
        everywhere(x.shape[0], x.size, (seen, b, y))
        return y

    return rectified


@functools.cache
def rectify_gradient(ndim: int, itemsize: int, threads: Threads, inplace: bool) -> Callable[..., Any]:
    """Compile (y, g) -> g where y is positive, in g's memory if `inplace`, and its sum over each map."""
    of_map = rectified_gradient_map(_lanes(itemsize))

    @jit
    def rows(part: Any, parts: Any, arguments: Any) -> None:
        y, g, gx, sums = arguments
        zero, total = y.dtype.type(0), sums[part]
        first, end = _share(part, parts, y.shape[0])
        for i in range(first, end):
            seen, out = y[i].reshape(-1), gx[i].reshape(-1)
            given = out if inplace else g[i].reshape(-1)
            for j in range(out.size):
                value = zero if seen[j] <= zero else given[j]
                out[j] = value
                total[j] += value

    @jit
    def maps(part: Any, parts: Any, arguments: Any) -> None:
        y, g, gx, sums = arguments
        totals, seen, made, size = sums[part], y.reshape(-1), gx.reshape(-1), y.shape[2] * y.shape[3]
        given = made if inplace else g.reshape(-1)
        first, end = _share(part, parts, y.shape[0])
        for i in range(first, end):
            for c in range(y.shape[1]):
                totals[c] += of_map(seen, given, made, (i * y.shape[1] + c) * size, size)

    everywhere, most = in_parts(rows if ndim == 2 else maps, threads, tuning.VALUES_FOR_THREADS), parts_for(threads)

    @jit
    def gradient(y: Any, g: Any) -> Any:
        given = np.ascontiguousarray(g)
        gx = given if inplace else np.empty_like(given)
        # sums of many maps' sums, so in double precision
        sums = np.zeros((most, y.shape[1]), np.float64)
        everywhere(y.shape[0], y.size, (np.ascontiguousarray(y), given, gx, sums))
        gb = np.empty(y.shape[1], y.dtype)
        for c in range(gb.size):
            gb[c] = sums[:, c].sum()
        return gx, gb

    return gradient
