"""What happens in every training beside its steps: Ctrl-C, the progress bar, measures, lines of the log, and the way back."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytensor
from pytensor.compile.sharedvalue import SharedVariable
from tqdm import tqdm

from symae._runtime.decimals import fixed
from symae._runtime.interrupts import interrupts_told
from symae._runtime.progress import progress_bar
from symae.errors import DivergedError
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
            if state.asked:
                signal.default_int_handler(number, frame)
            state.asked = True
            state.interrupting = state.interrupting or state.alone

        self._held.enter_context(interrupts_told(remember))

    def on_train_end(self, state: TrainingState) -> None:
        self._held.close()


class ProgressBar(Callback):
    """Shows on a terminal and in a notebook, and nowhere else, how many epochs are done and how long the others will take."""

    def __init__(self) -> None:
        self._shown = 0  # steps of the present epoch that the bar has
        self._open = ExitStack()

    def on_train_begin(self, state: TrainingState) -> None:
        bar = progress_bar(
            total=state.n_epochs,
            initial=len(state.history),
            desc="Training",
            bar_format="{desc} {percentage:3.0f}% |{bar}| epoch {n:.1f} of {total}  {rate_noinv_fmt}  {remaining} left",
            unit=" epochs",
        )
        self._bar = self._open.enter_context(bar)

    def on_epoch_begin(self, state: TrainingState) -> None:
        self._shown = 0

    def on_progress(self, state: TrainingState) -> None:
        self._bar.update((len(state.rows) - self._shown) / state.n_batches)
        self._shown = len(state.rows)

    def on_train_end(self, state: TrainingState) -> None:
        self._open.close()


class Validation(Callback):
    """Measures after each epoch: the figures that `measure` returns are printed beside the cost and kept by their names."""

    def __init__(self, measure: Callable[[], Mapping[str, float]]):
        self.measure = measure

    def on_measure(self, state: TrainingState) -> None:
        state.metrics |= self.measure()


class Rollback(Callback):
    """Gives `variables` back the values of the last finished epoch after Ctrl-C and where the cost is not finite."""

    def __init__(self, variables: Sequence[SharedVariable]):
        self.variables = variables

    def on_train_begin(self, state: TrainingState) -> None:
        self._finished = [v.get_value() for v in self.variables]

    on_epoch_end = on_train_begin

    def on_exception(self, state: TrainingState) -> None:
        if isinstance(state.error, KeyboardInterrupt | DivergedError):
            for v, value in zip(self.variables, self._finished, strict=True):
                v.set_value(value)


class Shuffling(Callback):
    """Draws a new `order` of `n` examples before each epoch, a shared vector of their positions."""

    def __init__(self, n: int, rng: np.random.RandomState):
        self.n = n
        self.rng = rng
        self.order = pytensor.shared(np.arange(n), name="order")

    def on_epoch_begin(self, state: TrainingState) -> None:
        self.order.set_value(self.rng.permutation(self.n), borrow=True)


class LambdaCallback(Callback):
    """Calls functions, for those who need no class.

    Parameters
    ----------
    before_epoch : callable, optional
        Called with the number of each epoch before it begins.
    on_epoch : callable, optional
        Called with (epoch, cost, seconds, measures) when an epoch has ended and counts.
    """

    def __init__(
        self,
        before_epoch: Callable[[int], None] | None = None,
        on_epoch: Callable[[int, float, float, Mapping[str, float]], None] | None = None,
    ):
        self.before_epoch = before_epoch
        self.on_epoch = on_epoch

    def on_epoch_begin(self, state: TrainingState) -> None:
        if self.before_epoch is not None:
            self.before_epoch(state.epoch)

    def on_epoch_end(self, state: TrainingState) -> None:
        if self.on_epoch is not None:
            self.on_epoch(state.epoch, state.cost, state.seconds, state.metrics)


class LogLines(Callback):
    """Prints ``Training epoch 0, cost 132.518026`` as the tutorials do, and why a training ended before its last epoch.

    `log` gets the lines instead of standard output, `log_every` is as in `symae.training.train_epochs`, and `monitor` is what
    the best epoch is the best in.
    """

    def __init__(self, log: Callable[[str], None] | None = None, log_every: int | None = None, monitor: str = "cost"):
        self.log = log or print_line
        self.log_every = log_every
        self.monitor = monitor

    def on_epoch_end(self, state: TrainingState) -> None:
        every = (1 if state.n_epochs <= 20 else 10) if self.log_every is None else self.log_every
        if every and state.epoch % every == 0:
            with tqdm.external_write_mode():
                figures = "".join(f", {name} {fixed(figure)}" for name, figure in state.metrics.items())
                self.log(f"Training epoch {state.epoch}, cost {fixed(state.cost)}{figures}")

    def on_train_end(self, state: TrainingState) -> None:
        history = state.history
        if state.error is not None:
            return
        if history.interrupted:
            self.log(f"Training interrupted after {len(history)} of {state.n_epochs} epochs")
        if history.stopped_early and history.best_epoch is not None:
            lowest = history.figures(self.monitor)[history.best_epoch]
            best = f"{self.monitor} was lowest in epoch {history.best_epoch}, {fixed(lowest)}"
            self.log(f"Training stopped after {len(history)} of {state.n_epochs} epochs: {best}")


def print_line(line: str) -> None:
    """Print `line` to standard output at once."""
    print(line, flush=True)
