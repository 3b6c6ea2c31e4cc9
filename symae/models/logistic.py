"""Multi-class logistic regression.

Source: the lisa-lab Deep Learning Tutorials (``logistic_sgd.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor.variable import TensorVariable

from symae._runtime.checks import checked_count
from symae.errors import InputError
from symae.models.arguments import symbolic_matrix
from symae.models.base import Model, checked_matrix, configured
from symae.models.description import FilterLayer, ModelDescription
from symae.models.fitting import FitDefaults
from symae.optimizers import Updates


class LogisticRegression(Model):
    """Model p(y = i | x) = softmax_i(x W + b), with W and b zero at the beginning.

    Parameters
    ----------
    input : symbolic matrix (n, n_in), or None for one of its own
    n_in, n_out : int
        Numbers of features and of classes.

    Attributes
    ----------
    p_y_given_x : symbolic (n, n_out), each row sums to 1
    y_pred : symbolic (n,), the most probable class
    params : [W, b]
    """

    parameter_names = ("W", "b")
    fit_defaults = FitDefaults(epochs=15, batch_size=600, learning_rate=0.13)

    def __init__(self, input: Variable | None, n_in: int, n_out: int):
        self.n_in = n_in = checked_count("n_in", n_in)
        input = pt.matrix("x") if input is None else symbolic_matrix("input", input, n_in)
        self.n_out = n_out = checked_count("n_out", n_out)
        floatX = pytensor.config.floatX
        self.W = pytensor.shared(np.zeros((n_in, n_out), dtype=floatX), name="W", borrow=True)
        self.b = pytensor.shared(np.zeros(n_out, dtype=floatX), name="b", borrow=True)
        self.p_y_given_x = pt.special.softmax(pt.dot(input, self.W) + self.b, axis=1)
        self.y_pred = pt.argmax(self.p_y_given_x, axis=1)
        self.params = [self.W, self.b]
        self.input = self.x = input
        self._classes_of_input = pt.ivector("y")

    @property
    def nodes(self) -> dict[str, TensorVariable]:
        """``input``, ``p_y_given_x`` and ``y_pred``."""
        return {"input": self.x, "p_y_given_x": self.p_y_given_x, "y_pred": self.y_pred}

    def describe(self) -> ModelDescription:
        nodes = self.nodes
        # a class is the more probable the less the others are, so its best input is not its weights
        layer = FilterLayer("W", "p_y_given_x", nodes["p_y_given_x"], bias="b", threshold=1 / self.n_out)
        return ModelDescription(nodes=nodes, pixels=self.n_in, image_shape=self.image_shape, layers=[layer], code="p_y_given_x")

    def checked_input(self, name: str, X: Any) -> np.ndarray:
        return checked_matrix(name, X, self.n_in)

    def negative_log_likelihood(self, y: Variable) -> TensorVariable:
        """Compute -log p(y | x), minibatch mean, in nats per example; `y` is an integer vector (n,) of classes."""
        return -pt.mean(self._log_likelihoods(y))

    def _log_likelihoods(self, y: Variable) -> TensorVariable:
        return pt.log(self.p_y_given_x)[pt.arange(y.shape[0]), y]

    def example_costs(self) -> TensorVariable:
        """Return -log of the probability of each example's class, in nats."""
        return -self._log_likelihoods(self._classes_of_input)

    def get_cost_updates(self, y: Variable, learning_rate: Any = 0.13) -> tuple[TensorVariable, Updates]:
        """Return the negative log-likelihood of a minibatch with the classes `y`, and one step of gradient descent on it.

        Returns
        -------
        cost : symbolic scalar, in nats per example
        updates : list of (parameter, new value)
            parameter - learning_rate * gradient
        """
        cost = self.negative_log_likelihood(y)
        gradients = pt.grad(cost, self.params)
        return cost, [(p, p - learning_rate * g) for p, g in zip(self.params, gradients, strict=True)]

    def training_data(self, X: Any, y: Any) -> dict[Variable, np.ndarray]:
        """Return `X` as a matrix (n, n_in) and `y` as the classes of its rows, whole numbers from 0 to n_out - 1."""
        matrix = self.checked_input("X", X)
        if y is None:
            raise InputError("y", "nothing", "the class of each row of X")
        classes = np.asarray(y)
        if classes.shape != (len(matrix),):
            raise InputError("y", f"shape {classes.shape}", f"({len(matrix)},), a class for each row of X")
        if classes.dtype.kind not in "iu":
            raise InputError("y", f"dtype {classes.dtype}", "integers, the numbers of the classes")
        if len(classes) and not 0 <= classes.min() <= classes.max() < self.n_out:
            raise InputError("y", f"classes from {classes.min()} to {classes.max()}", f"classes from 0 to {self.n_out - 1}")
        return {self.x: matrix, self._classes_of_input: np.require(classes, "int32", ["C", "W"])}

    scoring_data = training_data

    def training_step(self, learning_rate: Any, **settings: Any) -> tuple[TensorVariable, Updates]:
        return self.get_cost_updates(self._classes_of_input, learning_rate)

    def errors(self, y: Variable) -> TensorVariable:
        """Compute the share of the minibatch, in [0, 1], whose most probable class is not `y`.

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
        """Return the most probable class of each row of `X`: (n, n_in) -> (n,)."""
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
