"""What Python is about to do to files, by whatever way it was asked: also by functions that were replaced too late.

An audit hook sees a file's name just before it is opened, removed, renamed or changed; it can forbid that, but not choose
another file. A hook stays for the life of a process, so there is one, which asks whoever wants to know at the moment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

__all__ = ["STARTS", "WRITES", "Change", "watched"]

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Events of other programs being started.
STARTS = {"os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "subprocess.Popen", "pty.spawn"}


@dataclass(frozen=True)
class Change:
    """Describe what is about to be done to one path.

    Attributes
    ----------
    event : str
        Python's name for it.
    path : str, bytes, int or path
    folder : int
        A descriptor of the folder that a relative path is in; -1 for the working directory.
    follows : bool
        Whether a link's target is meant, and not the link.
    """

    event: str
    path: Any
    folder: int = -1
    follows: bool = False


def _opened(path: Any, mode: Any, flags: Any) -> list[tuple[Any, int, bool]]:
    writes = (isinstance(flags, int) and flags & WRITES) or (isinstance(mode, str) and set(mode) & set("wax+"))
    return [(path, -1, True)] if writes else []


def _database(name: Any) -> list[tuple[Any, int, bool]]:
    text = os.fsdecode(name) if isinstance(name, str | bytes | os.PathLike) else ""
    if text in ("", ":memory:"):
        return []
    if not text.startswith("file:"):
        return [(text, -1, True)]
    parts = urlsplit(text)
    return [] if "mode=ro" in parts.query or "mode=memory" in parts.query else [(unquote(parts.path), -1, True)]


TARGETS: dict[str, Callable[..., list[tuple[Any, int, bool]]]] = {
    "open": _opened,
    "os.remove": lambda path, folder: [(path, folder, False)],
    "os.rmdir": lambda path, folder: [(path, folder, False)],
    "os.mkdir": lambda path, mode, folder: [(path, folder, False)],
    "os.rename": lambda old, new, folder, other: [(old, folder, False), (new, other, False)],
    # Writing through another name of a file is writing to it.
    "os.link": lambda old, new, folder, other: [(old, folder, True), (new, other, False)],
    "os.symlink": lambda old, new, folder: [(new, folder, False)],
    "os.truncate": lambda path, length: [(path, -1, True)],
    "os.chmod": lambda path, mode, folder: [(path, folder, True)],
    "os.chown": lambda path, user, group, folder: [(path, folder, True)],
    "os.chflags": lambda path, flags: [(path, -1, True)],
    "os.utime": lambda path, times, ns, folder: [(path, folder, True)],
    "os.setxattr": lambda path, *_: [(path, -1, True)],
    "os.removexattr": lambda path, *_: [(path, -1, True)],
    "sqlite3.connect": _database,
}

_asked: list[tuple[Callable[[Change], None], Callable[[], None]]] = []
_installed: list[bool] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _asked:
        return
    if event in TARGETS:
        for path, folder, follows in TARGETS[event](*arguments):
            _asked[-1][0](Change(event, path, folder, follows))
    elif event in STARTS:
        _asked[-1][1]()


@contextmanager
def watched(changes: Callable[[Change], None], starts: Callable[[], None]) -> Iterator[None]:
    """Call `changes`, which may raise, before each change of a path, and `starts` before other programs are started."""
    if not _installed:
        sys.addaudithook(_hook)
        _installed.append(True)
    _asked.append((changes, starts))
    try:
        yield
    finally:
        _asked.pop()
