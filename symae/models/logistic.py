"""Multi-class logistic regression, and its training with early stopping.

Source: the lisa-lab Deep Learning Tutorials (``logistic_sgd.py``), which documents 7.500000 % validation and 7.489583 %
test error.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor.variable import TensorVariable

from symae.compile import function
from symae.datasets import load_data
from symae.errors import InputError
from symae.models.base import Model, checked_count, checked_matrix, configured
from symae.training.early_stopping import Patience, PatienceResult, train_with_patience

__all__ = ["LogisticRegression", "sgd_optimization"]


class LogisticRegression(Model):
    """p(y = i | x) = softmax_i(x W + b), with W and b zero at the beginning.

    Parameters
    ----------
    input : symbolic matrix (n, n_in)
    n_in, n_out : int
        Numbers of features and of classes.

    Attributes
    ----------
    p_y_given_x : symbolic (n, n_out), each row sums to 1
    y_pred : symbolic (n,), the most probable class
    params : [W, b]
    """

    parameter_names = ("W", "b")

    def __init__(self, input: Variable, n_in: int, n_out: int):
        self.n_in = n_in = checked_count("n_in", n_in)
        self.n_out = n_out = checked_count("n_out", n_out)
        floatX = pytensor.config.floatX
        self.W = pytensor.shared(np.zeros((n_in, n_out), dtype=floatX), name="W", borrow=True)
        self.b = pytensor.shared(np.zeros(n_out, dtype=floatX), name="b", borrow=True)
        self.p_y_given_x = pt.special.softmax(pt.dot(input, self.W) + self.b, axis=1)
        self.y_pred = pt.argmax(self.p_y_given_x, axis=1)
        self.params = [self.W, self.b]
        self.input = self.x = input

    @property
    def nodes(self) -> dict[str, TensorVariable]:
        """``input``, ``p_y_given_x`` and ``y_pred``."""
        return {"input": self.x, "p_y_given_x": self.p_y_given_x, "y_pred": self.y_pred}

    def checked_input(self, name: str, X: Any) -> np.ndarray:
        return checked_matrix(name, X, self.n_in)

    def negative_log_likelihood(self, y: Variable) -> TensorVariable:
        """-log p(y | x), minibatch mean, in nats per example; `y` is an integer vector (n,) of classes."""
        return -pt.mean(pt.log(self.p_y_given_x)[pt.arange(y.shape[0]), y])

    def errors(self, y: Variable) -> TensorVariable:
        """The share of the minibatch, in [0, 1], whose most probable class is not `y`.

        Raises
        ------
        TypeError
            `y` is not a vector.
        NotImplementedError
            `y` does not hold integers.
        """
        if y.type.ndim != self.y_pred.type.ndim:
            raise TypeError(
                f"y has {y.type.ndim} dimensions, expected {self.y_pred.type.ndim}, a class for each row of the input"
            )
        if not y.type.dtype.startswith("int"):
            raise NotImplementedError(f"y has dtype {y.type.dtype}, expected integers, the numbers of the classes")
        return pt.mean(pt.neq(self.y_pred, y))

    def predict(self, X: Any, *, backend: str | None = None) -> np.ndarray:
        """The most probable class of each row of `X`: (n, n_in) -> (n,)."""
        classify = self._compiled("predict", backend, lambda: ([self.input], self.y_pred, None))
        return np.asarray(classify(checked_matrix("X", X, self.n_in)))

    def configuration(self) -> dict[str, Any]:
        return {"n_in": self.n_in, "n_out": self.n_out}

    @classmethod
    def parameter_shapes(cls, configuration: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        n_in, n_out = (checked_count("n_in and n_out", n) for n in configured(configuration, "n_in", "n_out"))
        return {"W": (n_in, n_out), "b": (n_out,)}

    @classmethod
    def from_configuration(cls, configuration: Mapping[str, Any]) -> Self:
        return cls(pt.matrix("x"), **configuration)


def sgd_optimization(
    dataset: str | Path = "mnist",
    *,
    learning_rate: float = 0.13,
    n_epochs: int = 1000,
    batch_size: int = 600,
    patience: Patience | None = None,
    backend: str | None = None,
    save: str | Path | None = None,
    verbose: bool = True,
) -> tuple[LogisticRegression, PatienceResult]:
    """Train a logistic regression on a data set by minibatch gradient descent with early stopping, as the tutorial does.

    Parameters
    ----------
    dataset : str or path
        As in `symae.datasets.load_data`.
    learning_rate : float
    n_epochs, batch_size : int
    patience : Patience, optional
    backend : str, optional
    save : path, optional
        The best model is saved here each time it improves.
    verbose : bool
        Print what the tutorial prints.

    Returns
    -------
    model : LogisticRegression
        With the parameters of the last step, as in the tutorial; the best ones are in `save`.
    result : PatienceResult
    """
    (train_x, train_y), (valid_x, valid_y), (test_x, test_y) = load_data(dataset)
    sizes = [len(x.get_value(borrow=True)) // batch_size for x in (train_x, valid_x, test_x)]
    if not all(sizes):
        raise InputError(dataset, f"fewer than {batch_size} images in one of the three sets", "at least one minibatch in each")
    n_classes = int(max(y.eval().max() for y in (train_y, valid_y, test_y))) + 1

    index, x, y = pt.lscalar("index"), pt.matrix("x"), pt.ivector("y")
    model = LogisticRegression(x, n_in=train_x.get_value(borrow=True).shape[1], n_out=n_classes)
    cost = model.negative_log_likelihood(y)
    updates = [(p, p - learning_rate * g) for p, g in zip(model.params, pt.grad(cost, model.params), strict=True)]

    def minibatch(data_x: Variable, data_y: Variable) -> dict[Variable, Variable]:
        window = slice(index * batch_size, (index + 1) * batch_size)
        return {x: data_x[window], y: data_y[window]}

    train = function([index], cost, updates=updates, givens=minibatch(train_x, train_y), backend=backend)
    validate = function([index], model.errors(y), givens=minibatch(valid_x, valid_y), backend=backend)
    test = function([index], model.errors(y), givens=minibatch(test_x, test_y), backend=backend)
    result = train_with_patience(
        train,
        sizes[0],
        lambda: float(np.mean([validate(i) for i in range(sizes[1])])),
        lambda: float(np.mean([test(i) for i in range(sizes[2])])),
        n_epochs=n_epochs,
        patience=patience,
        on_best=None if save is None else lambda: model.save(save),  # type: ignore[arg-type]
        verbose=verbose,
    )
    return model, result
