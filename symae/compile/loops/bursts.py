"""A number of steps cut into pieces of about a fifth of a second, between which Python shows progress and hears of Ctrl-C."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from weakref import WeakKeyDictionary

from symae.compile.loops.base import Loop
from symae.compile.loops.figures import Rows

SECONDS = 0.2
TRIED = 100  # the first burst has so many times fewer steps than fitted before


class _StepsPerCall:
    """Learn how many steps fit into about a fifth of a second from those that were made; begin with one."""

    def __init__(self) -> None:
        self.steps = 1

    def learn(self, steps: int, seconds: float) -> None:
        """Note that `steps` steps took `seconds`."""
        fitting = self.steps * 8 if seconds <= 0 else int(min(steps * SECONDS / seconds, self.steps * 8))
        self.steps = max(1, fitting)


# of loops that ran before: whoever trains one epoch at a time would begin with one step each time
_learned: WeakKeyDictionary[Loop, _StepsPerCall] = WeakKeyDictionary()


def _learned_of(loop: Loop) -> _StepsPerCall:
    try:
        return _learned.setdefault(loop, _StepsPerCall())
    except TypeError:  # an object of another's that has no hash, or takes no weak references
        return _StepsPerCall()


def run_in_bursts(loop: Loop, steps: int, first: int = 0) -> Iterator[Rows]:
    """Run `steps` steps from number `first` on; yield the figures of each burst. A cost that is not finite ends its burst."""
    steps_per_call, end = _learned_of(loop), first + steps
    # the data may have grown since: a burst of as many steps as before would not hear of Ctrl-C for minutes
    most = max(1, steps_per_call.steps // TRIED)
    while first < end:
        started = time.perf_counter()
        rows = loop.run(first, min(most, end - first))
        steps_per_call.learn(len(rows), time.perf_counter() - started)
        first, most = first + len(rows), steps_per_call.steps
        yield rows


def diverged(rows: Rows) -> bool:
    """Return True if the last step's cost is not finite."""
    return not math.isfinite(rows[-1][0])
