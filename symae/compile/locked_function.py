"""Compiled functions that threads call one after the other.

A compiled function has one place for each of its inputs and results, so that two calls at a time mix up their values.

Numbers of Python become arrays here: PyTensor would look for the smallest type that holds each, and then compare the two, which
takes 9 us a call, a tenth of a step of worksheet 01.
"""

from __future__ import annotations

import contextlib
import copyreg
import os
import threading
import weakref
from typing import Any

import numpy as np
from pytensor.compile.executor import Function, _constructor_Function, _pickle_Function
from pytensor.tensor.type import TensorType

_call = Function.__call__
# the types of Python's numbers that an array of a type holds as they are
_EXACT = {"int64": (int, np.int64), "float64": (float, np.float64)}


def _array(number: Any, dtype: str) -> Any:
    try:
        return np.array(number, dtype)
    except OverflowError:
        return number  # PyTensor refuses it in its own words


class LockedFunction(Function):
    """Call PyTensor's compiled function from one thread at a time; a function that an op calls may call this one again."""

    __slots__ = ("__weakref__", "lock", "loops", "numbers")

    def __init__(self, *arguments: Any, **keywords: Any):
        super().__init__(*arguments, **keywords)
        self._set_own()

    def _set_own(self) -> None:
        self.lock = threading.RLock()
        self.loops: dict[str, Any] = {}  # over its calls, which `symae.compile.loops.loop_over` keeps here
        # of each input that is a number, its place, its type, and of what types it may be given
        self.numbers = [
            (place, container.type.dtype, _EXACT[container.type.dtype])
            for place, container in enumerate(self.input_storage)
            if type(container.type) is TensorType and container.type.ndim == 0 and container.type.dtype in _EXACT
            if not (container.implicit or container.strict)
        ]
        _functions.add(self)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        # written out, because it is a part of every call: 0.2 us, and 0.3 for a number
        for place, dtype, exact in self.numbers:
            if place < len(arguments) and type(arguments[place]) in exact and not self.trust_input:
                arguments = (*arguments[:place], _array(arguments[place], dtype), *arguments[place + 1 :])
        lock = self.lock
        lock.acquire()
        try:
            return _call(self, *arguments, **keywords) if keywords else _call(self, *arguments)
        finally:
            lock.release()


def with_lock(function: Any) -> Any:
    """Return what PyTensor has compiled as a `LockedFunction`; what is not exactly its `Function`, as it is."""
    if type(function) is not Function:
        return function
    made: Any = LockedFunction.__new__(LockedFunction)
    for name in Function.__slots__:
        setattr(made, name, getattr(function, name))
    made._set_own()
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
    # as in `symae._runtime.locks`, but without its share of each call
    for function in list(_functions):
        function.lock = threading.RLock()


_functions: weakref.WeakSet[LockedFunction] = weakref.WeakSet()
copyreg.pickle(LockedFunction, _pickled)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_renew_locks)
