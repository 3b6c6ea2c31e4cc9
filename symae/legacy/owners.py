"""Whose a path is: the user's, the run's own, or free for programs, like a compiler's cache."""

from __future__ import annotations

import importlib.util
import os
import sysconfig
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

__all__ = ["Owner", "Owners", "is_inside", "is_there"]

Owner = Literal["run", "free", "temporary", "user"]

SYSTEM = ("/dev", "/proc", "/sys")
# Compiled code beside its source: Python and Numba write it, and nothing else is in such a folder.
COMPILED = "__pycache__"
REAL_LSTAT, REAL_LISTDIR = os.lstat, os.listdir


class Owners:
    """Decide for real paths, without links, who may change what is there.

    The deepest of the known folders that holds a path decides: a cache in the user's home is free, a project in the folder of a
    cache is the user's. What is in none of them is the user's.

    Parameters
    ----------
    out : str
        The output folder.
    roots : iterable of str
        The user's: the folders of the script and of the run's start.

    Attributes
    ----------
    caches, python : list of str
        Caches, and where Python and installed packages are.
    temporary : str
        The folder for temporary files.
    """

    def __init__(self, out: str, roots: Iterable[str]):
        self.out = out
        self.caches = caches()
        self.python = _folders_of_python()
        self._folders: dict[str, Owner] = {**dict.fromkeys((*SYSTEM, *self.caches, *self.python), "free")}
        self.temporary = ""
        self._before: frozenset[str] = frozenset()
        self._roots = list(roots)
        self.use_temporary(os.path.realpath(tempfile.gettempdir()))
        self._made: set[str] = set()

    def use_temporary(self, folder: str) -> None:
        """Let temporary files be in `folder`; what is there now is the user's."""
        self._folders.pop(self.temporary, None)
        self.temporary = folder
        self._before = frozenset(REAL_LISTDIR(folder))
        self._folders[folder] = "temporary"
        self._folders |= dict.fromkeys(self._roots, "user")
        self._folders[self.out] = "run"

    def of(self, real: str) -> Owner:
        """Return the owner of a real path."""
        if COMPILED in real.split(os.sep):
            return "free"
        deepest = max((folder for folder in self._folders if is_inside(real, folder)), key=len, default="")
        owner = self._folders.get(deepest, "user")
        return "user" if owner == "temporary" and not self._is_new(real) else owner

    def may_change(self, real: str) -> bool:
        """Return True if the script may change what is at a real path."""
        return self.of(real) != "user"

    def _is_new(self, real: str) -> bool:
        """Return True if a temporary file or folder was not there before the run."""
        if real == self.temporary:
            return True
        top = os.path.relpath(real, self.temporary).split(os.sep)[0]
        if top not in self._before or any(is_inside(real, made) for made in self._made):
            return True
        if is_there(real):
            return False
        self._made.add(real)
        return True


def caches() -> list[str]:
    """Return the folders in which libraries keep what they can make again."""
    import pooch
    import pytensor

    config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    folders = [str(pytensor.config.base_compiledir), str(pytensor.config.compiledir), str(pooch.os_cache("symae"))]
    folders += [os.environ[name] for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "MPLCONFIGDIR") if os.environ.get(name)]
    folders += [os.path.join(config, "matplotlib")] if importlib.util.find_spec("matplotlib") else []
    folders += [os.path.expanduser(f"~/{name}") for name in (".cache", ".pytensor", ".nv", ".triton")]
    return list(dict.fromkeys(os.path.realpath(folder) for folder in folders))


def _folders_of_python() -> list[str]:
    """Return where Python and installed packages are; never a whole environment, which may be a project's own folder."""
    paths = sysconfig.get_paths()
    folders = [os.path.realpath(paths[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return [folder for folder in dict.fromkeys(folders) if len(Path(folder).parts) > 2]


def is_there(place: str) -> bool:
    """Return True if there is something of that name, be it a broken link."""
    try:
        REAL_LSTAT(place)
    except (OSError, ValueError):
        return False
    return True


def is_inside(path: str, folder: str) -> bool:
    """Return True if a full path is `folder` or below it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
