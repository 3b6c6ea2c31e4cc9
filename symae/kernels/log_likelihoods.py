"""Log-likelihoods of labels under a softmax, and their gradient: rows by threads, exponentials several at a time.

A row may be short, of ten classes say. So its largest score is subtracted first, in all rows, and then all that a thread has is
one vector for the exponential.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from symae.errors import ShapeError
from symae.kernels import tuning
from symae.kernels.compiled_once import compiled_once
from symae.kernels.elementwise import exp, log
from symae.kernels.index_checks import check_range
from symae.kernels.parallel.parts import in_parts, jit


@jit
def _part(part: Any, parts: Any, arguments: Any) -> None:
    """Find the largest score of some rows and the sums of their exponentials, and take the softmax's share from `spread`."""
    a, largest, total, share, spread = arguments
    n, k = a.shape
    first, end = part * n // parts, (part + 1) * n // parts
    powers = np.empty((end - first, k), a.dtype)
    for i in range(first, end):
        top = a[i, 0] if k else a.dtype.type(0)
        for j in range(1, k):
            top = max(top, a[i, j])
        largest[i] = top
        for j in range(k):
            powers[i - first, j] = a[i, j] - top
    flat = powers.reshape(-1)
    for i in range(flat.size):
        flat[i] = exp(flat[i])
    for i in range(first, end):
        added = 0.0
        for j in range(k):
            added += powers[i - first, j]
        total[i] = added
    if spread.size:
        for i in range(first, end):
            rest, of_row = a.dtype.type(share[i]), total[i]
            for j in range(k):
                spread[i, j] -= rest * (powers[i - first, j] / of_row)


_in_parts = in_parts(_part, "large", tuning.NUMBERS_FOR_THREADS[True], tuning.NUMBERS_FOR_AWAKE_THREADS[True])


@compiled_once(jit, contiguous=True)
def log_likelihoods(a: Any, rows: Any, labels: Any, g: Any, result: Any, spread: Any) -> None:
    """Compute result <- log(softmax(a))[rows, labels]; spread <- z - sum(z) softmax(a) unless it is empty.

    z is 0 but for g at the labels. Indices are vectors of int64 within their axes, as long as `result`, or of
    length 1; so is g.
    """
    n = a.shape[0]
    every_row, every_label, every_g = int(rows.size > 1), int(labels.size > 1), int(g.size > 1)
    largest, total, share = np.empty(n, a.dtype), np.empty(n, a.dtype), np.zeros(n if spread.size else 0)
    if spread.size:
        spread[:] = 0
        for number in range(result.size):
            row, label = rows[number * every_row], labels[number * every_label]
            spread[row, label] += g[number * every_g]
            share[row] += g[number * every_g]
    _in_parts(n, a.size, (a, largest, total, share, spread))
    for i in range(n):
        total[i] = log(total[i])
    for number in range(result.size):
        row, label = rows[number * every_row], labels[number * every_label]
        result[number] = (a[row, label] - largest[row]) - total[row]


@jit
def _length(rows: Any, labels: Any) -> int:
    """Return how many entries two vectors of indices name together."""
    if rows.size != labels.size and rows.size != 1 and labels.size != 1:
        raise ShapeError("indexing", "indices of shape ({},) and ({},)", "shapes that broadcast", rows.size, labels.size)
    return int(labels.size if rows.size == 1 else rows.size)


@cache
def of_labels(unsigned_rows: bool, unsigned_labels: bool) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Compile (a, rows, labels) -> log-likelihoods, and (a, rows, labels, g) -> these and the gradient times g."""
    check_rows, check_labels = check_range(1, unsigned_rows), check_range(1, unsigned_labels)

    @jit
    def checked(a: Any, rows: Any, labels: Any) -> Any:
        check_rows(rows, a.shape[0], 0)
        check_labels(labels, a.shape[1], 1)
        return rows.astype(np.int64), labels.astype(np.int64), np.empty(_length(rows, labels), a.dtype)

    @jit
    def likelihoods(a: Any, rows: Any, labels: Any) -> Any:
        a = np.ascontiguousarray(a)
        rows, labels, result = checked(a, rows, labels)
        nothing = np.empty((0, 0), a.dtype)
        log_likelihoods(a, rows, labels, result, result, nothing)
        return result

    @jit
    def with_gradient(a: Any, rows: Any, labels: Any, g: Any) -> Any:
        a = np.ascontiguousarray(a)
        rows, labels, result = checked(a, rows, labels)
        if g.size != result.size and g.size != 1:
            raise ShapeError(
                "log-likelihoods", "weights of shape ({},)", "a shape that broadcasts to ({},)", g.size, result.size
            )
        spread = np.empty(a.shape, a.dtype)
        log_likelihoods(a, rows, labels, np.ascontiguousarray(g), result, spread)
        return result, spread

    return likelihoods, with_gradient
