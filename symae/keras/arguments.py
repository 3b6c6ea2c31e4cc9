"""What the methods of a Keras-style model are given, checked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable
from pytensor.tensor.type import TensorType

from symae.errors import InputError
from symae.training.streams import SLICED, is_outside


def listed(where: str, given: Variable | Sequence[Variable]) -> tuple[list[Variable], bool]:
    """Return `given` as a list, and True if it was one variable; each is an array with an entry for each example."""
    one = not isinstance(given, list | tuple)
    variables = [given] if one else list(given)
    expected = "symbolic arrays with an entry for each of any number of examples, (None, ...)"
    if not variables:
        raise InputError(where, "none", expected)
    for v in variables:
        if not isinstance(v, Variable) or not isinstance(v.type, TensorType) or not v.type.ndim or v.type.shape[0] is not None:
            raise InputError(where, f"{v} of type {v.type}" if isinstance(v, Variable) else f"a {type(v).__name__}", expected)
    return variables, one


def arrays_for(where: str, given: Any, variables: Sequence[Variable], one: bool) -> dict[Variable, Any]:
    """Return what is given for each variable: itself for `one` variable, otherwise a list."""
    if one:
        return {variables[0]: given}
    if not isinstance(given, list | tuple) or len(given) != len(variables):
        found = f"{len(given)} arrays" if isinstance(given, list | tuple) else f"a {type(given).__name__}"
        raise InputError(where, found, f"a list of {len(variables)}: {', '.join(map(str, variables))}")
    return dict(zip(variables, given, strict=True))


def split(x: Any, y: Any, one_input: bool, one_output: bool, share: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Return the first examples of `x` and `y`, and the last ones, which are `share` of all.

    Raises
    ------
    InputError
        `share` is no number between 0 and 1, or leaves one side without examples.
    """
    number = isinstance(share, int | float | np.number) and not isinstance(share, bool)
    if not number or not 0 < share < 1:
        raise InputError("validation_split", repr(share), "a number between 0 and 1, the share of the last examples")
    arrays = [*([x] if one_input else x), *([y] if one_output else y)]
    try:
        n = len(arrays[0].get_value(borrow=True) if isinstance(arrays[0], SharedVariable) else arrays[0])
    except TypeError as error:
        raise InputError("validation_split", f"x that is a {type(arrays[0]).__name__}", "arrays, which can be split") from error
    first = math.floor(n * (1 - share))  # Keras's rounding
    if not 0 < first < n:
        raise InputError("validation_split", f"{share} of {n} examples", "at least one example on each side")

    def part(given: Any, one: bool, wanted: slice) -> Any:
        return _rows(given, wanted) if one else [_rows(a, wanted) for a in given]

    head, tail = slice(0, first), slice(first, None)
    return (part(x, one_input, head), part(y, one_output, head)), (part(x, one_input, tail), part(y, one_output, tail))


def shape_of(values: Any) -> tuple[int, ...]:
    """Return the shape of `values`; of what is not in memory one example at most is read.

    Where that fails, or says nothing, the number of examples is all: what trains on them says what they lack.
    """
    if not is_outside(values):
        return np.shape(values)
    if isinstance(shape := getattr(values, "shape", None), tuple):
        return shape
    try:
        return len(values), *np.shape(values[np.arange(min(1, len(values)))])[1:]
    except (TypeError, ValueError, LookupError):
        return (len(values),)


def _rows(values: Any, wanted: slice) -> Any:
    if isinstance(values, SharedVariable):
        values = values.get_value(borrow=True)
    if isinstance(values, Variable):
        raise InputError("validation_split", "an expression", "arrays, which can be split")
    if isinstance(values, np.ndarray):
        return values[wanted]
    return _Rows(values, *wanted.indices(len(values))[:2]) if is_outside(values) else np.asarray(values)[wanted]


class _Rows:
    """Show some of the examples of what is not in memory, without reading them."""

    def __init__(self, values: Any, first: int, end: int):
        self._values, self._first, self._end = values, first, end

    def __len__(self) -> int:
        return self._end - self._first

    @property
    def shape(self) -> tuple[int, ...]:
        return len(self), *shape_of(self._values)[1:]

    def __getitem__(self, places: Any) -> Any:
        wanted = np.asarray(places) + self._first
        if not wanted.ndim:
            return self._values[int(wanted)]
        files = type(self._values).__module__.partition(".")[0] in SLICED
        if files and len(wanted) and np.all(np.diff(wanted) == 1):  # which read slices faster; others may take none
            return self._values[int(wanted[0]) : int(wanted[-1]) + 1]
        return getattr(self._values, "oindex", self._values)[wanted]
