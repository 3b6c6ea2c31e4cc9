"""Checks of plain arguments, which have nothing of PyTensor in them."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from symae._runtime.memory import physical_memory
from symae.errors import InputError

LARGEST_COUNT = 2**31 - 1  # of units, maps or pixels: more is a slip, and its weights would exceed any memory

AT_ONCE = 1 << 20  # numbers that are looked at together


def is_integer(value: Any) -> bool:
    """Return True if `value` is one of Python's or NumPy's integers, which bools are not."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def integer(where: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """Return `value`, an integer of at least `least` and at most `most`, as an int."""
    if not is_integer(value) or value < least or (most is not None and value > most):
        expected = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise InputError(where, repr(value), f"an integer {expected}")
    return int(value)


def pair(where: str, value: Any, least: int = 1) -> tuple[int, int]:
    """Return `value`, an integer or two of them, as two integers of at least `least`."""
    try:
        entries = value if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) else (value, value)
        first, second = entries
        result = operator.index(first), operator.index(second)
    except (TypeError, ValueError):
        entries, result = (), (least - 1, least - 1)
    if min(result) < least or any(isinstance(entry, bool) for entry in entries):
        raise InputError(where, repr(value), f"an integer of at least {least}, or two of them")
    return result


def checked_count(where: str, value: Any) -> int:
    """Return `value`, one positive integer and not a sequence, as an int."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        raise InputError(where, f"a {type(value).__name__}", "an integer of at least 1")
    return checked_counts(where, value, 1)[0]


def checked_counts(where: str, value: Any, length: int | None = None) -> tuple[int, ...]:
    """Return `value`, one positive integer or several, as a tuple; of `length`, where one number stands for all."""
    entries = (value,) if isinstance(value, int | np.integer) else tuple(value) if isinstance(value, Sequence) else ()
    if len(entries) == 1 and length is not None:
        entries *= length
    whole = all(map(is_integer, entries))
    if not entries or not whole or not all(1 <= v <= LARGEST_COUNT for v in entries):
        one = "an integer of at least 1" if not whole or min(entries, default=0) < 1 else f"an integer up to {LARGEST_COUNT}"
        raise InputError(where, repr(value), one if length == 1 else f"{one}, or a sequence of them")
    if length is not None and len(entries) != length:
        raise InputError(where, repr(value), f"{length} numbers")
    return tuple(int(v) for v in entries)


def flag(where: str, value: Any) -> bool:
    """Return `value` as a bool, and refuse what only counts as True or False."""
    if not isinstance(value, bool | np.bool_):
        raise InputError(where, repr(value), "True or False")
    return bool(value)


def as_numbers(where: str, value: Any, expected: str, dtype: str | None = None) -> np.ndarray:
    """Return `value` as an array; of `dtype`, where that is given, and then C-contiguous, writable and smaller than memory."""
    shape = () if dtype is None else getattr(value, "shape", ())
    if isinstance(shape, tuple) and all(map(is_integer, shape)):
        size, most = math.prod(map(int, shape)) * np.dtype(dtype).itemsize, physical_memory()
        if size > most:
            limit = f"at most {most / 2**30:.1f}, the memory here; symae.training.fit reads larger data in minibatches"
            raise InputError(where, f"{size / 2**30:.1f} GiB as {dtype}", limit)
    try:
        return np.asarray(value) if dtype is None else np.require(value, dtype, ["C", "W"])
    except (TypeError, ValueError) as error:
        raise InputError(where, f"something that is not an array of numbers ({error})", expected) from error


def is_finite(array: np.ndarray) -> bool:
    """Return True if no entry is infinite or NaN."""
    if not array.ndim:
        return bool(np.isfinite(array))
    # a part at a time: an answer for each pixel of many images would be tens of megabytes
    step = max(1, AT_ONCE // max(1, array[:1].size))
    return all(bool(np.isfinite(array[i : i + step]).all()) for i in range(0, len(array), step))


def finite(where: str, array: np.ndarray) -> np.ndarray:
    """Return `array`, whose entries have to be finite numbers."""
    if not is_finite(array):
        raise InputError(where, "NaN or infinite values", "finite numbers")
    return array
