"""``theano.misc.ordered_set``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSet
from typing import Any

__all__ = ["OrderedSet"]


class OrderedSet(MutableSet[Any]):
    """Hold a set in the order in which things were added."""

    def __init__(self, iterable: Iterable[Any] = ()):
        self._elements = dict.fromkeys(iterable)

    def __contains__(self, element: object) -> bool:
        return element in self._elements

    def __iter__(self) -> Iterator[Any]:
        return iter(self._elements)

    def __len__(self) -> int:
        return len(self._elements)

    def add(self, value: Any) -> None:
        self._elements[value] = None

    def discard(self, value: Any) -> None:
        self._elements.pop(value, None)

    def union(self, other: Iterable[Any]) -> OrderedSet:
        """Return the elements of both."""
        return OrderedSet([*self, *other])
