"""`open` and the functions of `os` that take names, for the time of a run: they go by `symae.legacy.places`."""

from __future__ import annotations

import builtins
import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from symae.legacy.places import REAL, REAL_OPEN, Places, is_inside, is_there, name_of

__all__ = ["Files"]

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Files(Places):
    """The places of a script's files, and the functions that the script uses on them."""

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """The functions of `os` and `open` go by these names as long as the block lasts, in the output folder."""
        before = os.getcwd()
        replaced: dict[str, Callable[..., Any]] = {
            **{name: self._reading(REAL[name]) for name in ("stat", "lstat", "access")},
            **{name: self._writing(getattr(os, name)) for name in ("chmod", "utime", "truncate") if hasattr(os, name)},
            **{name: self._removing(getattr(os, name)) for name in ("remove", "unlink", "rmdir")},
            **{name: self._renaming(getattr(os, name)) for name in ("rename", "replace")},
            **{name: getattr(self, f"_{name}") for name in ("mkdir", "listdir", "scandir", "chdir")},
            **{name: self._linking(getattr(os, name)) for name in ("symlink", "link")},
            "open": self._os_open,
        }
        with ExitStack() as stack:
            for name, function in replaced.items():
                stack.enter_context(mock.patch.object(os, name, function))
            stack.enter_context(mock.patch.object(shutil, "rmtree", self._removing(shutil.rmtree)))
            for module in (builtins, io):
                stack.enter_context(mock.patch.object(module, "open", self._open))
            REAL["chdir"](self.out)
            try:
                yield
            finally:
                REAL["chdir"](before)

    def _open(self, file: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
        if more.get("opener") is not None:  # that calls os.open
            return REAL_OPEN(file, mode, *rest, **more)
        if not (isinstance(mode, str) and set(mode) & set("wax+")):
            return REAL_OPEN(self.for_reading(file), mode, *rest, **more)
        return REAL_OPEN(self._continued(file, keeps="w" not in mode and "x" not in mode), mode, *rest, **more)

    def _os_open(self, path: Any, flags: int, *rest: Any, dir_fd: int | None = None) -> int:
        if dir_fd is not None:
            return int(REAL["open"](path, flags, *rest, dir_fd=dir_fd))
        if not flags & WRITES or flags & getattr(os, "O_TMPFILE", 0) == getattr(os, "O_TMPFILE", -1):
            return int(REAL["open"](self.for_reading(path), flags, *rest))
        return int(REAL["open"](self._continued(path, keeps=not flags & os.O_TRUNC), flags, *rest))

    def _continued(self, path: Any, keeps: bool) -> Any:
        """`path` for writing; where the script goes on with a file of the user's, a copy of it."""
        source, target = self.for_reading(path), self.for_writing(path)
        same = name_of(target) is None or os.path.realpath(source) == os.path.realpath(target)
        if keeps and not same and os.path.isfile(source) and not is_there(target):
            self.make(os.path.dirname(target))
            with REAL_OPEN(source, "rb") as old, REAL_OPEN(target, "wb") as new:
                shutil.copyfileobj(old, new)
        return target

    def _reading(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def reading(path: Any, *rest: Any, **more: Any) -> Any:
            return function(path if more.get("dir_fd") is not None else self.for_reading(path), *rest, **more)

        return reading

    def _writing(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def writing(path: Any, *rest: Any, **more: Any) -> Any:
            return function(path if more.get("dir_fd") is not None else self._continued(path, True), *rest, **more)

        return writing

    def _removing(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """What the run wrote can go; what the user has stays, and the script is told that it went."""

        def removing(path: Any, *rest: Any, **more: Any) -> Any:
            if more.get("dir_fd") is not None:
                return function(path, *rest, **more)
            if self.is_made_meanwhile(path):
                return function(path, *rest, **more)
            with self.quietly():
                target = self.for_writing(path)
            if name_of(target) is not None and (
                target == self.out or (not is_there(target) and is_there(self.for_reading(path)))
            ):
                self.say(f"{path}: not removed; what was there before the run stays")
                return None
            return function(target, *rest, **more)

        return removing

    def _renaming(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def renaming(source: Any, target: Any, **more: Any) -> Any:
            if any(value is not None for value in more.values()):
                return function(source, target, **more)
            return function(self._continued(source, True), self.for_writing(target))

        return renaming

    def _linking(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def linking(source: Any, target: Any, *rest: Any, **more: Any) -> Any:
            return function(source, self.for_writing(target), *rest, **more)

        return linking

    def _mkdir(self, path: Any, *rest: Any, dir_fd: int | None = None) -> None:
        if dir_fd is None:
            path = self.for_writing(path)
        REAL["mkdir"](path, *rest, dir_fd=dir_fd)

    def _chdir(self, path: Any) -> None:
        name = name_of(path)
        if name is not None and self.is_folder(self.places(name)[0]):
            place = self.places(name)[1][0]
            if not os.path.isabs(name) or is_inside(self.places(name)[0], self.out) or self._is_ours(name):
                self.make(place)
                path = place
        REAL["chdir"](path)

    def _is_ours(self, name: str) -> bool:
        return any(is_inside(os.path.normpath(name), root) for root in self.roots)

    def _listdir(self, path: Any = ".") -> list[Any]:
        return [entry.name for entry in self._scandir(path)]

    def _scandir(self, path: Any = ".") -> _Entries:
        name = name_of(path)
        if name is None:
            return _Entries(list(REAL["scandir"](path)))
        found: dict[str, Any] = {}
        with self._once():  # where they really are
            folders = [place for place in dict.fromkeys(self.places(name)[1]) if os.path.isdir(place)]
        for folder in folders or [path]:
            for entry in REAL["scandir"](folder):
                found.setdefault(entry.name, entry)
        return _Entries([entry for entry in found.values() if not is_inside(self.out, os.path.abspath(entry.path))])


class _Entries:
    """What `os.scandir` returns: an iterator that can be closed."""

    def __init__(self, entries: list[Any]):
        self._entries = iter(entries)

    def __iter__(self) -> Iterator[Any]:
        return self._entries

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is open."""
