"""Locks of compiled functions and of compiling, which are free again in a forked process.

A compiled function has one place for each of its inputs and results, so that two calls at a time mix up their values. What a
thread holds while another one forks would be held for ever in the new process, where that thread is not.
"""

from __future__ import annotations

import contextlib
import copyreg
import os
import threading
import weakref
from typing import Any

from pytensor.compile.executor import Function, _constructor_Function, _pickle_Function

__all__ = ["Lock", "LockedFunction", "locked", "with_lock"]


_call = Function.__call__


class Lock:
    """A lock that the thread that has it may take again."""

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


class LockedFunction(Function):
    """PyTensor's compiled function, called by one thread at a time.

    A function that an op calls may call this one again.
    """

    __slots__ = ("__weakref__", "lock")

    def __init__(self, *arguments: Any, **keywords: Any):
        super().__init__(*arguments, **keywords)
        self._set_lock()

    def _set_lock(self) -> None:
        self.lock = threading.RLock()
        _functions.add(self)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        # written out, because it is a part of every call: 0.2 us
        lock = self.lock
        lock.acquire()
        try:
            return _call(self, *arguments, **keywords) if keywords else _call(self, *arguments)
        finally:
            lock.release()


def with_lock(function: Any) -> Any:
    """What PyTensor has compiled, as a `LockedFunction`; what is not exactly its `Function`, as it is."""
    if type(function) is not Function:
        return function
    made: Any = LockedFunction.__new__(LockedFunction)
    for name in Function.__slots__:
        setattr(made, name, getattr(function, name))
    made._set_lock()
    made.maker.function_class = LockedFunction  # of copies
    return made


def locked(function: Any) -> contextlib.AbstractContextManager[Any]:
    """Keep other threads from calling `function` inside the block, if it is a `LockedFunction`."""
    return function.lock if isinstance(function, LockedFunction) else contextlib.nullcontext()


def _made_again(*arguments: Any) -> Any:
    return with_lock(_constructor_Function(*arguments))


def _pickled(function: LockedFunction) -> tuple[Any, ...]:
    with function.lock:
        return _made_again, _pickle_Function(function)[1]


def _renew_locks() -> None:
    for lock in list(_locks):
        lock.renew()
    for function in list(_functions):
        function.lock = threading.RLock()


_functions: weakref.WeakSet[LockedFunction] = weakref.WeakSet()
_locks: weakref.WeakSet[Lock] = weakref.WeakSet()
copyreg.pickle(LockedFunction, _pickled)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_renew_locks)
