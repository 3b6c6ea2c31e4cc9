"""Names that modules of Python's own library dropped, and what strings of Python 2 were."""

from __future__ import annotations

import collections
import collections.abc
import errno
import functools
import importlib
import inspect
import itertools
import operator
import os
import queue
import re
import string
import sys
import time
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any


def as_bytes(text: str) -> bytes:
    """Return the bytes that a string of Python 2 was: those of a file that was read as text, or one for each letter."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")


def former_builtins() -> dict[str, Any]:
    """Return built-in names that Python 2 alone had."""
    return {
        **{"xrange": range, "raw_input": input, "unicode": str, "long": int, "basestring": (str, bytes), "unichr": chr},
        **{"reduce": functools.reduce, "reload": importlib.reload, "cmp": _cmp, "apply": _apply, "buffer": memoryview},
        **{"intern": sys.intern, "StandardError": Exception},
    }


def _cmp(a: Any, b: Any) -> int:
    return int(a > b) - int(a < b)


def _apply(function: Callable[..., Any], arguments: Iterable[Any] = (), keywords: Any = None) -> Any:
    return function(*arguments, **(keywords or {}))


def _getargspec(function: Any) -> Any:
    spec = inspect.getfullargspec(function)
    return ArgSpec(spec.args, spec.varargs, spec.varkw, spec.defaults)


ArgSpec = collections.namedtuple("ArgSpec", "args varargs keywords defaults")


def _string_names() -> dict[str, Any]:
    methods = "capitalize count expandtabs find index ljust lower lstrip replace rfind rindex rjust rstrip split strip swapcase"
    names: dict[str, Any] = {name: _method(name) for name in f"{methods} title upper zfill".split()}
    return {
        **names,
        "letters": string.ascii_letters,
        "lowercase": string.ascii_lowercase,
        "uppercase": string.ascii_uppercase,
        "maketrans": str.maketrans,
        "join": lambda words, separator=" ": separator.join(words),
        "joinfields": lambda words, separator=" ": separator.join(words),
        "splitfields": _method("split"),
        "atoi": int,
        "atol": int,
        "atof": float,
    }


def _method(name: str) -> Callable[..., Any]:
    return lambda text, *arguments: getattr(text, name)(*arguments)


def former_names() -> dict[ModuleType, dict[str, Any]]:
    """Return by module what Python 3's modules dropped."""
    abstract = {name: getattr(collections.abc, name) for name in collections.abc.__all__ if hasattr(collections.abc, name)}
    return {
        time: {"clock": time.process_time},
        collections: abstract,
        inspect: {"getargspec": _getargspec},
        itertools: {
            "izip": zip,
            "imap": map,
            "ifilter": filter,
            "izip_longest": itertools.zip_longest,
            "ifilterfalse": itertools.filterfalse,
        },
        string: _string_names(),
        os: {"getcwdu": lambda: os.getcwd(), "errno": errno},  # noqa: PTH109  what os has at that time
        sys: {
            "maxint": sys.maxsize,
            "setdefaultencoding": lambda name: None,
            "exc_clear": lambda: None,
            "subversion": ("",) * 3,
        },
        operator: {
            "isCallable": callable,
            "isSequenceType": lambda x: hasattr(x, "__getitem__"),
            "isNumberType": lambda x: hasattr(x, "__float__"),
            "sequenceIncludes": operator.contains,
        },
        re: {"Scanner": getattr(re, "Scanner", None), "_pattern_type": re.Pattern},
        queue: {"Queue": queue.Queue},
    }
