"""Whether indices lie within their axes, on Numba: one pass over an index, of which LLVM makes vectors."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numba
from pytensor.link.numba.cache import compile_numba_function_src

from symae.errors import IndexRangeError, LabelCountError, LabelError, MaskShapeError, ShapeError

WRITING = "inc_subtensor or set_subtensor"


def _compiled(source: str, **names: Any) -> Any:
    known = {"__name__": __name__, "int64": numba.int64, "IndexRangeError": IndexRangeError}
    return numba.njit(compile_numba_function_src(source, "check", known | names))


@cache
def check_range(ndim: int, unsigned: bool) -> Callable[..., None]:
    """Compile ``check(index, size, axis)``, which raises IndexRangeError if an entry of `index`, of `ndim` axes, is outside."""
    names = [f"i{k}" for k in range(ndim)]
    loops = "".join(f"{'    ' * (k + 1)}for {name} in range(index.shape[{k}]):\n" for k, name in enumerate(names))
    indent = "    " * (ndim + 1)
    given = f"index[{', '.join(names)}]" if ndim else "index"
    is_outside = f"(entry >= size) | (entry < {'0' if unsigned else '-size'})"
    # Numba hands numbers of one width to an exception as those of the first signature with it: 255 was -1 after an int8.
    first = f"""
def check(index, size, axis):
{loops}{indent}entry = int64({given})
{indent}if {is_outside}:
{indent}    raise IndexRangeError(entry, int64(axis), size, {unsigned})
"""
    if ndim == 0:
        return _compiled(first)
    any_of_all = f"""
def check(index, size, axis):
    outside = False
{loops}{indent}entry = int64({given})
{indent}outside |= {is_outside}
    if outside:
        first(index, size, axis)
"""
    return _compiled(any_of_all, first=_compiled(first))


@numba.njit
def check_mask(length: int, size: int, axis: int) -> None:
    """Raise MaskShapeError where a mask is not as long as its axis."""
    if length != size:
        raise MaskShapeError(numba.int64(axis), size, length)


@cache
def checked_mask(ndim: int, first: int) -> Callable[..., Any]:
    """Compile ``checked(mask, x)``, which returns the mask if its axes are as long as those of x from axis `first` on."""
    checks = "".join(f"    check_mask(mask.shape[{k}], x.shape[{first + k}], {first + k})\n" for k in range(ndim))
    return _compiled(f"def check(mask, x):\n{checks}    return mask\n", check_mask=check_mask)


@numba.njit
def check_broadcast(found: Any, expected: Any) -> None:
    """Raise ShapeError where an array of the first shape does not broadcast to the second, which has as many axes or more."""
    fits = True
    for k in range(len(found)):
        n = found[len(found) - 1 - k]
        fits &= (n == 1) | (n == expected[len(expected) - 1 - k])
    if not fits:
        raise ShapeError(
            "inc_subtensor or set_subtensor", "values of shape {}", "a shape that broadcasts to {}", found, expected
        )


@numba.njit
def checked_labels(labels: Any, rows: Any, classes: Any) -> Any:
    """Return the labels; raise LabelError or LabelCountError where there is not one in [0, classes) for each of the rows."""
    expected, last = rows.item(), classes.item()
    if labels.shape[0] != expected:
        raise LabelCountError(expected, labels.shape[0])
    outside = False
    for k in range(labels.shape[0]):
        label = numba.int64(labels[k])
        outside |= (label < 0) | (label >= last)
    if outside:
        for k in range(labels.shape[0]):
            label = numba.int64(labels[k])
            if label < 0 or label >= last:
                raise LabelError(label, last)
    return labels
