"""A number of steps cut into pieces of about a fifth of a second, between which Python shows progress and hears of Ctrl-C."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

from symae.compile.loops.base import IndexedStep, Loop
from symae.compile.loops.figures import Rows

SECONDS = 0.2


class _StepsPerCall:
    """Learn how many steps fit into about a fifth of a second from those that were made; begin with one."""

    def __init__(self, shapes: Any) -> None:
        self.shapes = shapes  # of what they compute with
        self.steps = 1

    def learn(self, steps: int, seconds: float) -> None:
        """Note that `steps` steps took `seconds`."""
        fitting = self.steps * 8 if seconds <= 0 else int(min(steps * SECONDS / seconds, self.steps * 8))
        self.steps = max(1, fitting)


# of loops that ran before: whoever trains one epoch at a time would begin with one step each time
_learned: WeakKeyDictionary[Loop, _StepsPerCall] = WeakKeyDictionary()


def _learned_of(loop: Loop) -> _StepsPerCall:
    indexed = getattr(loop, "indexed", loop)
    shapes = indexed.shapes() if isinstance(indexed, IndexedStep) else None
    try:
        learned = _learned.get(loop)
        if learned is None or learned.shapes != shapes:
            # data that have grown a thousandfold: in a burst of as many steps as before Ctrl-C would wait for minutes
            learned = _learned[loop] = _StepsPerCall(shapes)
    except TypeError:  # an object of another's that has no hash, or takes no weak references
        return _StepsPerCall(shapes)
    return learned


def run_in_bursts(loop: Loop, steps: int, first: int = 0) -> Iterator[Rows]:
    """Run `steps` steps from number `first` on; yield the figures of each burst. A cost that is not finite ends its burst."""
    steps_per_call, end = _learned_of(loop), first + steps
    while first < end:
        started = time.perf_counter()
        rows = loop.run(first, min(steps_per_call.steps, end - first))
        steps_per_call.learn(len(rows), time.perf_counter() - started)
        first += len(rows)
        yield rows


def diverged(rows: Rows) -> bool:
    """Return True if the last step's cost is not finite."""
    return not math.isfinite(rows[-1][0])
