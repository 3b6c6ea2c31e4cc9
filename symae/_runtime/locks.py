"""Locks that are free again in a forked process.

What a thread holds while another one forks would be held for ever in the new process, where that thread is not.
"""

from __future__ import annotations

import os
import threading
import weakref


class Lock:
    """Lock against other threads; the thread that holds the lock may take it again."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._taken = threading.local()
        _locks.add(self)

    def __enter__(self) -> None:
        lock = self._lock
        lock.acquire()
        self._taken.__dict__.setdefault("locks", []).append(lock)

    def __exit__(self, *_: object) -> None:
        self._taken.locks.pop().release()  # not the one that a process has got that was forked meanwhile

    def renew(self) -> None:
        """Forget who has it."""
        self._lock = threading.RLock()


def _renew_locks() -> None:
    for lock in list(_locks):
        lock.renew()


_locks: weakref.WeakSet[Lock] = weakref.WeakSet()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_renew_locks)
