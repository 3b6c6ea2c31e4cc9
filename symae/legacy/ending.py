"""The end of a script, in Python's order, while its files still go into the output folder."""

from __future__ import annotations

import gc
import threading
from contextlib import suppress
from typing import Any

from symae.legacy.session import Session

__all__ = ["let_go", "wait_for_threads"]

YOUNG = 1  # the generations of objects that were made lately


def wait_for_threads() -> None:
    """Wait for all threads that are no daemons, as Python does before the functions of `atexit`; Ctrl-C ends the wait.

    What they use of the script is still there, and what they write goes where it belongs. Pools of threads and of processes
    finish what they have, and take no more work in this process: their threads end only then.
    """
    for end_pools in reversed(threading._threading_atexits):  # type: ignore[attr-defined]
        end_pools()
    while left := [thread for thread in threading.enumerate() if not (thread.daemon or thread is threading.current_thread())]:
        with suppress(RuntimeError):  # another thread is just starting it
            left[0].join()


def let_go(session: Session, own_process: bool) -> None:
    """Let go of what the script's modules hold, as Python does at its own end: files they left open are written and closed.

    Of a file in a cycle of objects the garbage collector may close the lowest layer first, and what is in the upper ones is
    lost then. But what it has seen alive it takes from the top: so it looks at all that is young before, as it does in Python.
    """
    if own_process:
        _silence_what_runs()
    session.files.flush()
    gc.collect(YOUNG)
    for module in session.modules.values():
        names = vars(module)
        for name in reversed(list(names)):  # what was made last first: its __del__ finds what it was made with
            names.pop(name, None)
        names.clear()
    if own_process:  # another has more than the script's to go through, and goes on
        gc.collect()


def _silence_what_runs() -> None:
    """Let no thread that still runs tell that the script's names are gone: daemons stand still by then in Python."""
    left, before = set(threading.enumerate()), threading.excepthook

    def hook(arguments: Any) -> None:
        if arguments.thread not in left or arguments.exc_type is not NameError:
            before(arguments)

    threading.excepthook = hook
