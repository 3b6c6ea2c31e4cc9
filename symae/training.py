"""The minibatch loops of the tutorials: a fixed number of epochs, or as many as patience allows.

Both call a compiled function ``train(index) -> cost`` for one minibatch after the other, keep BLAS to one thread, show a
progress bar on a terminal, and come back with what was finished when Ctrl-C is pressed.
"""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from symae.errors import UnwritableError
from symae.threads import blas_threads

__all__ = ["DivergedError", "EpochLog", "History", "Patience", "PatienceResult", "train_epochs", "train_with_patience"]

Step = Callable[[int], Any]


class DivergedError(FloatingPointError):
    """The cost became infinite or not a number."""


@dataclass
class History:
    """What happened in each finished epoch.

    Attributes
    ----------
    costs : list of float
        The mean of the minibatch costs, in the units of the cost.
    seconds : list of float
        How long each epoch took.
    interrupted : bool
        Ctrl-C ended the training before the last epoch.
    """

    costs: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    interrupted: bool = False

    def __len__(self) -> int:
        return len(self.costs)


class EpochLog:
    """Writes a JSON line for each epoch as it ends, so that a run can be watched from outside.

    Parameters
    ----------
    path : path
    model : str, optional
        Stands in each line, for files that hold several models' epochs.
    append : bool
        Keep the lines that are there; otherwise they go as the first epoch ends.
    """

    def __init__(self, path: Path, model: str | None = None, *, append: bool = False):
        self.path = path
        self.model = model
        self.append = append

    def __call__(self, epoch: int, cost: float, seconds: float) -> None:
        entry = {"model": self.model} if self.model is not None else {}
        line = json.dumps({**entry, "epoch": epoch, "cost": cost, "seconds": round(seconds, 4)})
        try:
            with self.path.open("a" if self.append else "w") as file:
                file.write(line + "\n")
        except OSError as error:
            raise UnwritableError(self.path, error.strerror or str(error)) from error
        self.append = True


def train_epochs(
    train: Step,
    n_batches: int,
    n_epochs: int,
    *,
    every: int | None = None,
    on_epoch: Callable[[int, float, float], None] | None = None,
    threads: int | None = None,
    say: Callable[[str], None] | None = None,
) -> History:
    """Run `n_epochs` times over `n_batches` minibatches, in order.

    Prints ``Training epoch 0, cost 132.518026`` as the tutorials do.

    Parameters
    ----------
    train : callable
        Takes the index of a minibatch, does one step, returns its cost.
    n_batches, n_epochs : int
    every : int, optional
        Print every so many epochs, 0 for none. By default each of up to 20 epochs, and every tenth of more.
    on_epoch : callable, optional
        Called with (epoch, cost, seconds) as each epoch ends; an `EpochLog` for instance.
    threads : int, optional
        Threads of BLAS; see `symae.threads.blas_threads`.
    say : callable, optional
        Gets the printed lines instead of standard output.

    Returns
    -------
    History
        Of the finished epochs; on Ctrl-C the rest is missing and ``interrupted`` is true.

    Raises
    ------
    DivergedError
        A minibatch's cost is infinite or not a number. Says which.
    """
    every = (1 if n_epochs <= 20 else 10) if every is None else every
    say = say or _say
    history = History()
    with blas_threads(threads), interrupts() as check, _progress(n_epochs) as bar:
        try:
            for epoch in range(n_epochs):
                started = time.perf_counter()
                cost = _run_epoch(train, n_batches, epoch, bar, check)
                seconds = time.perf_counter() - started
                if on_epoch is not None:
                    on_epoch(epoch, cost, seconds)
                history.costs.append(cost)
                history.seconds.append(seconds)
                if every and epoch % every == 0:
                    with tqdm.external_write_mode():
                        say(f"Training epoch {epoch}, cost {cost:f}")
        except KeyboardInterrupt:
            history.interrupted = True
    if history.interrupted:
        say(f"Training interrupted after {len(history)} of {n_epochs} epochs")
    return history


@contextmanager
def interrupts() -> Iterator[Callable[[], None]]:
    """Hold Ctrl-C back until the loop asks: yields a function that raises KeyboardInterrupt if it was pressed.

    Compiled code must not be left in the middle of a step, and Numba's turns an interrupt there into a SystemError. A second
    Ctrl-C is not held back. Outside of the main thread, which gets no signals, this does nothing.
    """
    pressed = False

    def remember(number: int, frame: Any) -> None:
        nonlocal pressed
        if pressed:
            signal.default_int_handler(number, frame)
        pressed = True

    def check() -> None:
        if pressed:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is None:
        yield check
        return
    before = signal.signal(signal.SIGINT, remember)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)


