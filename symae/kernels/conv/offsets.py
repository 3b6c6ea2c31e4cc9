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
def positions_of(height: Any, width: Any, rows: Any, columns: Any, s0: Any, s1: Any) -> Any:
    """Return where in the padded image each position of a map begins."""
    table = np.empty(rows * columns, np.int64)
    _grid(0, s0 * width, rows, s1, columns, table)
    return table


@jit
def positions_in_images(images: Any, apart: Any, first: Any, rows: Any, row: Any, columns: Any, column: Any, more: Any) -> Any:
    """Return first + b apart + i row + j column for all of so many images, rows and columns; the last is repeated `more` times.

    That is where each position of the maps begins in padded images, or where its sum belongs.
    """
    count = images * rows * columns
    table = np.empty(count + more, np.int64)
    for b in range(images):
        here = b * rows * columns
        _grid(here, row, rows, column, columns, table)
        for p in range(here, here + rows * columns):
            table[p] += first + b * apart
    for p in range(count, table.size):  # none where there is no position at all
        table[p] = table[count - 1]
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
