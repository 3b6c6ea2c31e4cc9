"""Ctrl-C during a training."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from typing import Any

from symae._runtime.interrupts import interrupts_told
from symae.training.engine import Callback, TrainingState


class Interrupts(Callback):
    """Holds Ctrl-C back until the present burst of steps has ended.

    Compiled code must not be left in the middle of a step, and Numba's turns an interrupt there into a SystemError. A second
    Ctrl-C is not held back. Outside of the main thread, which gets no signals, this does nothing.
    """

    def __init__(self) -> None:
        self._held = ExitStack()

    def on_train_begin(self, state: TrainingState) -> None:
        def remember(number: int, frame: Any) -> None:
            if state.interrupting:
                signal.default_int_handler(number, frame)
            state.interrupting = True

        self._held.enter_context(interrupts_told(remember))

    def on_train_end(self, state: TrainingState) -> None:
        self._held.close()
