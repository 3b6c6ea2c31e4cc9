"""The tutorials' loop over minibatches and epochs.

It calls a compiled function ``train(index) -> cost`` for one minibatch after the other, keeps BLAS to one thread, shows a
progress bar on a terminal, and comes back with what was finished when Ctrl-C is pressed.
"""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from tqdm import tqdm

from symae.errors import DivergedError, InputError, UnwritableError
from symae.threads import blas_threads

__all__ = ["EpochLog", "History", "Step", "check_minibatches", "interrupts", "print_line", "train_epochs"]

Step = Callable[[int], Any]


@dataclass
class History:
    """What happened in each finished epoch.

    Attributes
    ----------
    costs : list of float
        The mean of the minibatch costs, in the units of the cost.
    seconds : list of float
        How long each epoch took, without measuring.
    measures : dict of lists of float
        What was measured after each epoch, by name.
    interrupted : bool
        Ctrl-C ended the training before the last epoch.
    """

    costs: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    measures: dict[str, list[float]] = field(default_factory=dict)
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
        Keep the lines that are there; otherwise the file is empty until the first epoch ends.
    """

    def __init__(self, path: Path, model: str | None = None, *, append: bool = False):
        self.path = path
        self.model = model
        if not append:
            self._write("", "w")

    def __call__(self, epoch: int, cost: float, seconds: float, measures: Mapping[str, float]) -> None:
        entry = {"model": self.model} if self.model is not None else {}
        line = json.dumps({**entry, "epoch": epoch, "cost": cost, **measures, "seconds": round(seconds, 4)})
        self._write(line + "\n", "a")

    def _write(self, text: str, mode: str) -> None:
        try:
            with self.path.open(mode) as file:
                file.write(text)
        except OSError as error:
            raise UnwritableError(self.path, error.strerror or str(error)) from error


def train_epochs(
    train: Step,
    n_batches: int,
    n_epochs: int,
    *,
    every: int | None = None,
    on_epoch: Callable[[int, float, float, Mapping[str, float]], None] | None = None,
    before_epoch: Callable[[int], None] | None = None,
    measure: Callable[[], Mapping[str, float]] | None = None,
    params: Sequence[SharedVariable] = (),
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
        Called with (epoch, cost, seconds, measures) as each epoch ends; an `EpochLog` for instance.
    before_epoch : callable, optional
        Called with the number of each epoch before it begins, to shuffle for instance.
    measure : callable, optional
        Called as each epoch ends; the figures that it returns are printed beside the cost and kept by their names.
    params : sequence of shared variables
        What `train` changes: after Ctrl-C they get back the values they had at the end of the last finished epoch.
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
    InputError
        There are no minibatches.
    DivergedError
        A minibatch's cost is infinite or not a number. Says which.
    """
    check_minibatches(n_batches)
    every = (1 if n_epochs <= 20 else 10) if every is None else every
    say = say or print_line
    history = History()
    finished = [np.array(p.get_value(borrow=True)) for p in params]
    with blas_threads(threads), interrupts() as check, _progress(n_epochs) as bar:
        try:
            for epoch in range(n_epochs):
                if before_epoch is not None:
                    before_epoch(epoch)
                started = time.perf_counter()
                cost = _run_epoch(train, n_batches, epoch, bar, check)
                seconds = time.perf_counter() - started
                measures = {} if measure is None else dict(measure())
                if on_epoch is not None:
                    on_epoch(epoch, cost, seconds, measures)
                history.costs.append(cost)
                history.seconds.append(seconds)
                for name, figure in measures.items():
                    history.measures.setdefault(name, []).append(figure)
                finished = [np.array(p.get_value(borrow=True)) for p in params]
                if every and epoch % every == 0:
                    with tqdm.external_write_mode():
                        figures = "".join(f", {name} {figure:f}" for name, figure in measures.items())
                        say(f"Training epoch {epoch}, cost {cost:f}{figures}")
                check()
        except KeyboardInterrupt:
            history.interrupted = True
    if history.interrupted:
        for p, value in zip(params, finished, strict=True):
            p.set_value(value)
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


def check_minibatches(n_batches: int) -> None:
    """Refuse to train on nothing."""
    if n_batches < 1:
        raise InputError("n_batches", str(n_batches), "at least one full minibatch of images")


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


def print_line(line: str) -> None:
    print(line, flush=True)
