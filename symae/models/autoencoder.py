"""The tutorial's autoencoder and denoising autoencoder, with tied weights.

Source: the lisa-lab Deep Learning Tutorials (``dA.py``) and the Theano worksheet after them; Vincent, Larochelle, Bengio
and Manzagol (2008), "Extracting and composing robust features with denoising autoencoders".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from numbers import Real
from typing import Any, ClassVar, Self, SupportsIndex

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable
from pytensor.tensor.variable import TensorVariable

from symae._runtime.checks import checked_count
from symae.errors import InputError
from symae.models.arguments import shared_parameter, streams_of, symbolic_matrix
from symae.models.base import Model, checked_matrix, configured
from symae.models.description import FilterLayer, ModelDescription
from symae.models.fitting import FitDefaults
from symae.nn import check_random_state, cross_entropy, half_squared_error, tutorial_weights
from symae.nn.weights import Seed
from symae.optimizers import adam
from symae.random import RandomStreams
from symae.training import Callbacks

ADAM_RATE = 0.001


class Autoencoder(Model):
    """Learn to reconstruct the input by one hidden layer; the decoder's weights are the encoder's, transposed.

    .. math:: y = s(x W + b), \\qquad z = s(y W^T + b')

    where s is the sigmoid. With ``output="linear"`` the reconstruction is y W' + b', for inputs of any values.

    Parameters
    ----------
    numpy_rng : RandomState, Generator or int
        Draws the seed of `theano_rng`, if that is not given, and then W; `symae.nn.check_random_state` tells which numbers each
        gives.
    theano_rng : RandomStreams, optional
        Draws the corruption, by its ``binomial``.
    input : symbolic matrix (n, n_visible), optional
        What is encoded; a new matrix ``input`` if None.
    n_visible, n_hidden : int
    W, bhid, bvis : shared variables, optional
        Parameters to use, shared with another model perhaps: (n_visible, n_hidden), (n_hidden,), (n_visible,). By default W is
        uniform in ±4 sqrt(6 / (n_hidden + n_visible)) and the biases are zero.
    output : "sigmoid" or "linear"
        Of the decoder. The cost of sigmoids is the cross-entropy, that of linear numbers half the squared error. Sigmoids are
        trained by gradient descent, linear numbers by Adam, whose steps do not grow with the scale of the input.

    Attributes
    ----------
    x : the input
    W, b, b_prime : shared variables
    W_prime : the symbolic transpose of W
    params : [W, b, b_prime]

    Raises
    ------
    InputError
        n_visible or n_hidden is not an integer of at least 1; `output` is another word; the shape of a parameter or of `input`
        does not fit them; an argument is something else, a tensor in the place of `theano_rng` for one.

    Examples
    --------
    >>> import numpy as np
    >>> da = Autoencoder(np.random.RandomState(123), n_visible=784, n_hidden=100)
    >>> cost, updates = da.get_cost_updates(corruption_level=0.0, learning_rate=0.1)
    """

    parameter_names = ("W", "b", "b_prime")
    default_corruption_level = 0.0
    fit_defaults = FitDefaults(epochs=15, batch_size=20, learning_rate=0.1, shuffle=False, static=False)
    output_activation = "sigmoid"
    _kept_attributes = ("history_", "image_shape", "shuffling_seed")
    # what a configuration has beside the sizes, where it is not as by default
    _options: ClassVar[dict[str, str]] = {"output": "output_activation"}

    def __init__(
        self,
        numpy_rng: Seed,
        theano_rng: RandomStreams | None = None,
        input: Variable | None = None,
        n_visible: int = 784,
        n_hidden: int = 500,
        W: SharedVariable | None = None,
        bhid: SharedVariable | None = None,
        bvis: SharedVariable | None = None,
        *,
        output: str = "sigmoid",
    ):
        if output not in ("sigmoid", "linear"):
            raise InputError("output", repr(output), "'sigmoid' or 'linear'")
        if output != self.output_activation:
            self.output_activation = output
            self.fit_defaults = replace(self.fit_defaults, learning_rate=ADAM_RATE)
        self.n_visible = n_visible = checked_count("n_visible", n_visible)
        self.n_hidden = n_hidden = checked_count("n_hidden", n_hidden)
        numpy_rng = check_random_state(numpy_rng)
        self.theano_rng = streams_of(numpy_rng, theano_rng, "binomial")
        if W is None:
            W = pytensor.shared(tutorial_weights(numpy_rng, n_visible, n_hidden), name="W", borrow=True)
        if bhid is None:
            bhid = pytensor.shared(np.zeros(n_hidden, dtype=pytensor.config.floatX), name="b", borrow=True)
        if bvis is None:
            bvis = pytensor.shared(np.zeros(n_visible, dtype=pytensor.config.floatX), name="b_prime", borrow=True)
        sizes = f"n_visible {n_visible} and n_hidden {n_hidden}"
        self.W = shared_parameter("W", W, (n_visible, n_hidden), sizes)
        self.b = shared_parameter("bhid", bhid, (n_hidden,), sizes)
        self.b_prime = shared_parameter("bvis", bvis, (n_visible,), sizes)
        self.W_prime = self.W.T
        self.x = pt.matrix(name="input") if input is None else symbolic_matrix("input", input, n_visible)
        self.params = [self.W, self.b, self.b_prime]

    def get_corrupted_input(self, input: Variable, corruption_level: Any) -> TensorVariable:
        """Return `input` as it is: a plain autoencoder corrupts nothing."""
        return input

    def get_hidden_values(self, input: Variable) -> TensorVariable:
        """Compute the code s(input W + b), (n, n_hidden), in (0, 1)."""
        return pt.sigmoid(pt.dot(input, self.W) + self.b)

    def get_reconstructed_input(self, hidden: Variable) -> TensorVariable:
        """Compute the reconstruction s(hidden W' + b'), (n, n_visible), in (0, 1); without s where the output is linear."""
        z = pt.dot(hidden, self.W_prime) + self.b_prime
        return z if self.output_activation == "linear" else pt.sigmoid(z)

    def training_step(self, learning_rate: Any, corruption_level: float = 0.0, **settings: Any) -> tuple[TensorVariable, Any]:
        # by position, as the tutorials' own loops do: subclasses call their arguments what they like
        return self.get_cost_updates(corruption_level, learning_rate, **settings)

    def get_cost_updates(
        self, corruption_level: Any, learning_rate: Any
    ) -> tuple[TensorVariable, list[tuple[SharedVariable, Variable]]]:
        """Return the cost of a minibatch and the updates of one step of gradient descent on it.

        Returns
        -------
        cost : symbolic scalar
            Cross-entropy of the reconstruction of the corrupted input with the clean one, in nats per image, minibatch mean.
            Where the output is linear it is half the squared error of an image.
        updates : list of (variable, new value)
            parameter - learning_rate * gradient; a step of `symae.optimizers.adam` where the output is linear.
        """
        hidden = self.get_hidden_values(self.get_corrupted_input(self.x, corruption_level))
        cost = pt.mean(self._example_costs(self.get_reconstructed_input(hidden)))
        if self.output_activation == "linear":
            return cost, adam(cost, self.params, learning_rate)
        gradients = pt.grad(cost, self.params)
        return cost, [(p, p - learning_rate * g) for p, g in zip(self.params, gradients, strict=True)]

    def _example_costs(self, z: Variable) -> TensorVariable:
        return half_squared_error(self.x, z) if self.output_activation == "linear" else cross_entropy(self.x, z)

    def example_costs(self) -> TensorVariable:
        """Return the cross-entropy, or half the squared error, of each reconstruction, without corruption."""
        return self._example_costs(self.nodes["reconstruction"])

    @property
    def nodes(self) -> dict[str, TensorVariable]:
        """``input``, ``hidden`` (the code) and ``reconstruction``, without corruption."""
        kept = self.__dict__.get("_nodes")
        if kept is None or kept["input"] is not self.x:  # built once, so that the reconstruction depends on this very code
            hidden = self.get_hidden_values(self.x)
            kept = {"input": self.x, "hidden": hidden, "reconstruction": self.get_reconstructed_input(hidden)}
            self._nodes: dict[str, TensorVariable] = kept
        return dict(kept)

    def describe(self) -> ModelDescription:
        nodes, level = self.nodes, self.default_corruption_level
        return ModelDescription(
            nodes=nodes,
            pixels=self.n_visible,
            image_shape=self.image_shape,
            layers=[FilterLayer("W", "hidden", nodes["hidden"], bias="b", sees_pixels=True, threshold=0.5)],
            code="hidden",
            output="reconstruction",
            code_size=self.n_hidden,
            corruption_level=level,
            training_step=lambda: self.training_step(self.fit_defaults.learning_rate, level),
        )

    def checked_input(self, name: str, X: Any) -> np.ndarray:
        return checked_matrix(name, X, self.n_visible)

    def feedforward(self) -> TensorVariable:
        """Return the symbolic reconstruction of the input `x`, without corruption."""
        return self.get_reconstructed_input(self.get_hidden_values(self.x))

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        """Pickle and copy the three arrays, and what was learned or said of the model beside them."""
        reduced = super().__reduce_ex__(protocol)
        more = {name: self.__dict__[name] for name in self._kept_attributes if name in self.__dict__}
        if self._chosen():
            more["options"] = self._chosen()
        if not more or isinstance(reduced, str):
            return reduced
        make, arguments, state, *rest = reduced
        return make, arguments, (*state, more), *rest

    def __getstate__(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the values of W, b and b_prime."""
        W, b, b_prime = (np.array(p.get_value(borrow=True)) for p in self.params)
        return W, b, b_prime

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Take the values of W, b and b_prime, and perhaps more attributes; an unpickled model gets its sizes from them."""
        arrays, more = state[:3], state[3:]
        values = dict(zip(self.parameter_names, arrays, strict=True))
        if not hasattr(self, "params"):
            n_visible, n_hidden = np.shape(values["W"])
            options = more[0].get("options", {}) if more else {}
            type(self).__init__(self, np.random.RandomState(0), n_visible=n_visible, n_hidden=n_hidden, **options)
        self.set_parameters(values, "state")
        for attributes in more:
            self.__dict__ |= {name: attributes[name] for name in self._kept_attributes if name in attributes}

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | Callable[[Any], Any] | None = None,
        shuffle: bool | None = None,
        backend: str | None = None,
        verbose: bool = False,
        callbacks: Callbacks = (),
        corruption_level: float | None = None,
    ) -> Self:
        """Train on the rows of `X` as `symae.models.base.Model.fit` does: by default 15 epochs in their order, at the rate 0.1.

        Where the output is linear the rate is 0.001.

        Parameters
        ----------
        X : (n, n_visible), values in [0, 1]; of any values where the output is linear
        y, epochs, batch_size, learning_rate, shuffle, backend, verbose, callbacks
            As in `symae.models.base.Model.fit`, in minibatches of 20.
        corruption_level : float in [0, 1), optional
            The share of pixels that is set to zero; 0 for an autoencoder, 0.3 for a denoising one.

        Returns
        -------
        self
            With ``history_``.

        Raises
        ------
        InputError, DivergedError
            As `symae.models.base.Model.fit`, and for a `corruption_level` outside of [0, 1).
        """
        level = self.default_corruption_level if corruption_level is None else corruption_level
        return self._fit(X, y, epochs, batch_size, learning_rate, shuffle, backend, verbose, callbacks, corruption_level=level)

    def training_data(self, X: Any, y: Any) -> dict[Variable, np.ndarray]:
        limits = None if self.output_activation == "linear" else (0, 1)
        return {self.x: checked_matrix("X", X, self.n_visible, limits)}

    def _check_training_settings(self, **settings: Any) -> None:
        level: float = settings["corruption_level"]
        if not (isinstance(level, Real) and 0 <= level < 1):
            raise InputError("corruption_level", repr(level), "a number in [0, 1)")

    def inverse_transform(self, hidden: Any, *, backend: str | None = None) -> np.ndarray:
        """Compute what the decoder makes of codes: (n, n_hidden) -> (n, n_visible)."""
        code = pt.matrix("hidden")
        decode = self._compiled("decode", backend, lambda: ([code], self.get_reconstructed_input(code), None))
        return np.asarray(decode(checked_matrix("hidden", hidden, self.n_hidden)))

    def configuration(self) -> dict[str, Any]:
        return {"n_visible": self.n_visible, "n_hidden": self.n_hidden, **self._chosen()}

    def _chosen(self) -> dict[str, Any]:
        """Return what the constructor got beside the sizes, where it is not the class's default."""
        attributes = ((option, name, getattr(self, name)) for option, name in self._options.items())
        return {option: value for option, name, value in attributes if value != getattr(type(self), name)}

    @classmethod
    def parameter_shapes(cls, configuration: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        sizes = {key: value for key, value in configuration.items() if key not in cls._options}
        n_visible, n_hidden = (checked_count("n_visible and n_hidden", n) for n in configured(sizes, "n_visible", "n_hidden"))
        return {"W": (n_visible, n_hidden), "b": (n_hidden,), "b_prime": (n_visible,)}

    @classmethod
    def from_configuration(cls, configuration: Mapping[str, Any]) -> Self:
        return cls(np.random.RandomState(0), **configuration)


class DenoisingAutoencoder(Autoencoder):
    """Learn to put back pixels of the input that are set to zero.

    The parameters, attributes and methods are those of `Autoencoder`.
    """

    default_corruption_level = 0.3

    def get_corrupted_input(self, input: Variable, corruption_level: Any) -> TensorVariable:
        """Multiply `input` by a mask that is 0 with probability `corruption_level`, else 1; a new mask at each call."""
        mask = self.theano_rng.binomial(size=input.shape, n=1, p=1 - corruption_level, dtype=pytensor.config.floatX)
        return mask * input
