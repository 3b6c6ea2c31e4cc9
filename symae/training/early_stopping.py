"""The tutorials' loop with early stopping: train as long as patience allows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from symae._runtime.blas_threads import blas_threads
from symae.compile.loops import StepsPerCall, diverged, loop_over, run_in_bursts
from symae.errors import DivergedError
from symae.training.fitting import Step, check_minibatches, interrupts, print_line

__all__ = ["Patience", "PatienceResult", "train_with_patience"]


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
    loop: str = "compiled",
) -> PatienceResult:
    """Train until no significant improvement of the validation error was seen for long enough.

    The lines printed are those of the tutorial's ``logistic_sgd.py``; so is the arithmetic. The epochs it counts include
    one that Ctrl-C cut short.

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
    loop : {"compiled", "python"}
        As in `symae.training.train_epochs`.
    """
    patience = patience or Patience()
    check_minibatches(n_batches)
    steps, steps_per_call = loop_over(train, loop), StepsPerCall()
    say = print_line if verbose else lambda line: None
    frequency = max(1, min(n_batches, patience.minibatches // 2))
    limit: float = patience.minibatches
    best, test_error, best_epoch, epoch = np.inf, 0.0, 0, 0
    interrupted, step = False, 0
    started = time.perf_counter()
    with blas_threads(threads), interrupts() as check:
        try:
            while epoch < n_epochs and step < limit:
                epoch += 1
                index = 0
                while index < n_batches:
                    first = (epoch - 1) * n_batches + index
                    # no further than to where the validation error or the patience has to be looked at
                    until = math.ceil(min(n_batches - index, frequency - first % frequency, max(1, limit - first + 1)))
                    chunk = next(run_in_bursts(steps, until, steps_per_call, index))
                    index += len(chunk)
                    step = first + len(chunk) - 1
                    check()
                    if diverged(chunk):
                        where = f"epoch {epoch}, minibatch {index - 1}"
                        raise DivergedError(f"{where}: the cost is {chunk[-1][0]}, expected a finite number")
                    if (step + 1) % frequency == 0:
                        error = float(validate())
                        where = f"epoch {epoch}, minibatch {index}/{n_batches}"
                        say(f"{where}, validation error {100 * error:f} %")
                        if error < best:
                            if error < best * patience.threshold:
                                limit = max(limit, step * patience.increase)
                            best, best_epoch, test_error = error, epoch, float(test())
                            say(f"     {where}, test error of best model {100 * test_error:f} %")
                            if on_best is not None:
                                on_best()
                        check()
                    if limit <= step:
                        break
        except KeyboardInterrupt:
            interrupted = True
            say(f"interrupted in epoch {epoch}")
    seconds = time.perf_counter() - started
    say(
        f"Optimization complete with best validation score of {100 * best:f} %,with test performance {100 * test_error:f} %\n"
        f"The code run for {epoch} epochs, with {epoch / seconds:f} epochs/sec"
    )
    return PatienceResult(best, test_error, best_epoch, epoch, seconds, interrupted)
