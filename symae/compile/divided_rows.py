"""Along which axis the arrays of a program have a minibatch's rows, and which of its equations sum over these.

That is followed from the inputs on, by what equations of JAX do with axes. What is not known, or guessed wrongly, costs time
and changes no result: who uses it decides where a sum is made, not what is summed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

Shape = tuple[int, ...]


def sums_rows(written: Any, rows: Sequence[int | None]) -> list[int | None] | None:
    """Return along which axis each input of an equation is divided if it adds up their rows, else None.

    `rows` are the axes along which they have the rows, as far as that is known.
    """
    name, settings = written.primitive.name, written.params
    if name == "reduce_sum" and rows[0] in settings["axes"]:
        return list(rows)
    if name == "dot_general":
        contracted, _ = settings["dimension_numbers"]
        for pair in zip(*contracted, strict=True):
            if _agree(pair, rows):
                return list(pair)
    if name == "conv_general_dilated" and settings["feature_group_count"] == settings["batch_group_count"] == 1:
        numbers = settings["dimension_numbers"]
        pair = numbers.lhs_spec[1], numbers.rhs_spec[1]
        if _agree(pair, rows):
            return list(pair)
    return None


def _agree(axes: Sequence[int], rows: Sequence[int | None]) -> bool:
    """Return whether the rows lie along `axes`, in one array at least, and in none along another axis."""
    return any(row is not None for row in rows) and all(row in (None, axis) for axis, row in zip(axes, rows, strict=True))


def rows_after(written: Any, shapes: Sequence[Shape], rows: Sequence[int | None], shape: Shape, parts: int) -> int | None:
    """Return along which axis an output of `shape` has the rows, if that is known and `parts` divide it."""
    found = [_moved(written, number, shapes, row, shape) for number, row in enumerate(rows) if row is not None]
    axis = next((axis for axis in found if axis is not None), None)
    return axis if axis is not None and axis < len(shape) and shape[axis] % parts == 0 else None


def _moved(written: Any, number: int, shapes: Sequence[Shape], row: int, shape: Shape) -> int | None:
    """Return where axis `row` of input `number` is in an output of `shape`."""
    name, settings, before = written.primitive.name, written.params, shapes[number]
    if name == "broadcast_in_dim":
        return int(settings["broadcast_dimensions"][row])
    if name == "transpose":
        return int(settings["permutation"].index(row))
    if name == "reshape":
        return _reshaped(before, row, shape)
    if name == "squeeze" or name.startswith(("reduce_", "arg")):
        gone = settings.get("axes", settings.get("dimensions", ()))
        return None if row in gone else row - sum(axis < row for axis in gone)
    if name == "dot_general":
        contracted, batch = settings["dimension_numbers"]
        if row in batch[number]:
            return int(batch[number].index(row))
        left = [axis for axis in range(len(before)) if axis not in (*contracted[number], *batch[number])]
        others = 0 if number == 0 else len(shapes[0]) - len(contracted[0]) - len(batch[0])
        return len(batch[0]) + others + left.index(row) if row in left else None
    if name == "conv_general_dilated":
        numbers = settings["dimension_numbers"]
        return int(numbers.out_spec[0]) if number == 0 and row == numbers.lhs_spec[0] else None
    # one number for each, windows of each image, and all else that leaves its axes where they are
    return row if row < len(shape) and shape[row] == before[row] else None


def _reshaped(before: Shape, row: int, shape: Shape) -> int | None:
    """Return the axis that begins where axis `row` has begun: its rows follow one another as they did."""
    for axis, size in enumerate(shape):
        small, large = sorted((size, before[row]))
        if small and large % small == 0 and math.prod(shape[:axis]) == math.prod(before[:row]):
            return axis
    return None
