"""Where a script's files go: what it writes into the output folder, what it reads there or where it always was.

The script runs with the output folder as its working directory, so whatever it writes by a relative path, through any library,
is there. Reading falls back to the folder that the run was started in and to the script's own. Absolute paths into these two,
and files that were there before the run, are written in the output folder as well: no file of the user's is changed.
"""

from __future__ import annotations

import builtins
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["REAL", "REAL_OPEN", "Places", "is_inside", "is_there", "name_of"]

REPORT = "report.html"
SYSTEM = ("/dev", "/proc", "/sys")
REAL = {name: getattr(os, name) for name in ("stat", "lstat", "mkdir", "listdir", "scandir", "open", "chdir", "access")}
REAL_OPEN = builtins.open


class Places:
    """The two sides of a script's file names.

    Parameters
    ----------
    out : Path
        The output folder; it exists.
    caller, home : Path
        The folder that the run was started in, and the script's.
    known : callable
        Takes a file's name, and returns the path of the data that the tutorials call so, or None.
    say : callable
        Takes a line for the user.
    """

    def __init__(
        self,
        out: Path,
        caller: Path,
        home: Path,
        known: Callable[[str], Path | None] = lambda name: None,
        say: Callable[[str], None] = print,
    ):
        self.out = os.path.realpath(out)
        self.roots = list(dict.fromkeys(os.path.realpath(folder) for folder in (caller, home)))
        self.known = known
        self.say = say
        self._made: set[str] = set()
        self._told: set[str] = set()
        self._free = _free_folders()
        self._temporary = os.path.realpath(tempfile.gettempdir())
        self._temporary_before = frozenset(REAL["listdir"](self._temporary))
        self._here = threading.local()  # who asks here calls these functions again, and gets the real ones

    def for_reading(self, path: Any) -> Any:
        """Where to read what the script calls `path`: itself where it is nowhere, so that errors name what was asked for."""
        name = name_of(path)
        if name is None:
            return path
        with self._once() as first:
            return self._read_at(path, name) if first else path

    def _read_at(self, path: Any, name: str) -> Any:
        whole, places = self.places(name)
        for place in places:
            if is_there(place):
                return path if place == whole and os.path.isabs(name) else place
        known = self.known(os.path.basename(name))
        if known is not None:
            return str(known)
        if (left := self._of_another_run(places[0])) is not None:
            return left
        return path if is_inside(whole, self.out) else whole

    def _of_another_run(self, place: str) -> str | None:
        """The newest file of that name that another script's run left: both have one working directory under Python."""
        beside, relative = os.path.dirname(self.out), os.path.relpath(place, self.out)
        try:
            runs = [run for run in REAL["listdir"](beside) if os.path.isfile(os.path.join(beside, run, REPORT))]
        except OSError:
            return None
        found = [os.path.join(beside, run, relative) for run in runs]
        found = [place for place in found if relative != REPORT and os.path.isfile(place)]
        if not found:
            return None
        newest = max(found, key=os.path.getmtime)
        if newest not in self._told:
            self._told.add(newest)
            self.say(f"{relative}: read from {newest[: -len(relative) - 1]}, where another run left it")
        return newest

    def for_writing(self, path: Any) -> Any:
        """Where to write it; the folder is made if the script can see one of that name."""
        name = name_of(path)
        if name is None:
            return path
        with self._once() as first:
            return self._write_at(path, name) if first else path

    @contextmanager
    def _once(self) -> Iterator[bool]:
        """Whether this is the outermost call of this thread."""
        first = not getattr(self._here, "busy", False)
        self._here.busy = True
        try:
            yield first
        finally:
            if first:
                self._here.busy = False

    def _write_at(self, path: Any, name: str) -> Any:
        whole, places = self.places(name)
        if is_inside(whole, self.out):
            place = whole
        elif self._is_free(whole):
            return path
        elif not os.path.isabs(name) or self._is_the_users(whole):
            place = places[0]
            self._tell(name, place)
        elif is_there(whole) and not self._is_new(whole):
            place = places[0]
            self._tell(name, place)
            self.make(os.path.dirname(place))
        else:
            self._made.add(whole)
            return path
        folder = os.path.dirname(place)
        if not is_there(folder) and self.is_folder(os.path.dirname(whole)):
            self.make(folder)
        return place

    def places(self, name: str) -> tuple[str, list[str]]:
        """The full path that `name` stands for, and where to look for it, the place in the output folder first."""
        here = os.getcwd()
        whole = os.path.normpath(os.path.join(here, name))
        if is_inside(whole, self.out):
            relative = os.path.relpath(whole, self.out)
            return whole, [whole, *(os.path.join(root, relative) for root in self.roots)]
        if not os.path.isabs(name) and is_inside(here, self.out):  # ../something
            relative = os.path.normpath(os.path.join(os.path.relpath(here, self.out), name))
            seen = [os.path.normpath(os.path.join(root, relative)) for root in self.roots]
            inside = [part for part in relative.split(os.sep) if part not in ("..", ".")]
            return seen[0], [os.path.join(self.out, *inside), *seen]
        for root in self.roots:
            if is_inside(whole, root):
                return whole, [os.path.normpath(os.path.join(self.out, os.path.relpath(whole, root))), whole]
        return whole, [os.path.join(self.out, "elsewhere", whole.lstrip(os.sep).replace(":", "")), whole]

    def is_folder(self, whole: str) -> bool:
        """Whether the script sees a folder there."""
        return any(os.path.isdir(place) for place in self.places(whole)[1])

    def _is_free(self, whole: str) -> bool:
        """Whether programs write there what is not the user's."""
        return any(is_inside(whole, folder) for folder in self._free)

    def _is_the_users(self, whole: str) -> bool:
        """Whether a path is in one of the two folders; temporary files are not, where these hold the whole disk."""
        roots = [root for root in self.roots if is_inside(whole, root)]
        return bool(roots) and (
            not is_inside(whole, self._temporary) or any(is_inside(root, self._temporary) for root in roots)
        )

    def _is_new(self, whole: str) -> bool:
        """Whether the run made this file, or a folder that it is in."""
        return whole in self._made or any(is_inside(whole, made) for made in self._made)

    def is_made_meanwhile(self, path: Any) -> bool:
        """Whether this is a temporary file that a program wrote during the run: a compiler that the run called, say."""
        whole = os.path.realpath(path)
        if not is_inside(whole, self._temporary) or whole == self._temporary or is_inside(whole, self.out):
            return False
        return os.path.relpath(whole, self._temporary).split(os.sep)[0] not in self._temporary_before

    def make(self, folder: str) -> None:
        """Make a folder and its parents where it really is."""
        if not is_there(folder):
            self.make(os.path.dirname(folder))
            REAL["mkdir"](folder)

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Places are found without a word to the user as long as the block lasts."""
        said, self._told = self._told, _Everything()
        try:
            yield
        finally:
            self._told = said

    def _tell(self, name: str, place: str) -> None:
        if place not in self._told:
            self._told.add(place)
            self.say(f"{name}: written to {os.path.relpath(place, self.out)} in {self.out}; what is there stays as it is")


class _Everything(set[str]):
    """Whatever one asks for is in it."""

    def __contains__(self, item: object) -> bool:
        return True


def name_of(path: Any) -> str | None:
    """The path as a text, or None for what is no path: a file's number."""
    if isinstance(path, int):
        return None
    try:
        return os.fsdecode(os.fspath(path))
    except (TypeError, ValueError):
        return None


def is_there(place: str) -> bool:
    """Whether there is something of that name, be it a broken link."""
    try:
        REAL["lstat"](place)
    except (OSError, ValueError):
        return False
    return True


def is_inside(path: str, folder: str) -> bool:
    """Whether a full path is a folder or below it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _free_folders() -> list[str]:
    """Where programs write what is not the user's: devices, Python's own folders, caches of compilers."""
    import pooch
    import pytensor

    folders = [*SYSTEM, sys.prefix, sys.base_prefix, str(pytensor.config.base_compiledir), str(Path(__file__).parents[1])]
    folders += [os.environ[name] for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME") if os.environ.get(name)]
    folders += [os.path.expanduser("~/.cache"), os.path.expanduser("~/.pytensor"), str(pooch.os_cache("symae"))]
    return [os.path.realpath(folder) for folder in folders]
