"""Functions of Python's that do something else while a run lasts, wherever they are kept.

Libraries keep `open` and functions of `os` under names of their own, and may take them while a run lasts and call them later.
So what takes a function's place stays the same for the life of the process, and calls the real one when nothing is in force.
"""

from __future__ import annotations

import builtins
import functools
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any

__all__ = ["replaced"]

# These keep the functions on purpose: Python's own machinery of imports, and symae's.
KEPT_BY = ("posix", "nt", "_io", "io", "os", "builtins", "importlib._bootstrap_external", "_frozen_importlib_external")

_in_force: list[Mapping[str, Callable[..., Any]]] = []
_standins: dict[str, Callable[..., Any]] = {}


@contextmanager
def replaced(functions: Mapping[str, Callable[..., Any]]) -> Iterator[None]:
    """Replace functions for the block by `functions`, by their names in `os`, or "builtins.open", "rmtree" and "FileIO".

    "FileIO" is a function that takes a path and a mode, and returns the path that `io.FileIO` opens.
    """
    real = {name: _real(name) for name in functions if name != "FileIO"}
    for name, function in real.items():
        _standins.setdefault(name, _standin(name, function))
    by_identity = {id(function): _standins[name] for name, function in real.items()}
    with ExitStack() as stack:
        own = [(vars(os), name, _standins[name]) for name in real if name not in ("builtins.open", "rmtree")]
        own += [(vars(module), "open", _standins["builtins.open"]) for module in (builtins, io)]
        own += [(vars(shutil), "rmtree", _standins["rmtree"]), (vars(io), "FileIO", _FileIO)]
        for space, name, function in [*own, *_kept(by_identity)]:
            stack.callback(space.__setitem__, name, space[name])
            space[name] = function
        stack.enter_context(_in_tempfile(by_identity))
        _in_force.append(functions)
        try:
            yield
        finally:
            _in_force.pop()


def _real(name: str) -> Callable[..., Any]:
    function: Any = {"builtins.open": builtins.open, "rmtree": shutil.rmtree}.get(name) or getattr(os, name)
    return function.__wrapped__ if function in _standins.values() else function


def _standin(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def standin(*arguments: Any, **keywords: Any) -> Any:
        wanted = _in_force[-1].get(name, function) if _in_force else function
        return wanted(*arguments, **keywords)

    # Where pickle looks for it: another process finds the real one there.
    standin.__module__ = {"builtins.open": "builtins", "rmtree": "shutil"}.get(name, "os")
    if hasattr(function, "avoids_symlink_attacks"):
        standin.avoids_symlink_attacks = function.avoids_symlink_attacks  # type: ignore[attr-defined]
    return standin


def _kept(by_identity: Mapping[int, Callable[..., Any]]) -> Iterator[tuple[dict[Any, Any], Any, Callable[..., Any]]]:
    """Yield where modules keep one of these functions under a name of their own."""
    for name, module in list(sys.modules.items()):
        if isinstance(module, ModuleType) and name not in KEPT_BY and not name.startswith("symae.legacy"):
            space = vars(module)
            for key, value in list(space.items()):
                if id(value) in by_identity:
                    yield space, key, by_identity[id(value)]
    openers = getattr(sys.modules.get("numpy.lib._datasource"), "_file_openers", None)
    kept = getattr(openers, "_file_openers", {})
    for key, value in list(kept.items()):
        if id(value) in by_identity:
            yield kept, key, by_identity[id(value)]


@contextmanager
def _in_tempfile(by_identity: Mapping[int, Callable[..., Any]]) -> Iterator[None]:
    """Replace the function by which `tempfile` removes a named file, which a method keeps as its default."""
    methods = [value for value in vars(getattr(tempfile, "_TemporaryFileCloser", object)).values() if callable(value)]
    before = {method: method.__defaults__ for method in methods if getattr(method, "__defaults__", None)}
    for method, defaults in before.items():
        method.__defaults__ = tuple(by_identity.get(id(value), value) for value in defaults)
    try:
        yield
    finally:
        for method, defaults in before.items():
            method.__defaults__ = defaults


REAL_FILEIO = io.FileIO


class _Kind(type):
    """Count real files as files of this kind too."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, REAL_FILEIO)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, REAL_FILEIO)


class _FileIO(REAL_FILEIO, metaclass=_Kind):  # type: ignore[metaclass]
    """Open `io.FileIO` of a file at its mapped path."""

    def __init__(self, file: Any, mode: str = "r", closefd: bool = True, opener: Any = None):
        if opener is None and _in_force and "FileIO" in _in_force[-1]:
            file = _in_force[-1]["FileIO"](file, mode)
        super().__init__(file, mode, closefd, opener)


_FileIO.__name__ = _FileIO.__qualname__ = "FileIO"
