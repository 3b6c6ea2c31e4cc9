"""Logistic regression as a classifier, trained by minibatches."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np
import pytensor
from scipy.special import log_softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from symae import models
from symae.errors import InputError
from symae.sklearn.base import ModelEstimator, undone_if_refused


class LogisticRegression(ClassifierMixin, ModelEstimator):
    """Classify rows by a softmax of linear functions of them, as `symae.models.LogisticRegression` does.

    Parameters
    ----------
    epochs : int
        How many times `fit` goes over the rows.
    batch_size : int
        Rows in a minibatch.
    learning_rate : float
        Of gradient descent.
    shuffle, backend, verbose
        As in `Autoencoder`.
    random_state : int, RandomState, Generator or None
        Draws the orders of the rows; weights begin at zero.

    Attributes
    ----------
    classes_ : array of the classes, sorted
    model_ : the model, of `symae.models`; its classes are the positions in `classes_`
    history_, n_features_in_, feature_names_in_ : as in `Autoencoder`
    """

    classes_: np.ndarray
    model_: models.LogisticRegression

    def __init__(
        self,
        *,
        epochs: int = 100,
        batch_size: int = 20,
        learning_rate: float = 0.13,
        shuffle: bool = True,
        backend: str | None = None,
        verbose: bool = False,
        random_state: Any = None,
    ):
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.shuffle = shuffle
        self.backend = backend
        self.verbose = verbose
        self.random_state = random_state

    @undone_if_refused
    def fit(self, X: Any, y: Any) -> Self:
        """Train a new model.

        Parameters
        ----------
        X : (n, n_features)
        y : (n,), the class of each row: numbers, texts or whatever else can be sorted

        Raises
        ------
        ValueError
            `X` is no matrix of finite numbers, or `y` no vector of classes.
        """
        X, y = validate_data(self, X, y, dtype=pytensor.config.floatX)
        check_classification_targets(y)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        self._begin()
        return self._train(X, numbers)

    @undone_if_refused
    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Go once over the rows of `X`, in their order, with the model that is there, or with a new one.

        Parameters
        ----------
        X : (n, n_features)
        y : (n,)
        classes : array of all classes that there will be
            The first call has to give them.

        Raises
        ------
        ValueError
            As `fit`; the first call gives no `classes`, a later one others, or `y` has one that is not among them.
        """
        first = not hasattr(self, "model_")
        X, y = validate_data(self, X, y, reset=first, dtype=pytensor.config.floatX)
        check_classification_targets(y)
        known = None if classes is None else np.unique(classes)
        if first:
            if known is None:
                raise InputError("classes", "None", "all classes, at the first call to partial_fit")
            self.classes_ = known
        elif known is not None and not np.array_equal(known, self.classes_):
            raise InputError("classes", str(known), f"those of the first call, {self.classes_}")
        if unknown := sorted(set(y) - set(self.classes_)):
            raise InputError("y", f"the class {unknown[0]!r}", f"one of {', '.join(map(repr, self.classes_))}")
        if first:
            self._begin()
        return self._train(X, np.searchsorted(self.classes_, y), epochs=1, shuffle=False)

    def _logits(self, X: Any) -> np.ndarray:
        X = self._checked(X)
        W, b = self.model_.parameters().values()
        logits: np.ndarray = X @ W + b
        return logits

    def decision_function(self, X: Any) -> np.ndarray:
        """Compute what the softmax is taken of, (n, classes); of two classes the second's minus the first's, (n,)."""
        logits = self._logits(X)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X: Any) -> np.ndarray:
        """Compute the probabilities of the classes: (n, n_features) -> (n, classes)."""
        X = self._checked(X)
        return self.model_.transform(X, backend=self.backend)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Compute the logarithms of the probabilities of the classes: (n, n_features) -> (n, classes)."""
        return np.asarray(log_softmax(self._logits(X), axis=1))

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each row of `X`."""
        numbers = self._logits(X).argmax(axis=1)  # before classes_, which is not there without a model
        return self.classes_[numbers]

    def _make(self, numpy_rng: np.random.RandomState) -> models.LogisticRegression:
        model = models.LogisticRegression(None, n_in=self.n_features_in_, n_out=len(self.classes_))
        # not compiled anew for each number of rows that is left over
        model.fit_defaults = replace(model.fit_defaults, static=False)
        return model
