"""``theano.gof.compilelock``: a folder that one process at a time holds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytensor
from pytensor.compile import compilelock as _theirs

__all__ = ["force_unlock", "get_lock", "lock_ctx", "release_lock"]


class _Held(threading.local):
    """The locks of a thread, as the lock's own count is a thread's."""

    def __init__(self) -> None:
        self.locks: list[AbstractContextManager[Any]] = []


_held = _Held()


def get_lock(lock_dir: Any = None, **kw: Any) -> None:
    """Wait until this process has the folder `lock_dir`, by default that of compiled code; `release_lock` gives it back."""
    lock = _theirs.lock_ctx(lock_dir or pytensor.config.compiledir)
    lock.__enter__()
    _held.locks.append(lock)


def release_lock() -> None:
    """Give back the folder that this thread got last."""
    if _held.locks:
        _held.locks.pop().__exit__(None, None, None)


@contextmanager
def lock_ctx(lock_dir: Any = None, keep_lock: bool = False, **kw: Any) -> Iterator[None]:
    """Hold the folder as long as the block lasts, also where an exception ends it."""
    get_lock(lock_dir, **kw)
    try:
        yield
    finally:
        if not keep_lock:
            release_lock()


def force_unlock() -> None:
    """Take away the lock on the folder of compiled code from whoever has it."""
    _theirs.force_unlock(pytensor.config.compiledir)
