"""Who is called at Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def interrupts_told(handler: Callable[[int, Any], None]) -> Iterator[None]:
    """Let Ctrl-C call `handler` during the block, with the signal's number and the frame, and afterwards what it called before.

    Only the main thread is interrupted, and only a handler that Python knows can be put back: elsewhere this does nothing.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is None:
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def interrupts_later() -> Iterator[list[int]]:
    """Let Ctrl-C wait for the end of the block; yield what has a number by then if it waits."""
    came: list[int] = []
    with interrupts_told(lambda number, _: came.append(number)):
        yield came
    for number in came[:1]:
        signal.raise_signal(number)
