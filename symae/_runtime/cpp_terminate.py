"""What happens before C++ aborts the process because nobody catches an exception of one of its threads.

By then the exception has no other way: what is called may wait, or end the process with words and a status of its own.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

LIBRARY = "libstdc++.so.6"
SET_TERMINATE = "_ZSt13set_terminatePFvvE"  # std::set_terminate(void (*)())

_kept: list[object] = []  # what C++ calls must not be collected
_undo: list[Callable[[], object]] = []


def call_before_abort(call: Callable[[], object]) -> bool:
    """Have `call` called, in the thread that is concerned, before C++ aborts the process; when it returns, C++ does.

    Returns
    -------
    bool
        False, and nothing is done, where C++'s library is not that of Linux.
    """
    if sys.platform != "linux":
        return False
    try:
        set_terminate = getattr(ctypes.CDLL(LIBRARY), SET_TERMINATE)
    except (OSError, AttributeError):
        return False
    kind = ctypes.CFUNCTYPE(None)
    set_terminate.restype, set_terminate.argtypes = ctypes.c_void_p, [kind]

    def ask() -> None:
        call()
        if before:
            kind(before)()

    handler = kind(ask)
    _kept.append(handler)
    before = set_terminate(handler)
    _undo.append(lambda: set_terminate(kind(before)))
    return True


def abort_as_before() -> None:
    """Let nothing be called any more before C++ aborts the process: Python is about to end."""
    while _undo:
        _undo.pop()()
