"""``map``, ``filter`` and ``zip`` of a source that does not say which Python it is for.

In Python 2 they were lists, which can be passed over as often as one likes; in Python 3 they are used up by one pass, and may
have no end. What they return here is a list that `next` takes elements from, too.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from typing import Any

__all__ = ["LazyValues", "Values", "filtered", "mapped", "zipped"]


class Values(list[Any]):
    """List values, and from the first `next` on iterate over what is left of them."""

    _left: Iterator[Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        return super().__iter__() if self._left is None else self._left

    def __next__(self) -> Any:
        if self._left is None:
            self._left = super().__iter__()
        return next(self._left)

    def __reduce__(self) -> Any:
        return list, (self[:],)


class LazyValues(Sequence[Any]):
    """List values that may have no end, as `Values` does: they are computed as far as they are asked for, and kept."""

    def __init__(self, values: Iterator[Any]):
        self._values = values
        self._known: list[Any] = []
        self._left: Iterator[Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        return self._from_first() if self._left is None else self._left

    def _from_first(self) -> Iterator[Any]:
        at = 0
        while at < len(self._known) or self._one_more():
            yield self._known[at]
            at += 1

    def _one_more(self) -> bool:
        for value in self._values:
            self._known.append(value)
            return True
        return False

    def _all(self) -> list[Any]:
        self._known.extend(self._values)
        return self._known

    def __next__(self) -> Any:
        if self._left is None:
            self._left = self._from_first()
        return next(self._left)

    def __len__(self) -> int:
        return len(self._all())

    def __getitem__(self, index: Any) -> Any:
        return self._all()[index]

    def __add__(self, other: Any) -> Any:
        return self._all() + other

    def __radd__(self, other: Any) -> Any:
        return other + self._all()

    def __repr__(self) -> str:
        return repr(self._all())

    def __reduce__(self) -> Any:
        return list, (self._all(),)


def _values(computed: Iterator[Any], of: Iterable[Any]) -> Values | LazyValues:
    has_end = all(isinstance(values, Sized) and not isinstance(values, LazyValues) for values in of)
    return Values(computed) if has_end else LazyValues(computed)


def mapped(function: Callable[..., Any] | None, *iterables: Iterable[Any]) -> Values | LazyValues:
    """Map as Python 2's ``map``; with None for the function, which was allowed, return the rows themselves."""
    if function is None:
        return zipped(*iterables) if len(iterables) > 1 else _values(iter(*iterables), iterables)
    return _values(builtins.map(function, *iterables), iterables)


def filtered(function: Callable[[Any], Any] | None, values: Iterable[Any]) -> Values | LazyValues:
    """Filter as Python 2's ``filter``."""
    return _values(builtins.filter(function, values), (values,))


def zipped(*iterables: Iterable[Any], strict: bool = False) -> Values | LazyValues:
    """Zip as Python 2's ``zip``."""
    return _values(builtins.zip(*iterables, strict=strict), iterables)
