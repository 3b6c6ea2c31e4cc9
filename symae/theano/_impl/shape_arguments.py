"""Arguments that Theano took in many forms: sizes and shapes as numbers, constants, shared variables or symbols, or None."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor.basic import get_scalar_constant_value

from symae.errors import InputError
from symae.theano._impl.variables import known_type

__all__ = ["in_floats", "last_sizes", "numbers", "size"]


def size(value: Any) -> Any:
    """Return `value` as an int where it is a number or a symbol of known value; other things come back as they are."""
    if isinstance(value, Variable):
        constant = get_scalar_constant_value(value, raise_not_constant=False)
        return value if isinstance(constant, Variable) else int(constant)
    return (
        int(value)
        if isinstance(value, np.integer | np.ndarray) or (isinstance(value, float) and value == int(value))
        else value
    )


def last_sizes(shape: Any, count: int) -> list[Any]:
    """Return the last `count` sizes of a shape, or of a symbolic vector."""
    return [shape[i] if isinstance(shape, Variable) else size(shape[i]) for i in range(-count, 0)]


def numbers(where: str, value: Any, length: int) -> tuple[int, ...]:
    """Return `value`, a number or `length` of them, in a sequence or a constant symbolic vector, as ints.

    Raises
    ------
    InputError
        It has another length, or its values are known only when the graph runs.
    """
    if isinstance(value, Variable):
        known = known_type(value).shape[0] if value.type.ndim == 1 else 0
        entries = [value[i] for i in range(known or 0)] if value.type.ndim else [value] * length
    else:
        several = isinstance(value, list | tuple) or np.ndim(value)
        entries = list(value) if several else [value] * length
    sizes = [size(entry) for entry in entries]
    if len(sizes) != length or not all(isinstance(s, int) and not isinstance(s, bool) for s in sizes):
        raise InputError(where, str(value), f"{length} numbers that are known when the graph is built")
    return tuple(sizes)


def in_floats(op: Callable[[Variable], Variable], x: Any) -> Variable:
    """Compute op(x), where `op` takes floats only: of whole numbers in float64, which holds them exactly, and back again."""
    x = pt.as_tensor(x)
    if x.type.dtype in ("float32", "float64"):
        return op(x)
    return pt.cast(op(pt.cast(x, "float64")), x.type.dtype)
