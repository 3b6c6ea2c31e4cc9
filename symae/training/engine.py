"""The engine of all trainings: it makes the steps of an epoch in bursts and calls callbacks at the turning points.

`run_training` knows of steps, epochs and a history. Everything else that happens in a training is a `Callback`: validation,
early stopping, checkpoints, log lines, the progress bar, Ctrl-C; `train_epochs` and `fit` put them together. Keras, Lightning
and skorch have the same turning points under the same names; here their one argument is the `TrainingState`, and none of them
lies between two steps, because steps run within compiled code.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symae._runtime.blas_threads import blas_threads
from symae.compile.loops import Figures, diverged, loop_over, run_in_bursts
from symae.compile.rehearsal import FirstStep, rehearsing
from symae.errors import DivergedError, InputError
from symae.training.history import History

Step = Callable[[int], Any]

SHOWN = 0.1  # seconds from one `on_progress` to the next, at least


@dataclass
class TrainingState:
    """Show a training to callbacks.

    Attributes
    ----------
    n_epochs, n_batches : int
        How many epochs there will be at most, and how many minibatches each has.
    history : History
        The finished epochs; the one that has just ended is in it when `Callback.on_epoch_end` is called.
    epoch : int
        The number of the present epoch; the first is 0.
    rows : sequence of lists of float
        What each step of the present epoch has returned so far: its cost and what it measures.
    cost, seconds : float
        The mean cost of the last epoch that ran to its end, and how long its steps took.
    metrics : dict of float
        What was measured in that epoch, by name; `Callback.on_measure` may add to it.
    stop : bool
        Set it to end the training with the present epoch, in `Callback.on_pause` at once.
    pause_at : float or None
        Call `Callback.on_pause` when so many steps are done, counted from the first epoch on; the same in all processes.
    interrupting : bool
        Ctrl-C was pressed: the training ends after the present burst of steps.
    asked, alone : bool
        Ctrl-C was pressed in this process; unless it is alone, the processes agree on `interrupting`.
    error : BaseException or None
        What ends the training. `Callback.on_exception` may put another error in its place; None leaves it.
    """

    n_epochs: int
    n_batches: int
    history: History
    epoch: int = 0
    rows: Figures = field(default_factory=Figures)
    cost: float = math.nan
    seconds: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)
    stop: bool = False
    pause_at: float | None = None
    interrupting: bool = False
    asked: bool = False
    alone: bool = True
    error: BaseException | None = None

    @property
    def steps(self) -> int:
        """The number of steps that are done, counted from the first epoch on."""
        return self.epoch * self.n_batches + len(self.rows)


class Callback:
    """Provide what is called at the turning points of a training; each method does nothing unless a subclass defines it.

    The callbacks of a training are called in their order. Whatever ends the training, `on_train_end` is called for each whose
    `on_train_begin` was.

    Attributes
    ----------
    first_process_only : bool
        Of several processes that train together, call it in the first one only, because it writes files.
    """

    first_process_only = False

    def on_train_begin(self, state: TrainingState) -> None:
        """Run once, before the first epoch."""

    def on_epoch_begin(self, state: TrainingState) -> None:
        """Run before the first step of each epoch."""

    def on_progress(self, state: TrainingState) -> None:
        """Run between bursts of steps, at most ten times a second, and after the last step of an epoch."""

    def on_pause(self, state: TrainingState) -> None:
        """Run when ``state.pause_at`` steps are done."""

    def on_measure(self, state: TrainingState) -> None:
        """Run after the last step of an epoch: what it puts into ``state.metrics`` is printed and kept in the history."""

    def on_epoch_end(self, state: TrainingState) -> None:
        """Run when an epoch is finished and counts."""

    def on_exception(self, state: TrainingState) -> None:
        """Run when ``state.error`` is about to end the training: a KeyboardInterrupt, a DivergedError or another."""

    def on_train_end(self, state: TrainingState) -> None:
        """Run once, after the last epoch; ``state.error`` is None unless `run_training` is about to raise it."""


# a function is called with the state as each epoch ends; True ends the training
Callbacks = Sequence[Callback | Callable[[TrainingState], Any]]


class _AtEpochEnd(Callback):
    """Calls a function as each epoch ends."""

    def __init__(self, function: Callable[[TrainingState], Any]):
        self._function = function

    def on_epoch_end(self, state: TrainingState) -> None:
        if self._function(state) is True:
            state.stop = True


def run_training(
    step: Step,
    n_batches: int,
    n_epochs: int,
    callbacks: Callbacks = (),
    *,
    metric_names: Sequence[str] | None = (),
    batch_weights: Sequence[float] | None = None,
    monitor: str = "cost",
    history: History | None = None,
    threads: int | None = None,
    loop: str = "compiled",
) -> History:
    """Make the steps of all epochs, minibatch after minibatch; the arguments are those of `symae.training.train_epochs`.

    `step` is its `train`. With `metric_names` None what `step` returns after the cost is not measured. A KeyboardInterrupt ends
    the training and is not raised again: ``interrupted`` is true in the history then.
    """
    check_minibatches(n_batches)
    check_callbacks(callbacks)
    called = [callback if isinstance(callback, Callback) else _AtEpochEnd(callback) for callback in callbacks]
    steps = loop_over(step, loop)
    if rehearsing():
        steps, n_epochs = FirstStep(steps), min(n_epochs, 1)
    history = History() if history is None else history
    state = TrainingState(n_epochs, n_batches, history, epoch=len(history))
    begin, progress, pause, measure, end, exception = (
        _defined(called, name)
        for name in ("on_epoch_begin", "on_progress", "on_pause", "on_measure", "on_epoch_end", "on_exception")
    )

    def run_epoch() -> bool:
        """Make the steps of an epoch; False if it was stopped before its end."""
        rows, first = state.rows, state.epoch * n_batches
        shown = time.perf_counter()
        while (done := len(rows)) < n_batches:
            until = n_batches if state.pause_at is None else min(n_batches, max(math.ceil(state.pause_at) - first, done + 1))
            for burst in run_in_bursts(steps, until - done, done):
                rows += burst
                if diverged(burst):
                    where = f"epoch {state.epoch}, minibatch {len(rows) - 1}"
                    raise DivergedError(f"{where}: the cost is {rows[-1][0]}, expected a finite number; try a smaller rate")
                if state.interrupting:
                    raise KeyboardInterrupt
                now = time.perf_counter()
                if now - shown > SHOWN:
                    _call(progress, state)
                    shown = now
            if state.pause_at is not None and state.steps >= state.pause_at:
                _call(pause, state)
                if state.interrupting:
                    raise KeyboardInterrupt
                if state.stop:
                    return False
        _call(progress, state)
        return True

    with blas_threads(threads), ExitStack() as ends:
        # they end in the order in which they began: a stack unwinds the other way
        begun: list[Callback] = []
        ends.callback(lambda: _end(begun, state))
        try:
            for callback in called:
                begun.append(callback)
                callback.on_train_begin(state)
        except BaseException as error:
            state.error = error
            raise
        try:
            for epoch in range(len(history), n_epochs):
                if state.stop:
                    history.stopped_early = True
                    break
                state.epoch, state.rows = epoch, Figures()
                _call(begin, state)
                started = time.perf_counter()
                if not run_epoch():
                    history.stopped_early = True
                    break
                state.cost, *means = (_mean(column, batch_weights) for column in state.rows.columns())
                state.seconds = time.perf_counter() - started
                state.metrics = {} if metric_names is None else dict(zip(metric_names, means, strict=True))
                _call(measure, state)
                history.add(state.cost, state.seconds, state.metrics, monitor)
                _call(end, state)
                if state.interrupting:
                    raise KeyboardInterrupt
        except BaseException as error:
            state.error = error
            _call(exception, state)
            if state.error not in (None, error):
                raise state.error from error
            if not isinstance(error, KeyboardInterrupt):
                raise
            state.error, history.interrupted = None, True
    return history


def _mean(figures: np.ndarray, weights: Sequence[float] | None) -> float:
    # without weights it is what np.average computes, in a tenth of its time
    mean = np.add.reduce(figures) / len(figures) if weights is None else np.average(figures, weights=weights)
    return float(mean)


def check_minibatches(n_batches: int) -> None:
    """Refuse to train on nothing."""
    if n_batches < 1:
        raise InputError("n_batches", str(n_batches), "at least one full minibatch of images")


def check_callbacks(callbacks: Callbacks) -> None:
    """Refuse what is not a sequence of callbacks: InputError names the first one that is neither `Callback` nor function."""
    if not isinstance(callbacks, Sequence):
        raise InputError("callbacks", f"a {type(callbacks).__name__}", "a list of instances of symae.training.Callback")
    for number, callback in enumerate(callbacks):
        if not isinstance(callback, Callback) and (isinstance(callback, type) or not callable(callback)):
            found = f"the class {callback.__name__}" if isinstance(callback, type) else f"a {type(callback).__name__}"
            expected = (
                "a function of the TrainingState, or an instance of symae.training.Callback or of a class derived from it"
            )
            raise InputError(f"callbacks[{number}]", found, expected)


Hook = Callable[[TrainingState], None]


def _defined(callbacks: Sequence[Callback], name: str) -> list[Hook]:
    """Return the methods `name` of those callbacks that define it, so that the others are not called for nothing."""
    hooks = [getattr(callback, name) for callback in callbacks]
    return [hook for hook in hooks if getattr(hook, "__func__", None) is not getattr(Callback, name)]


def _call(hooks: Sequence[Hook], state: TrainingState) -> None:
    """Call `hooks` in their order."""
    for hook in hooks:
        hook(state)


def _end(begun: Sequence[Callback], state: TrainingState) -> None:
    """Call `on_train_end` of all, also where one of them raises an error."""
    with ExitStack() as ends:
        for callback in reversed(begun):
            ends.callback(callback.on_train_end, state)
