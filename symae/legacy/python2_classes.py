"""Special methods that Python 2 alone called: ``__cmp__``, those of slices, ``__unicode__``, ``__hex__`` and ``__oct__``."""

from __future__ import annotations

import operator
import sys
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["SPECIAL", "adapted", "hashable", "hex2", "oct2", "slicing"]

_COMPARED = ("lt", "le", "eq", "ne", "gt", "ge")
_SLICED = {"__getslice__": "__getitem__", "__setslice__": "__setitem__", "__delslice__": "__delitem__"}
SPECIAL = {"__cmp__", *_SLICED, *_SLICED.values()}  # a class that defines one of these is `adapted`
_active = threading.local()


def adapted(cls: type) -> type:
    """Give a class the methods that Python 3 asks, made of those that Python 2 asked."""
    if "__cmp__" in vars(cls):
        for name in _COMPARED:
            rich = f"__{name}__"
            if getattr(cls, rich) is getattr(object, rich):  # else Python 2 asked the richer one too
                setattr(cls, rich, _compared(getattr(operator, name)))
    for old, new in _SLICED.items():
        if {old, new} & set(vars(cls)) and (hasattr(cls, old) or _of_builtin(cls, new)):
            setattr(cls, new, _by_slice(cls, old, new))
    return cls


def hashable(cls: type) -> type:
    """Let a class that defines ``__eq__`` and not ``__hash__`` be hashed as before, by its base's method."""
    if vars(cls).get("__hash__", cls) is None:
        del cls.__hash__
    return cls


def _compared(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        order = self.__cmp__(other)
        return NotImplemented if order is NotImplemented else compare(order, 0)

    return method


def _of_builtin(cls: type, method: str) -> Any:
    """Return the method of the built-in sequence that `cls` derives from: in Python 2 these had methods for slices."""
    return next((getattr(base, method, None) for base in (list, tuple, str) if issubclass(cls, base)), None)


def _by_slice(cls: type, old: str, new: str) -> Callable[..., Any]:
    """Return a method for items that has ``x[i:j]`` answered by the method `old` for slices."""
    item = getattr(cls, new, None)

    def method(self: Any, key: Any, *value: Any) -> Any:
        bounds = _bounds(key)
        active = vars(_active).setdefault("slices", set())
        if bounds is not None and (id(self), old) not in active:
            sliced = getattr(self, old, None)
            if sliced is None:
                return _of_builtin(cls, new)(self, key, *value)
            low, high = bounds
            length = len(self) if (low < 0 or high < 0) and hasattr(type(self), "__len__") else 0
            # within it ``self[i:j:]`` goes to the method for items, which is how both are often written
            active.add((id(self), old))
            try:
                return sliced(low + length if low < 0 else low, high + length if high < 0 else high, *value)
            finally:
                active.discard((id(self), old))
        if item is None:
            raise AttributeError(f"{type(self).__name__} instance has no attribute {new!r}")
        return item(self, key, *value)

    return method


def _bounds(key: Any) -> tuple[int, int] | None:
    """Return where a slice without a step begins and ends, as Python 2 gave it to methods; None for other keys."""
    if not isinstance(key, slice) or key.step is not None:
        return None
    ends = (0 if key.start is None else key.start, sys.maxsize if key.stop is None else key.stop)
    if not all(hasattr(end, "__index__") for end in ends):
        return None
    low, high = (max(min(operator.index(end), sys.maxsize), -sys.maxsize - 1) for end in ends)
    return low, high


def slicing(x: Any, name: str) -> Any:
    """Return ``x.__getslice__`` and its like, which built-in sequences do not have any more."""
    if hasattr(x, name):
        return getattr(x, name)
    item = getattr(x, _SLICED[name])  # of a class, of an object or of what super() returns
    if isinstance(x, type):
        return lambda self, i, j, *value: item(self, slice(i, j), *value)
    return lambda i, j, *value: item(slice(i, j), *value)


def hex2(x: Any) -> str:
    """Return ``hex(x)``, which asked ``x.__hex__``."""
    return str(x.__hex__()) if hasattr(type(x), "__hex__") else hex(x)


def oct2(x: Any) -> str:
    """Return ``oct(x)``, which asked ``x.__oct__`` and wrote one zero before the digits."""
    if hasattr(type(x), "__oct__"):
        return str(x.__oct__())
    return oct(x).replace("0o", "0" if operator.index(x) else "")
