"""Libraries that open files in C, where neither `open` nor `os` is asked: the names that they are given are mapped instead."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any, Protocol
from urllib.parse import quote, unquote, urlsplit

from symae._runtime.import_hooks import after_import

__all__ = ["libraries_redirected"]


class _Files(Protocol):
    """Provide the path for a name."""

    def opened(self, file: Any, mode: Any) -> Any: ...

    def continued(self, path: Any, keeps: bool) -> Any: ...

    def for_reading(self, path: Any) -> Any: ...


Opens = Callable[[_Files, list[Any], dict[str, Any]], None]
_in_force: list[tuple[_Files, ExitStack]] = []
_awaited: set[str] = set()


@contextmanager
def libraries_redirected(files: _Files) -> Iterator[None]:
    """Redirect the functions in `LIBRARIES` to the names of `files`, also in libraries that are imported meanwhile."""
    with ExitStack() as stack:
        _in_force.append((files, stack))
        stack.callback(_in_force.pop)
        for name in LIBRARIES:
            if name in sys.modules:
                _redirect(sys.modules[name])
            elif name not in _awaited:
                _awaited.add(name)
                after_import(name, _imported)
        yield


def _imported(module: ModuleType) -> None:
    _awaited.discard(module.__name__)
    if _in_force:
        _redirect(module)


def _redirect(module: ModuleType) -> None:
    files, stack = _in_force[-1]
    for path, opens in LIBRARIES[module.__name__].items():
        owner: Any = module
        *parents, name = path.split(".")
        for parent in parents:
            owner = getattr(owner, parent, None)
        function = getattr(owner, name, None)
        if function is None:
            continue
        redirected = _redirected(function, opens, files)
        # Other modules may have taken it already.
        keepers = [owner] if parents else [module, *_keepers(function, name)]
        for keeper in keepers:
            if getattr(keeper, name, None) is function:
                stack.callback(setattr, keeper, name, function)
                setattr(keeper, name, redirected)


def _keepers(function: Any, name: str) -> list[ModuleType]:
    modules = [module for module in list(sys.modules.values()) if isinstance(module, ModuleType)]
    return [module for module in modules if vars(module).get(name) is function]


def _redirected(function: Callable[..., Any], opens: Opens, files: _Files) -> Callable[..., Any]:
    @functools.wraps(function)
    def redirected(*arguments: Any, **keywords: Any) -> Any:
        if any(files is one for one, _ in _in_force):
            positional = list(arguments)
            opens(files, positional, keywords)
            arguments = tuple(positional)
        return function(*arguments, **keywords)

    return redirected


def _is_path(value: Any) -> bool:
    return isinstance(value, str | bytes | os.PathLike)


def _argument(position: int, keyword: str, mapped: Callable[[_Files, Any], Any]) -> Opens:
    """Make a redirection of one argument that is a path, which `mapped` maps."""

    def opens(files: _Files, positional: list[Any], keywords: dict[str, Any]) -> None:
        if len(positional) > position:
            if _is_path(positional[position]):
                positional[position] = mapped(files, positional[position])
        elif _is_path(keywords.get(keyword)):
            keywords[keyword] = mapped(files, keywords[keyword])

    return opens


def _new(files: _Files, path: Any) -> Any:
    return files.continued(path, keeps=False)


def _new_matrix(files: _Files, path: Any) -> Any:
    """Map a new matrix's file, to whose name SciPy adds an ending where there is none."""
    name = os.fsdecode(path)
    return files.continued(name if name.endswith(".mtx") else f"{name}.mtx", keeps=False)


def _old(files: _Files, path: Any) -> Any:
    return files.for_reading(path)


def _library(files: _Files, name: Any) -> Any:
    """Map a shared library's file; a name without a folder is the system's."""
    return files.for_reading(name) if os.sep in os.fsdecode(name) else name


def _database(files: _Files, name: Any) -> Any:
    """Map SQLite's database, a file or a URI, which it may want to write to at any time."""
    text = os.fsdecode(name)
    if text in ("", ":memory:"):
        return name
    if not text.startswith("file:"):
        return _with_its_journal(files, text)
    parts = urlsplit(text)
    if "mode=memory" in parts.query or parts.path in ("", ":memory:"):
        return name
    path = unquote(parts.path)
    place = files.for_reading(path) if "mode=ro" in parts.query else _with_its_journal(files, path)
    return f"file:{quote(os.fsdecode(place))}{'?' if parts.query else ''}{parts.query}"


def _with_its_journal(files: _Files, path: str) -> Any:
    for end in ("-journal", "-wal"):
        if os.path.exists(path + end):
            files.continued(path + end, keeps=True)
    return files.continued(path, keeps=True)


def _by_mode(position: int, keyword: str, default: str, ends: tuple[str, ...] = ("",)) -> Opens:
    """Make a redirection of a path by the mode in the argument after it, as in `open`; `n` is for new."""

    def opens(files: _Files, positional: list[Any], keywords: dict[str, Any]) -> None:
        mode = positional[position] if len(positional) > position else keywords.get(keyword, default)
        path = positional[position - 1] if len(positional) >= position else keywords.get("name")
        if not isinstance(mode, str) or not isinstance(path, str | bytes | os.PathLike):
            return
        kind = {"n": "w", "c": "a", "w-": "x", "r+": "a"}.get(mode.rstrip("fsu"), mode.rstrip("fsu"))
        place = os.fsdecode(path)
        for end in ends:
            place = os.fsdecode(files.opened(os.fsdecode(path) + end, kind))
        place = place.removesuffix(ends[-1]) if ends[-1] else place
        if len(positional) >= position:
            positional[position - 1] = place
        else:
            keywords["name"] = place

    return opens


def _dbm(*ends: str) -> Opens:
    """Make a redirection of dbm's files; its ``w`` is for a file that is there."""
    by_mode = _by_mode(1, "flags", "r", ends)

    def opens(files: _Files, positional: list[Any], keywords: dict[str, Any]) -> None:
        if len(positional) > 1 and isinstance(positional[1], str) and positional[1].startswith("w"):
            before = positional[1]
            positional[1] = "a"
            by_mode(files, positional, keywords)
            positional[1] = before
        else:
            by_mode(files, positional, keywords)

    return opens


# What of which module opens files: h5py's object, say, has its path second, after itself, and a mode.
LIBRARIES: dict[str, dict[str, Opens]] = {
    "sqlite3": {"connect": _argument(0, "database", _database), "Connection": _argument(0, "database", _database)},
    "ctypes": {"CDLL.__init__": _argument(1, "name", _library)},
    "importlib.util": {"spec_from_file_location": _argument(1, "location", _old)},
    "scipy.io": {"mmwrite": _argument(0, "target", _new_matrix)},
    "torch": {"save": _argument(1, "f", _new)},
    "torch.jit": {"save": _argument(1, "f", _new)},
    "safetensors": {"serialize_file": _argument(1, "filename", _new), "safe_open": _argument(0, "filename", _old)},
    "h5py": {"File.__init__": _by_mode(2, "mode", "r")},
    "_gdbm": {"open": _dbm("")},
    "_dbm": {"open": _dbm(".db")},
}
