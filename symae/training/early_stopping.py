"""When a training ends before its last epoch: Keras's patience, and that of the tutorials."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable

from symae._runtime.renamed import warn_renamed
from symae.errors import DivergedError
from symae.training.callbacks import Interrupts, print_line
from symae.training.checkpoints import put, values
from symae.training.engine import Callback, Step, TrainingState, run_training


class EarlyStopping(Callback):
    """Stops after `patience` epochs in a row without a new best one, as Keras's callback of that name.

    What is the best is decided by the `monitor` of the training.
    """

    def __init__(self, patience: int):
        self.patience = patience

    def on_train_begin(self, state: TrainingState) -> None:
        best, done = state.history.best_epoch, len(state.history)
        if best is not None and done - 1 - best >= self.patience:
            state.stop = True

    on_epoch_end = on_train_begin


class BestParameters(Callback):
    """Puts the values of the best epoch into the parameters when the training has ended.

    Parameters
    ----------
    params : dict of shared variables
        Those that get the values, by name.
    source : dict of shared variables, optional
        Where the values are from, by the names of `params`: averages, for instance. `params` themselves by default.
    best : dict of arrays, optional
        The values of the best epoch of the training that goes on, each of its parameter's shape.
    """

    def __init__(
        self,
        params: Mapping[str, SharedVariable],
        source: Mapping[str, SharedVariable] | None = None,
        best: Mapping[str, np.ndarray] | None = None,
    ):
        self.params = params
        self.source = params if source is None else source
        self.best = best

    def on_epoch_end(self, state: TrainingState) -> None:
        if state.history.best_epoch == state.epoch:
            self.best = {name: np.array(value) for name, value in values(self.source).items()}

    def on_train_end(self, state: TrainingState) -> None:
        if self.best is not None and state.error is None:
            put(self.best, self.params)


@dataclass(frozen=True)
class TutorialPatience:
    """Decide when to stop: the tutorial's early stopping.

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
    """Tell how a training with patience ended; errors are fractions, epochs count from 1."""

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
    patience: TutorialPatience | None = None,
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
    patience : TutorialPatience, optional
    on_best : callable, optional
        Called after each improvement, to save the model.
    verbose : bool
        Print as the tutorial does.
    threads : int, optional
        Threads of BLAS.
    loop : {"compiled", "python"}
        As in `symae.training.train_epochs`.
    """
    stopping = _TutorialStopping(patience or TutorialPatience(), validate, test, on_best, print_line if verbose else None)
    run_training(train, n_batches, n_epochs, [Interrupts(), stopping], metric_names=None, threads=threads, loop=loop)
    return stopping.result


class _TutorialStopping(Callback):
    """Validates within epochs and stops when patience, counted in minibatches, has run out; `log` gets the tutorial's lines."""

    def __init__(
        self,
        patience: TutorialPatience,
        validate: Callable[[], float],
        test: Callable[[], float],
        on_best: Callable[[], None] | None,
        log: Callable[[str], None] | None,
    ):
        self._patience, self._validate, self._test, self._on_best = patience, validate, test, on_best
        self._log = log or (lambda line: None)
        self._limit: float = patience.minibatches
        self._best, self._test_error, self._best_epoch, self._epochs = math.inf, 0.0, 0, 0

    def on_train_begin(self, state: TrainingState) -> None:
        self._started = time.perf_counter()
        self._frequency = max(1, min(state.n_batches, self._patience.minibatches // 2))
        state.stop = self._limit <= 0
        self._pause_again(state)

    def on_epoch_begin(self, state: TrainingState) -> None:
        self._epochs += 1

    def on_pause(self, state: TrainingState) -> None:
        if state.steps % self._frequency == 0:
            self._look(state)
        # as in the tutorial, the minibatch with the number of the limit is still trained on
        state.stop = state.steps - 1 >= self._limit
        self._pause_again(state)

    def on_exception(self, state: TrainingState) -> None:
        if isinstance(state.error, DivergedError):
            where = f"epoch {self._epochs}, minibatch {len(state.rows) - 1}"
            state.error = DivergedError(f"{where}: the cost is {state.rows[-1][0]}, expected a finite number")
        elif isinstance(state.error, KeyboardInterrupt):
            self._log(f"interrupted in epoch {self._epochs}")

    def on_train_end(self, state: TrainingState) -> None:
        if state.error is not None:
            return
        seconds = time.perf_counter() - self._started
        self._log(
            f"Optimization complete with best validation score of {100 * self._best:f} %,"
            f"with test performance {100 * self._test_error:f} %\n"
            f"The code run for {self._epochs} epochs, with {self._epochs / seconds:f} epochs/sec"
        )
        self.result = PatienceResult(
            self._best, self._test_error, self._best_epoch, self._epochs, seconds, state.history.interrupted
        )

    def _look(self, state: TrainingState) -> None:
        """Take the validation error and, if it is the best so far, the test error."""
        error = float(self._validate())
        where = f"epoch {self._epochs}, minibatch {len(state.rows)}/{state.n_batches}"
        self._log(f"{where}, validation error {100 * error:f} %")
        if error < self._best:
            if error < self._best * self._patience.threshold:
                self._limit = max(self._limit, (state.steps - 1) * self._patience.increase)
            self._best, self._best_epoch, self._test_error = error, self._epochs, float(self._test())
            self._log(f"     {where}, test error of best model {100 * self._test_error:f} %")
            if self._on_best is not None:
                self._on_best()

    def _pause_again(self, state: TrainingState) -> None:
        """Go on to where the validation error or the patience has to be looked at."""
        state.pause_at = min(state.steps + self._frequency - state.steps % self._frequency, self._limit + 1)


def __getattr__(name: str) -> Any:
    if name == "Patience":
        warn_renamed(f"{__name__}.Patience", "TutorialPatience")
        return TutorialPatience
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
