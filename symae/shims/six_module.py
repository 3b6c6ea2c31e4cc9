"""six, which sources for both Pythons use."""

from __future__ import annotations

import functools
import importlib
import io
import itertools
import operator
import os
import shlex
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from symae.shims import renamed
from symae.shims.restoring import module_of


def _with_metaclass(meta: type, *bases: type) -> type:
    """Make a base whose subclasses are made by `meta` of `bases`."""

    class Between(type):
        def __new__(cls, name: str, this_bases: Any, space: dict[str, Any]) -> Any:
            return meta(name, bases, space)

    return type.__new__(Between, "temporary", (), {})


def _add_metaclass(meta: Any) -> Callable[[type], type]:
    def made(cls: type) -> type:
        space = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
        return meta(cls.__name__, cls.__bases__, space)

    return made


def _reraise(kind: Any, value: BaseException | None, trace: Any = None) -> None:
    raise (kind() if value is None else value).with_traceback(trace)


def six(moves: ModuleType) -> ModuleType:
    """Make six with its `moves`."""
    names: dict[str, Any] = {
        **{"PY2": False, "PY3": True, "PY34": True, "MAXSIZE": sys.maxsize, "__version__": "1.17.0"},
        **{"string_types": (str,), "integer_types": (int,), "class_types": (type,), "text_type": str, "binary_type": bytes},
        **{"StringIO": io.StringIO, "BytesIO": io.BytesIO, "moves": moves, "__path__": []},
        "iterkeys": lambda d: iter(d.keys()),
        "itervalues": lambda d: iter(d.values()),
        "iteritems": lambda d: iter(d.items()),
        "iterlists": lambda d: iter(d.lists()),
        "viewkeys": lambda d: d.keys(),
        "viewvalues": lambda d: d.values(),
        "viewitems": lambda d: d.items(),
        "b": lambda text: text.encode("latin-1"),
        "u": lambda text: text,
        **{"unichr": chr, "next": next, "advance_iterator": next, "callable": callable, "print_": print, "exec_": exec},
        "int2byte": lambda n: bytes((n,)),
        "byte2int": operator.itemgetter(0),
        "reraise": _reraise,
        "wraps": functools.wraps,
        "with_metaclass": _with_metaclass,
        "add_metaclass": _add_metaclass,
        "get_function_code": operator.attrgetter("__code__"),
        "get_method_function": operator.attrgetter("__func__"),
        "get_method_self": operator.attrgetter("__self__"),
        "get_function_defaults": operator.attrgetter("__defaults__"),
        "get_unbound_function": lambda function: function,
        "python_2_unicode_compatible": lambda cls: cls,
    }
    return module_of("six", names)


def six_moves(cPickle: ModuleType, urllib: ModuleType) -> ModuleType:
    """Make six.moves with these two, and what Python has under other names."""
    names: dict[str, Any] = {
        **{"xrange": range, "range": range, "zip": zip, "map": map, "filter": filter, "input": input, "intern": sys.intern},
        **{"zip_longest": itertools.zip_longest, "filterfalse": itertools.filterfalse, "reduce": functools.reduce},
        **{"reload_module": importlib.reload, "getcwd": os.getcwd, "shlex_quote": shlex.quote},
        **{"StringIO": io.StringIO, "cStringIO": io.StringIO, "cPickle": cPickle, "urllib": urllib, "__path__": []},
    }
    module = module_of("six.moves", names)

    def other(name: str) -> Any:
        if name in MOVED:
            return importlib.import_module(MOVED[name])
        if name in renamed.MODULES:
            return importlib.import_module(renamed.MODULES[name])
        raise AttributeError(f"six.moves has no {name!r} in symae's stand-in")

    module.__getattr__ = other  # type: ignore[method-assign]
    return module


# Modules under six's names for both Pythons.
MOVED = {name.replace(".", "_"): name for name in (
    "_thread", "builtins", "configparser", "copyreg", "html.entities", "html.parser", "http.client", "http.cookiejar",
    "http.cookies", "queue", "reprlib", "socketserver", "tkinter", "tkinter.filedialog", "tkinter.messagebox", "xmlrpc.client",
)}  # fmt: skip
