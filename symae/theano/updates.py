"""``OrderedUpdates``: what shared variables become, in the order in which it was said."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from pytensor.compile.sharedvalue import SharedVariable

__all__ = ["OrderedUpdates"]


class OrderedUpdates(OrderedDict[SharedVariable, Any]):
    """Map shared variables to expressions; can be added to others, and to lists of pairs.

    ``updates + [(W, W - step)]`` and ``updates[W] = W - step`` both do what a script of Theano's years expects.

    Raises
    ------
    TypeError
        A key is not a shared variable.
    KeyError
        Two that are added say different things about one variable.
    """

    def __setitem__(self, key: Any, value: Any) -> None:
        if not isinstance(key, SharedVariable):
            raise TypeError(f"updates: the key {key} is a {type(key).__name__}, expected a shared variable")
        super().__setitem__(key, value)

    def update(self, other: Any = (), **kwargs: Any) -> None:  # type: ignore[override]
        for key, value in dict(other, **kwargs).items():
            if key in self and self[key] is not value:
                raise KeyError("Collision", key)
            self[key] = value

    def __add__(self, other: Any) -> OrderedUpdates:
        return _joined(self, other)

    def __radd__(self, other: Any) -> OrderedUpdates:
        return _joined(other, self)

    def __iadd__(self, other: Any) -> OrderedUpdates:
        self.update(other)
        return self


def _joined(*parts: Mapping[Any, Any] | Iterable[tuple[Any, Any]]) -> OrderedUpdates:
    joined = OrderedUpdates()
    for part in parts:
        joined.update(part)
    return joined
