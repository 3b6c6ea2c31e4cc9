"""How many cores other programs leave free, on Linux.

A thread that has to wait for a core, in a team of threads that wait for each other at each step, holds up all of them for
milliseconds; beside busy programs, a team of as many threads as there are cores takes many times as long as one thread alone.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

_SECONDS = 0.02  # between two looks
_WEIGHT = 0.3  # of the last look in the average: a program that runs for a moment changes nothing


class FreeCores:
    """Keep an average of how many threads of others run at the moments it is asked, by one that runs itself."""

    def __init__(self) -> None:
        self._next = 0.0
        self._others: float | None = None

    def limit(self, threads: int) -> int:
        """Return how many of `threads` threads have cores of their own, at least 1."""
        if threads < 2:
            return threads
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _SECONDS
            others = running_threads() - 1
            self._others = others if self._others is None else self._others + _WEIGHT * (others - self._others)
        cores = os.cpu_count() or threads
        return max(1, min(threads, cores - round(max(0.0, self._others or 0.0))))


def running_threads() -> int:
    """Return how many threads of the machine have work now, this one included; 1 where nobody tells."""
    try:
        return max(1, int(Path("/proc/loadavg").read_text().split()[3].partition("/")[0]))
    except (OSError, IndexError, ValueError):
        return 1
