"""``theano.compat``: what Python 2 and 3 called differently."""

from __future__ import annotations

import configparser
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping, ValuesView
from functools import partial, reduce
from importlib import reload
from io import BytesIO, StringIO
from itertools import product
from typing import Any

from symae.theano._impl.absent import getter

__all__ = [
    "PY3",
    "BytesIO",
    "Callable",
    "DefaultOrderedDict",
    "Iterable",
    "Mapping",
    "OrderedDict",
    "StringIO",
    "ValuesView",
    "any",
    "cmp",
    "configparser",
    "decode",
    "defaultdict",
    "exc_message",
    "get_unbound_function",
    "ifilter",
    "imap",
    "izip",
    "next",
    "partial",
    "product",
    "reduce",
    "reload",
]

__getattr__ = getter(__name__, submodules=["python2x", "six"])

PY3 = True
izip, imap, ifilter = zip, map, filter
next, all, any = next, all, any


class DefaultOrderedDict(OrderedDict[Any, Any]):
    """Map in order, and make what is lacking by `default_factory`."""

    def __init__(self, default_factory: Callable[[], Any] | None = None, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.default_factory = default_factory

    def __missing__(self, key: Any) -> Any:
        if self.default_factory is None:
            raise KeyError(key)
        self[key] = self.default_factory()
        return self[key]


def cmp(x: Any, y: Any) -> int:
    """Return -1, 0 or 1, as Python 2 compared."""
    return int(x > y) - int(x < y)


def decode(x: Any) -> str:
    """Return bytes as text."""
    return x.decode() if isinstance(x, bytes) else x


def exc_message(e: BaseException) -> Any:
    """Return the message that an error was made with."""
    return e.args[0] if e.args else ""


def get_unbound_function(unbound: Any) -> Any:
    """Return the function of a method."""
    return getattr(unbound, "__func__", unbound)