def _run_epoch(train: Step, n_batches: int, epoch: int, bar: Any, check: Callable[[], None]) -> float:
    """One pass over the minibatches; the bar moves on at least twice a second."""
    costs = []
    shown = time.perf_counter()
    done = 0
    for index in range(n_batches):
        costs.append(train(index))
        check()
        now = time.perf_counter()
        if now - shown > 0.2:
            bar.update((index + 1 - done) / n_batches)
            shown, done = now, index + 1
    bar.update((n_batches - done) / n_batches)
    costs = [float(c) for c in costs]
    for index, cost in enumerate(costs):
        if not np.isfinite(cost):
            raise DivergedError(
                f"epoch {epoch}, minibatch {index}: the cost is {cost}, expected a finite number; try a smaller rate"
            )
    return float(np.mean(costs))


def _progress(n_epochs: int) -> Any:
    return tqdm(
        total=n_epochs,
        desc="Training",
        disable=None,  # silent when not a terminal
        leave=False,
        bar_format="{desc} {percentage:3.0f}% |{bar}| epoch {n:.1f} of {total}  {rate_noinv_fmt}  {remaining} left",
        unit=" epochs",
    )


def _say(line: str) -> None:
    print(line, flush=True)


@dataclass(frozen=True)
class Patience:
    """When to stop: the tutorial's early stopping.

    Attributes
    ----------
    minibatches : int
        Look at this many minibatches in any case.
    increase : float
        A significant improvement at minibatch i lets the training go on to at least i * increase.
    threshold : float
        An error below threshold * (the best one) is a significant improvement.
    """

    minibatches: int = 5000
    increase: float = 2
    threshold: float = 0.995


@dataclass(frozen=True)
class PatienceResult:
    """How a training with patience ended; errors are fractions, epochs count from 1."""

    validation_error: float
    test_error: float
    best_epoch: int
    epochs: int
    seconds: float
    interrupted: bool


def train_with_patience(
    train: Step,
    n_batches: int,
    validate: Callable[[], float],
    test: Callable[[], float],
    *,
    n_epochs: int = 1000,
    patience: Patience | None = None,
    on_best: Callable[[], None] | None = None,
    verbose: bool = True,
    threads: int | None = None,
) -> PatienceResult:
    """Train until no significant improvement of the validation error was seen for long enough.

    The lines printed are those of the tutorial's ``logistic_sgd.py``; so is the arithmetic.

    Parameters
    ----------
    train : callable
        Takes the index of a minibatch, does one step, returns its cost.
    n_batches : int
        Minibatches in an epoch. The validation error is taken after each epoch, or after half the patience if that is shorter.
    validate, test : callable
        Return the mean error on the two sets; `test` is called only when `validate` improved.
    n_epochs : int
        Stop here at the latest.
    patience : Patience, optional
    on_best : callable, optional
        Called after each improvement, to save the model.
    verbose : bool
        Print as the tutorial does.
    threads : int, optional
        Threads of BLAS.
    """
    patience = patience or Patience()
    say = _say if verbose else lambda line: None
    frequency = min(n_batches, patience.minibatches // 2)
    limit: float = patience.minibatches
    best, test_error, best_epoch, epoch = np.inf, 0.0, 0, 0
    interrupted, step = False, 0
    started = time.perf_counter()
    with blas_threads(threads), interrupts() as check:
        try:
            while epoch < n_epochs and step < limit:
                epoch += 1
                for index in range(n_batches):
                    step = (epoch - 1) * n_batches + index
                    cost = float(train(index))
                    check()
                    if not np.isfinite(cost):
                        raise DivergedError(f"epoch {epoch}, minibatch {index}: the cost is {cost}, expected a finite number")
                    if (step + 1) % frequency == 0:
                        error = float(validate())
                        where = f"epoch {epoch}, minibatch {index + 1}/{n_batches}"
                        say(f"{where}, validation error {100 * error:f} %")
                        if error < best:
                            if error < best * patience.threshold:
                                limit = max(limit, step * patience.increase)
                            best, best_epoch, test_error = error, epoch, float(test())
                            say(f"     {where}, test error of best model {100 * test_error:f} %")
                            if on_best is not None:
                                on_best()
                    if limit <= step:
                        break
        except KeyboardInterrupt:
            interrupted = True
            say(f"interrupted in epoch {epoch}")
    seconds = time.perf_counter() - started
    say(
        f"Optimization complete with best validation score of {100 * best:f} %, with test performance {100 * test_error:f} %\n"
        f"The code run for {epoch} epochs, with {epoch / seconds:f} epochs/sec"
    )
    return PatienceResult(best, test_error, best_epoch, epoch, seconds, interrupted)
