"""Threads that let others run: they get their part of the processor, but interrupt no other thread to get it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

THREADS = Path("/proc/self/task")


@contextmanager
def threads_that_yield() -> Iterator[None]:
    """Let threads that begin in the block, of whatever library, interrupt no others; on Linux, elsewhere nothing happens.

    A thread that is woken may interrupt another one in the middle of what it does, and spin until that goes on, which it cannot
    do before the time of the first one is over. Those of the policy SCHED_BATCH begin when a processor is free or when it is
    their turn.
    """
    before = _threads()
    yield
    if hasattr(os, "SCHED_BATCH"):
        for thread in _threads() - before:
            with suppress(OSError):  # it has ended, or the system forbids it
                os.sched_setscheduler(thread, os.SCHED_BATCH, os.sched_param(0))


def _threads() -> set[int]:
    try:
        return {int(path.name) for path in THREADS.iterdir()}
    except OSError:
        return set()
