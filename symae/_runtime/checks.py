"""Checks of plain arguments, which have nothing of PyTensor in them."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from symae.errors import InputError

__all__ = ["flag", "pair"]


def pair(place: str, value: Any, least: int = 1) -> tuple[int, int]:
    """Return `value`, an integer or two of them, as two integers of at least `least`."""
    try:
        entries = value if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) else (value, value)
        first, second = entries
        result = operator.index(first), operator.index(second)
    except (TypeError, ValueError):
        entries, result = (), (least - 1, least - 1)
    if min(result) < least or any(isinstance(entry, bool) for entry in entries):
        raise InputError(place, repr(value), f"an integer of at least {least}, or two of them")
    return result


def flag(place: str, value: Any) -> bool:
    """Return `value` as a bool, and refuse what only counts as True or False."""
    if not isinstance(value, bool | np.bool_):
        raise InputError(place, repr(value), "True or False")
    return bool(value)
