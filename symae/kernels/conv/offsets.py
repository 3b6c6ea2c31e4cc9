"""Tables of where a convolution looks in a padded image: where each of its positions begins, and how far from there."""

from __future__ import annotations

from typing import Any

import numpy as np

from symae.kernels.parallel.parts import jit


@jit
def _grid(first: Any, step0: Any, rows: Any, step1: Any, columns: Any, table: Any) -> None:
    """Set table[first + i * columns + j] to i * step0 + j * step1."""
    for i in range(rows):
        for j in range(columns):
            table[first + i * columns + j] = i * step0 + j * step1


@jit
def positions_of(height: Any, width: Any, rows: Any, columns: Any, s0: Any, s1: Any, multiple: Any) -> Any:
    """Return where in the padded image each position of a map begins; the last is repeated up to a multiple."""
    table = np.empty(-(-rows * columns // multiple) * multiple, np.int64)
    _grid(0, s0 * width, rows, s1, columns, table)
    for p in range(rows * columns, table.size):  # none where there is no position at all
        table[p] = table[rows * columns - 1]
    return table


@jit
def elements_of(channels_per_group: Any, kh: Any, kw: Any, height: Any, width: Any, d0: Any, d1: Any, multiple: Any) -> Any:
    """Return how far from there each element of a filter looks; the last is repeated up to a multiple."""
    count = channels_per_group * kh * kw
    table = np.empty(-(-count // multiple) * multiple, np.int64)
    for c in range(channels_per_group):
        _grid(c * kh * kw, d0 * width, kh, d1, kw, table)
        for k in range(c * kh * kw, (c + 1) * kh * kw):
            table[k] += c * height * width
    for k in range(count, table.size):  # none where there is no element at all
        table[k] = table[count - 1]
    return table
