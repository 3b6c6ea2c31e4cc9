"""The autoencoders as transformers: from features to a code, and back."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import pytensor
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags, check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from symae import models
from symae.errors import InputError
from symae.sklearn.base import ModelEstimator, undone_if_refused


class Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ModelEstimator):
    """Learn a code of `n_hidden` numbers in (0, 1) from which the features can be drawn again: `symae.models.Autoencoder`.

    Parameters
    ----------
    n_hidden : int
        Numbers in a code.
    output : "linear" or "sigmoid"
        "linear": features of any values, whose squared error is lowered; scale them all alike, as by ``StandardScaler``.
        "sigmoid": features in [0, 1], as ``MinMaxScaler`` gives them, whose cross-entropy is lowered.
    epochs : int
        How many times `fit` goes over the rows.
    batch_size : int
        Rows in a minibatch.
    learning_rate : float, optional
        By default that of the model: 0.1 of gradient descent where the output is "sigmoid", and otherwise, as for every
        `SparseAutoencoder`, 0.001 of Adam.
    shuffle : bool
        Draw the order of the rows anew in each epoch; what remains after the last full minibatch sits out then, other rows each
        time.
    backend : str, optional
        As in `symae.function`.
    verbose : bool
        Print the cost of the epochs.
    random_state : int, RandomState, Generator or None
        Draws the initial weights, the orders of the rows and the corruption. None: numpy's own ``np.random``. A RandomState
        and a Generator are moved on, so that a second `fit` gets other numbers.

    Attributes
    ----------
    model_ : the model, of `symae.models`: for `symae.inspect`, to be saved …
    history_ : `symae.training.History`, the costs of the epochs of the last training
    n_features_in_ : int
    feature_names_in_ : array of str, where `X` had names
    """

    _model: ClassVar[type[models.Autoencoder]] = models.Autoencoder
    _options: ClassVar[tuple[str, ...]] = ("output",)  # parameters that the model takes under their names

    model_: models.Autoencoder

    def __init__(
        self,
        n_hidden: int = 100,
        *,
        output: str = "linear",
        epochs: int = 15,
        batch_size: int = 20,
        learning_rate: float | None = None,
        shuffle: bool = True,
        backend: str | None = None,
        verbose: bool = False,
        random_state: Any = None,
    ):
        self.n_hidden = n_hidden
        self.output = output
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.shuffle = shuffle
        self.backend = backend
        self.verbose = verbose
        self.random_state = random_state

    @undone_if_refused
    def fit(self, X: Any, y: Any = None) -> Self:
        """Train a new model on the rows of `X`.

        Parameters
        ----------
        X : (n, n_features)
        y : ignored

        Raises
        ------
        InputError
            A parameter is not as above. It is a ValueError, as all of them are.
        ValueError
            `X` is no matrix of finite numbers.
        """
        X = validate_data(self, X, dtype=pytensor.config.floatX)
        self._begin()
        return self._train(X, **self._settings())

    @undone_if_refused
    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Go once over the rows of `X`, in their order, with the model that is there, or with a new one.

        Parameters
        ----------
        X : (n, n_features)
        y : ignored
        """
        first = not hasattr(self, "model_")
        X = validate_data(self, X, reset=first, dtype=pytensor.config.floatX)
        if first:
            self._begin()
        return self._train(X, epochs=1, shuffle=False, **self._settings())

    def transform(self, X: Any) -> np.ndarray:
        """Compute the codes of the rows of `X`: (n, n_features) -> (n, n_hidden)."""
        X = self._checked(X)  # first: it says so where there is no model yet
        return self.model_.transform(X, backend=self.backend)

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Draw features from the codes `X`: (n, n_hidden) -> (n, n_features)."""
        check_is_fitted(self)
        codes = check_array(X, dtype=pytensor.config.floatX, input_name="X")
        if codes.shape[1] != self.model_.n_hidden:
            raise InputError("X", f"shape {codes.shape}", f"(n, {self.model_.n_hidden})")
        return self.model_.inverse_transform(codes, backend=self.backend)

    def score(self, X: Any, y: Any = None) -> float:
        """Compute minus the mean cost of the reconstructions of the rows of `X`: the more, the better.

        Of "sigmoid" it is minus the cross-entropy, in nats per row, of "linear" minus half the squared error of a row.
        Penalties and corruption are not part of it.
        """
        X = self._checked(X)
        return -self.model_.score(X, backend=self.backend)

    @property
    def _n_features_out(self) -> int:
        return self.model_.n_hidden

    def _make(self, numpy_rng: np.random.RandomState) -> models.Autoencoder:
        options = {name: getattr(self, name) for name in self._options}
        return self._model(numpy_rng, n_visible=self.n_features_in_, n_hidden=self.n_hidden, **options)

    def _settings(self) -> dict[str, Any]:
        """Return what `fit` of the model takes beside what all estimators have."""
        return {}

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = [pytensor.config.floatX]
        return tags


class DenoisingAutoencoder(Autoencoder):
    """Learn to put back features that are set to zero, as `symae.models.DenoisingAutoencoder` does.

    Parameters
    ----------
    corruption_level : float in [0, 1)
        The share of the features of a row that is set to zero.
    others
        As in `Autoencoder`.
    """

    _model = models.DenoisingAutoencoder

    def __init__(
        self,
        n_hidden: int = 100,
        *,
        corruption_level: float = 0.3,
        output: str = "linear",
        epochs: int = 15,
        batch_size: int = 20,
        learning_rate: float | None = None,
        shuffle: bool = True,
        backend: str | None = None,
        verbose: bool = False,
        random_state: Any = None,
    ):
        super().__init__(
            n_hidden,
            output=output,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            shuffle=shuffle,
            backend=backend,
            verbose=verbose,
            random_state=random_state,
        )
        self.corruption_level = corruption_level

    def _settings(self) -> dict[str, Any]:
        return {"corruption_level": self.corruption_level}


class SparseAutoencoder(Autoencoder):
    """Learn a code of which few numbers are far from zero, as `symae.models.SparseAutoencoder` does.

    Parameters
    ----------
    sparsity, sparsity_target, sparsity_weight
        As in `symae.models.SparseAutoencoder`.
    others
        As in `Autoencoder`; minibatches are larger, because in them it is counted how often a unit is active.
    """

    _model = models.SparseAutoencoder
    _options = ("output", "sparsity", "sparsity_target", "sparsity_weight")

    def __init__(
        self,
        n_hidden: int = 100,
        *,
        sparsity: str = "kl",
        sparsity_target: float = 0.05,
        sparsity_weight: float | None = None,
        output: str = "linear",
        epochs: int = 15,
        batch_size: int = 100,
        learning_rate: float | None = None,
        shuffle: bool = True,
        backend: str | None = None,
        verbose: bool = False,
        random_state: Any = None,
    ):
        super().__init__(
            n_hidden,
            output=output,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            shuffle=shuffle,
            backend=backend,
            verbose=verbose,
            random_state=random_state,
        )
        self.sparsity = sparsity
        self.sparsity_target = sparsity_target
        self.sparsity_weight = sparsity_weight
