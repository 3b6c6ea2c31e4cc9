"""What all estimators share: constructor parameters alone before `fit`, checked data, a model of symae after it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, Self, TypeVar

import numpy as np
import pytensor
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from symae.models.base import Model
from symae.nn import check_random_state as as_random_state
from symae.training import History

P = ParamSpec("P")
R = TypeVar("R")


def undone_if_refused(method: Callable[P, R]) -> Callable[P, R]:
    """Let a method of an estimator, where it ends with an error, leave all attributes as they were."""

    @wraps(method)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        attributes: dict[str, Any] = args[0].__dict__
        before = attributes.copy()
        try:
            return method(*args, **kwargs)
        except BaseException:
            attributes.clear()
            attributes.update(before)
            raise

    return wrapped


class ModelEstimator(BaseEstimator):
    """Train a model of `symae.models`, which is `model_` then; `history_` is that of its last training."""

    epochs: int
    batch_size: int
    learning_rate: float | None
    shuffle: bool
    backend: str | None
    verbose: bool
    random_state: Any
    model_: Model
    n_features_in_: int

    @property
    def history_(self) -> History:
        """The costs of the epochs of the last `fit` or `partial_fit`, a `symae.training.History`."""
        check_is_fitted(self)
        return self.model_.history_

    def _make(self, numpy_rng: np.random.RandomState) -> Model:
        """Return a new model of the parameters for `n_features_in_` features."""
        raise NotImplementedError

    def _begin(self) -> None:
        """Make a new model: its weights, its random numbers and its orders of the examples come from `random_state`."""
        state = self.random_state
        # scikit-learn's function takes no Generator, symae's takes no None
        numpy_rng = as_random_state(state if isinstance(state, np.random.Generator) else check_random_state(state))
        model = self._make(numpy_rng)
        model.shuffling_seed = int(numpy_rng.randint(2**31))
        self.model_ = model

    def _train(self, X: Any, y: Any = None, **settings: Any) -> Self:
        settings = {"epochs": self.epochs, "shuffle": self.shuffle} | settings
        self.model_.fit(
            X,
            y,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            backend=self.backend,
            verbose=self.verbose,
            **settings,
        )
        return self

    def _checked(self, X: Any) -> np.ndarray:
        """Return `X` as a matrix of floatX with `n_features_in_` columns, once there is a model."""
        check_is_fitted(self)
        matrix: np.ndarray = validate_data(self, X, reset=False, dtype=pytensor.config.floatX)
        return matrix
