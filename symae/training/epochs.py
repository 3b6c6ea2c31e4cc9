"""The tutorials' loop over minibatches and epochs, what it remembers, and what it writes down.

The loop calls a compiled function ``train(index) -> cost`` for one minibatch after the other, a chunk of them within compiled
code where that can be had (`symae.compile.loops.base`), keeps BLAS to one thread, shows a progress bar on a terminal, and comes
back with what was finished when Ctrl-C is pressed.
"""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from tqdm import tqdm

from symae._runtime.atomic_files import append_text, read_regular, replacing, write_text
from symae._runtime.blas_threads import blas_threads
from symae._runtime.interrupts import interrupts_told
from symae.compile.loops import Loop, StepsPerCall, diverged, loop_over, run_in_bursts
from symae.errors import DivergedError, InputError, MissingFileError, UnwritableError

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
        What was measured in or after each epoch, by name.
    interrupted : bool
        Ctrl-C ended the training before the last epoch.
    best_epoch : int or None
        The epoch in which the cost, or another figure that was watched, was lowest; the first of them.
    stopped_early : bool
        Patience ended the training before the last epoch.
    """

    costs: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    measures: dict[str, list[float]] = field(default_factory=dict)
    interrupted: bool = False
    best_epoch: int | None = None
    stopped_early: bool = False

    def __len__(self) -> int:
        return len(self.costs)

    def figures(self, name: str) -> list[float]:
        """The costs, or what was measured under that name, one for each finished epoch.

        Raises
        ------
        InputError
            Nothing has that name; the message lists what there is.
        """
        if name != "cost" and name not in self.measures:
            raise InputError("monitor", repr(name), f"one of {', '.join(['cost', *self.measures])}")
        return self.costs if name == "cost" else self.measures[name]

    def _add(self, cost: float, seconds: float, measures: Mapping[str, float], monitor: str) -> None:
        """Count an epoch; it is the best one if `monitor` is lower than ever before."""
        self.costs.append(cost)
        self.seconds.append(seconds)
        for name, figure in measures.items():
            self.measures.setdefault(name, []).append(figure)
        figures = self.figures(monitor)
        best = math.nan if self.best_epoch is None else figures[self.best_epoch]
        if self.best_epoch is None or figures[-1] < best or (math.isnan(best) and not math.isnan(figures[-1])):
            self.best_epoch = len(self) - 1


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
            write_text(self.path, "")

    def __call__(self, epoch: int, cost: float, seconds: float, measures: Mapping[str, float]) -> None:
        append_text(self.path, self._line(epoch, cost, seconds, measures))

    def rewrite(self, history: History) -> None:
        """Let the epochs of `history` be all that the file holds of this model; other models' lines stay.

        Raises
        ------
        UnwritableError
            The file cannot be read or written; it keeps what it held.
        """
        try:
            lines = read_regular(self.path).splitlines()
        except MissingFileError:
            lines = []
        except InputError as error:
            raise UnwritableError(self.path, error.found) from error
        others = b"".join(line + b"\n" for line in lines if self._is_of_another(line))
        mine = [
            self._line(epoch, cost, seconds, {name: figures[epoch] for name, figures in history.measures.items()})
            for epoch, (cost, seconds) in enumerate(zip(history.costs, history.seconds, strict=True))
        ]
        with replacing(self.path) as file:
            file.write(others + "".join(mine).encode())

    def _line(self, epoch: int, cost: float, seconds: float, measures: Mapping[str, float]) -> str:
        entry = {"model": self.model} if self.model is not None else {}
        return json.dumps({**entry, "epoch": epoch, "cost": cost, **measures, "seconds": round(seconds, 4)}) + "\n"

    def _is_of_another(self, line: bytes) -> bool:
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            return False  # half a line, of a process that was killed
        return isinstance(entry, dict) and entry.get("model") != self.model


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
    also: Sequence[str] = (),
    weights: Sequence[float] | None = None,
    monitor: str = "cost",
    patience: int | None = None,
    history: History | None = None,
    loop: str = "compiled",
) -> History:
    """Run `n_epochs` times over `n_batches` minibatches, in order.

    Prints ``Training epoch 0, cost 132.518026`` as the tutorials do.

    Parameters
    ----------
    train : callable
        Takes the index of a minibatch, does one step, returns its cost, or a list of its cost and what `also` names.
    n_batches, n_epochs : int
    every : int, optional
        Print every so many epochs, 0 for none. By default each of up to 20 epochs, and every tenth of more.
    on_epoch : callable, optional
        Called with (epoch, cost, seconds, measures) when an epoch has ended and counts; an `EpochLog` for instance.
    before_epoch : callable, optional
        Called with the number of each epoch before it begins, to shuffle for instance.
    measure : callable, optional
        Called as each epoch ends; the figures that it returns are printed beside the cost and kept by their names.
    params : sequence of shared variables
        What `train` changes: after Ctrl-C, and when the cost is not finite, they get back the values they had at the end of the
        last finished epoch.
    threads : int, optional
        Threads of BLAS; see `symae._runtime.blas_threads.blas_threads`.
    say : callable, optional
        Gets the printed lines instead of standard output.
    also : sequence of str
        The names of what `train` returns after the cost; their means over the epoch are measures too.
    weights : sequence of float, optional
        What each minibatch weighs in the means of an epoch, for minibatches of several lengths.
    monitor : str
        What is to become low: ``cost``, or the name of a measure.
    patience : int, optional
        Stop after so many epochs in a row that brought no new best of `monitor`.
    history : History, optional
        Epochs that are finished already: the training goes on after them, and adds to them.
    loop : {"compiled", "python"}
        How to get from one minibatch to the next: within compiled code, where `train` is compiled by `symae.function` on Numba
        or JAX, takes nothing but the index and returns nothing but scalars; or by a call from Python for each, as everywhere
        else. On Numba the results are the same to the last bit.

    Returns
    -------
    History
        Of the finished epochs; on Ctrl-C the rest is missing and ``interrupted`` is true.

    Raises
    ------
    InputError
        There are no minibatches, or `monitor` is no name of a figure, or `loop` no kind of loop.
    DivergedError
        A minibatch's cost is infinite or not a number. Says which, at once.
    """
    check_minibatches(n_batches)
    every = (1 if n_epochs <= 20 else 10) if every is None else every
    say = say or print_line
    history = History() if history is None else history
    steps, steps_per_call = loop_over(train, loop), StepsPerCall()
    finished = [p.get_value() for p in params]
    with blas_threads(threads), interrupts() as check, _progress(n_epochs, len(history)) as bar:
        try:
            for epoch in range(len(history), n_epochs):
                if patience is not None and history.best_epoch is not None and epoch - 1 - history.best_epoch >= patience:
                    history.stopped_early = True
                    break
                if before_epoch is not None:
                    before_epoch(epoch)
                started = time.perf_counter()
                cost, *means = _run_epoch(steps, n_batches, epoch, bar, check, weights, steps_per_call)
                seconds = time.perf_counter() - started
                measures = dict(zip(also, means, strict=True)) | ({} if measure is None else dict(measure()))
                history._add(cost, seconds, measures, monitor)
                finished = [p.get_value() for p in params]
                if on_epoch is not None:
                    on_epoch(epoch, cost, seconds, measures)
                if every and epoch % every == 0:
                    with tqdm.external_write_mode():
                        figures = "".join(f", {name} {figure:f}" for name, figure in measures.items())
                        say(f"Training epoch {epoch}, cost {cost:f}{figures}")
                check()
        except (KeyboardInterrupt, DivergedError) as error:
            for p, value in zip(params, finished, strict=True):
                p.set_value(value)
            if isinstance(error, DivergedError):
                raise
            history.interrupted = True
    if history.interrupted:
        say(f"Training interrupted after {len(history)} of {n_epochs} epochs")
    if history.stopped_early and history.best_epoch is not None:
        best = f"{monitor} was lowest in epoch {history.best_epoch}, {history.figures(monitor)[history.best_epoch]:f}"
        say(f"Training stopped after {len(history)} of {n_epochs} epochs: {best}")
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

    with interrupts_told(remember):
        yield check


def check_minibatches(n_batches: int) -> None:
    """Refuse to train on nothing."""
    if n_batches < 1:
        raise InputError("n_batches", str(n_batches), "at least one full minibatch of images")


def _run_epoch(
    steps: Loop,
    n_batches: int,
    epoch: int,
    bar: Any,
    check: Callable[[], None],
    weights: Sequence[float] | None,
    steps_per_call: StepsPerCall,
) -> list[float]:
    """One pass over the minibatches: the means of what `steps` return. The bar moves on at least twice a second."""
    rows: list[list[float]] = []
    shown = time.perf_counter()
    done = 0
    for chunk in run_in_bursts(steps, n_batches, steps_per_call):
        rows += chunk
        if diverged(chunk):
            where = f"epoch {epoch}, minibatch {len(rows) - 1}"
            raise DivergedError(f"{where}: the cost is {rows[-1][0]}, expected a finite number; try a smaller rate")
        check()
        now = time.perf_counter()
        if now - shown > 0.1:
            bar.update((len(rows) - done) / n_batches)
            shown, done = now, len(rows)
    bar.update((n_batches - done) / n_batches)
    return [float(np.average(column, weights=weights)) for column in zip(*rows, strict=True)]


def _progress(n_epochs: int, done: int) -> Any:
    return tqdm(
        total=n_epochs,
        initial=done,
        desc="Training",
        disable=None,  # silent when not a terminal
        leave=False,
        bar_format="{desc} {percentage:3.0f}% |{bar}| epoch {n:.1f} of {total}  {rate_noinv_fmt}  {remaining} left",
        unit=" epochs",
    )


def print_line(line: str) -> None:
    print(line, flush=True)
