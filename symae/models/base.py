"""What all models share: named parameters, files, and input that is checked."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pytensor
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable
from pytensor.tensor.variable import TensorVariable

from symae._runtime.checks import as_numbers, finite, flag
from symae._runtime.tensor_files import not_finite
from symae.compile import COMPILING, function
from symae.compile.batched import BatchedFunction
from symae.compile.pure import PureFunction, to_jax_arrays
from symae.errors import InputError
from symae.models.description import ModelDescription, named_layers
from symae.models.fitting import FitDefaults, Fitting, check_settings
from symae.models.saved import check_shapes, read_image_shape, read_model, write_model
from symae.nn import deterministic
from symae.optimizers import Updates, scheduled
from symae.training import Callbacks, History

_COMPILED = {"_graphs", "_functions", "_batched", "_fitting"}  # attributes that `Model` keeps to be quicker
CHUNK = 100  # examples at a time where a whole set is evaluated

CONFIGURATION_ERRORS = (AttributeError, KeyError, TypeError, ValueError, OverflowError, MemoryError)


def checked_matrix(name: str, X: Any, columns: int, limits: tuple[float, float] | None = None) -> np.ndarray:
    """Return `X` as a C-contiguous, writable matrix of floatX with `columns` columns, of finite numbers, or raise InputError.

    Values outside `limits` are one, unless it is by rounding: 64 units in the last place, of which the result has none beyond
    the limits.
    """
    matrix = as_numbers(name, X, f"an array of shape (n, {columns})", pytensor.config.floatX)
    if matrix.ndim != 2 or matrix.shape[1] != columns:
        raise InputError(name, f"shape {matrix.shape}", f"(n, {columns})")
    finite(name, matrix)
    return matrix if limits is None else checked_range(name, matrix, limits, X)


def checked_range(name: str, matrix: np.ndarray, limits: tuple[float, float], X: Any) -> np.ndarray:
    """Return `matrix`, cut to `limits` where it is outside by no more than the rounding of scaling in the dtype of `X`."""
    if not matrix.size:
        return matrix
    low, high = limits
    least, largest = matrix.min(), matrix.max()
    if low <= least and largest <= high:
        return matrix
    dtypes = [dtype for dtype in (np.asarray(X).dtype, matrix.dtype) if np.issubdtype(dtype, np.floating)]
    # two units of float16 are all that is left of the images' eight bits
    rounding = min(64 * max(float(np.finfo(dtype).eps) for dtype in dtypes), 0.002) * max(abs(low), abs(high))
    if least < low - rounding or largest > high + rounding:
        found = " to ".join(str(v).removesuffix(".0") for v in (least, largest))  # as many digits as tell it from others
        raise InputError(name, f"values from {found}", f"values from {low:g} to {high:g}")
    return np.clip(matrix, low, high)


class Model:
    """Hold parameters in shared variables, saved and loaded by their names.

    Attributes
    ----------
    params : list of shared variables
        What training changes.
    parameter_names : tuple of str
        Their names in files. The variables carry them too, unless the user handed in variables of other names.
    x : symbolic variable
        The input.
    state : sequence of shared variables
        What training changes beside `params`, of models that have some: `symae.nn.Parameters.state`. It is saved like these.
    image_shape : tuple of int or None
        How the numbers of an image lie in a row of the input, for those who draw them: (h, w), (channels, h, w) or (h, w,
        channels). Models of images know it; of the others it may be set, and is saved with the model. None stands for a square.
    history_ : `symae.training.History`
        Of the last training by `fit`.
    fit_defaults : FitDefaults
        How many epochs, in minibatches of which size, at which rate and in which order `fit` trains by default.
    shuffling_seed : int in [0, 2**32)
        Seeds the orders of the examples in `fit`, of a model that has not been trained yet.
    """

    params: list[SharedVariable]
    parameter_names: tuple[str, ...]
    x: TensorVariable
    state: Sequence[SharedVariable] = ()
    image_shape: tuple[int, ...] | None = None
    history_: History
    fit_defaults: FitDefaults = FitDefaults()
    shuffling_seed: int = 0
    _classes: ClassVar[dict[str, type[Model]]] = {}

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        Model._classes[cls.__name__] = cls

    @property
    def nodes(self) -> dict[str, TensorVariable]:
        """What the model computes on the way from `x`, by name, beginning with the input."""
        raise NotImplementedError

    def node(self, name: str) -> TensorVariable:
        """Return the symbolic variable of that name, an expression of the input `x`.

        Raises
        ------
        InputError
            There is none; the message lists those there are.
        """
        if name not in self.nodes:
            raise InputError("node", repr(name), f"one of {', '.join(self.nodes)}")
        return self.nodes[name]

    def node_names(self) -> list[str]:
        """Return the names of all nodes, in the order in which they are computed."""
        return list(self.nodes)

    def node_values(self, name: str, X: Any, *, backend: str | None = None) -> np.ndarray:
        """Compute the values of a node for the images `X`; its first axis counts them."""
        node = self.node(name)
        compute = self._compiled(f"node {name}", backend, lambda: ([self.x], deterministic(node), None))
        return np.asarray(compute(self.checked_input("X", X)))

    def transform(self, X: Any, *, backend: str | None = None) -> np.ndarray:
        """Compute the codes of examples: (n, ...) -> (n, ...), the values of the node that `describe` names as the code.

        Of a classifier these are the probabilities of the classes.

        Raises
        ------
        InputError
            `X` does not fit, or the model has no code.
        """
        return self._described_values("transform", "code", X, backend)

    def reconstruct(self, X: Any, *, backend: str | None = None) -> np.ndarray:
        """Draw examples from their codes, without corruption: the values of the node that `describe` names as the output.

        Raises
        ------
        InputError
            `X` does not fit, or the model draws nothing.
        """
        return self._described_values("reconstruct", "output", X, backend)

    def score(self, X: Any, y: Any = None, *, backend: str | None = None) -> float:
        """Compute the mean of `example_costs` over the examples `X`, of which there must be some: the less, the better.

        Parameters
        ----------
        X, y
            As in `fit`; values may be beyond [0, 1] here, as those of test data that is scaled like the training data.
        backend : str, optional

        Raises
        ------
        InputError
            `X` or `y` does not fit, or the model has no `example_costs`.
        """
        data = _some_rows(self.scoring_data(X, y))
        costs = self.evaluated("score", self.example_costs(), data, backend)
        return float(costs.mean(dtype=np.float64))

    def example_costs(self) -> TensorVariable:
        """Return what training lowers for each example of the input, (n,), without corruption and without penalties."""
        raise InputError("score", f"a {type(self).__name__}", "a model with a method example_costs")

    def evaluated(
        self, key: str, expression: Variable, data: Mapping[Variable, np.ndarray], backend: str | None = None
    ) -> np.ndarray:
        """Compute `expression`, an entry for each example of `data`, in batches; it is compiled once for each `key`."""
        kept = self.__dict__.setdefault("_batched", {})
        if (key, backend) not in kept:
            kept[key, backend] = BatchedFunction(key, deterministic([expression]), backend)
        batches = kept[key, backend](data, self.x.type.shape[0] or CHUNK, pad_last=True)
        return np.concatenate([np.asarray(values)[:n] for (values,), n in batches])

    def _described_values(self, method: str, part: Literal["code", "output"], X: Any, backend: str | None) -> np.ndarray:
        self._check_input_is_free(method)
        name: str | None = getattr(self.describe(), part)
        if name is None:
            raise InputError(method, f"a {type(self).__name__}", f"a model whose description names its {part}")
        return self.node_values(name, X, backend=backend)

    def to_jax(self, node: str | None = None) -> tuple[Callable[[Mapping[str, Any], Any], Any], dict[str, Any]]:
        """Return (pure function, parameters): ``function(parameters, X)`` computes the values of a node in JAX.

        These are those of `node_values`: of the trained model, without dropout and with what batch normalisation has averaged.
        The function may be handed to ``jax.jit``, ``jax.grad`` and ``jax.vmap``. Training this model changes neither of them;
        ``model.set_parameters(parameters)`` takes parameters back.

        Parameters
        ----------
        node : str, optional
            One of `node_names`. By default what the model draws, or what it has as its code if it draws nothing; of a
            classifier these are the probabilities of the classes.

        Returns
        -------
        function : callable
            ``function(parameters, X) -> array``, for `X` as the input `x` takes it; its first axis counts examples.
        parameters : dict of str to jax.Array
            Copies of the parameters, and of `state`, by name.

        Raises
        ------
        InputError
            There is no such node, the model's input is an expression, or the model is of float64 and JAX has no 64-bit numbers.
        BackendError
            JAX is not installed.

        Examples
        --------
        >>> import jax, numpy as np
        >>> from symae import Autoencoder
        >>> model = Autoencoder(np.random.RandomState(0), n_visible=4, n_hidden=2)
        >>> draw, parameters = model.to_jax()
        >>> images = np.random.RandomState(0).uniform(size=(5, 4))
        >>> gradients = jax.grad(lambda p: ((draw(p, images) - images) ** 2).mean())(parameters)
        >>> gradients["W"].shape
        (4, 2)
        """
        self._check_input_is_free("to_jax")
        if node is None:
            description = self.describe()
            node = description.output or description.code or self.node_names()[-1]
        pure = PureFunction([self.x], {node: deterministic(self.node(node))}, [], ["X"])
        first, names, saved = pure.first_state(), {v: name for name, v in pure.variables.items()}, self._saved()
        keys = {names[v]: name for name, v in saved.items() if v in names}
        others = {name: value for name, value in first.items() if name not in keys}

        def function(parameters: Mapping[str, Any], X: Any) -> Any:
            """Compute the values of the node: (parameters, X) -> array."""
            if parameters.keys() != saved.keys():
                raise InputError("parameters", ", ".join(map(str, parameters)), ", ".join(saved))
            _, (values,) = pure(others | {mine: parameters[name] for mine, name in keys.items()}, [X])
            return values

        return function, to_jax_arrays(self.parameters())

    def describe(self) -> ModelDescription:
        """Return what ``symae inspect`` and its siblings ask of the model; a class of one's own says more of itself here.

        By default it has the layers of `symae.nn` between `x` and the nodes, nothing that is its code or its drawing, and the
        pixels of `image_shape`, or else as many as `x` is declared with.
        """
        nodes, declared = self.nodes, self.x.type.shape[1:]
        sizes = self.image_shape or (declared if None not in declared else ())
        return ModelDescription(
            nodes=nodes,
            pixels=math.prod(sizes) if sizes else None,
            image_shape=self.image_shape,
            layers=named_layers(self.x, nodes),
            training_step=getattr(self, "get_cost_updates", None),
        )

    def checked_input(self, name: str, X: Any) -> np.ndarray:
        """Return `X` as an array that the input `x` takes, or raise an error that calls it `name`."""
        raise NotImplementedError

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
    ) -> Self:
        """Train by minibatches of `X`; a second call goes on from the first, with what the optimizer remembers at that rate.

        By default as `fit_defaults` of the class says, which is what the worksheet of the model does.

        Parameters
        ----------
        X : array, (n, ...)
            Examples for the input `x`: images and rows of their pixels have values in [0, 1]. Values that rounding has put
            beyond the ends, as scikit-learn's ``MinMaxScaler`` may, count as 0 and 1.
        y : ignored
            Here so that the model fits into a scikit-learn pipeline; for a classifier the classes of `X`.
        epochs : int >= 0, optional
        batch_size : int >= 1, optional
            Fewer examples are one minibatch.
        learning_rate : float > 0, or schedule, optional
            A schedule, such as `symae.optimizers.CosineDecay`, counts the steps of the calls that are given the same one, which
            go on together; with another one, as each ``lambda`` is, the count begins at zero, and what the optimizer remembers
            too, and the one before is forgotten.
        shuffle : bool, optional
            True: a new order in each epoch, the same in each run; what remains after the last full minibatch sits out, if there
            is one. False: the order of `X`, and the last minibatch holds what is left.
        backend : str, optional
            As in `symae.function`.
        verbose : bool
            Print the cost of the epochs.
        callbacks : sequence of `symae.training.Callback` or functions
            What else happens during the training. A function is called with the `symae.training.TrainingState` as each epoch
            ends, and ends the training if it returns True.

        Returns
        -------
        self
            With ``history_``, a `symae.training.History`; Ctrl-C ends the training after the finished epochs.

        Raises
        ------
        InputError
            `X`, `y` or a setting is not as above, or this model's input is an expression; `X` in floatX is larger than the
            machine's memory (`symae.training.fit` reads it a minibatch at a time).
        DivergedError
            The cost is not finite: says where. The model is then as the last finished epoch left it.
        """
        return self._fit(X, y, epochs, batch_size, learning_rate, shuffle, backend, verbose, callbacks)

    def _fit(
        self,
        X: Any,
        y: Any,
        epochs: int | None,
        batch_size: int | None,
        learning_rate: float | Callable[[Any], Any] | None,
        shuffle: bool | None,
        backend: str | None,
        verbose: bool,
        callbacks: Callbacks,
        **settings: Any,
    ) -> Self:
        """Do what `fit` says; `settings` are what `training_step` takes besides the rate."""
        self._check_input_is_free("fit")
        defaults, fixed = self.fit_defaults, self.x.type.shape[0]
        data = _some_rows(self.training_data(X, y))
        epochs = defaults.epochs if epochs is None else epochs
        batch_size = (fixed or defaults.batch_size) if batch_size is None else batch_size
        rate = defaults.learning_rate if learning_rate is None else learning_rate
        check_settings(epochs, batch_size, rate, callbacks)
        shuffle = flag("shuffle", defaults.shuffle if shuffle is None else shuffle)
        self._check_training_settings(**settings)
        fitting: Fitting = self.__dict__.setdefault("_fitting", Fitting(self.shuffling_seed))
        with fitting.lock:
            self.history_ = fitting.run(
                (rate, *settings.items()),
                lambda: self._scheduled_step(rate, **settings),
                data,
                epochs=epochs,
                batch_size=batch_size,
                shuffle=shuffle,
                static=defaults.static,
                backend=backend,
                verbose=verbose,
                callbacks=callbacks,
            )
        return self

    def training_data(self, X: Any, y: Any) -> dict[Variable, np.ndarray]:
        """Return what `fit` trains on: an array for each symbolic input of `training_step`, checked.

        Raises
        ------
        InputError
            `X` or `y` does not fit.
        """
        return {self.x: self.checked_input("X", X)}

    def scoring_data(self, X: Any, y: Any) -> dict[Variable, np.ndarray]:
        """Return what `score` is of, as `training_data` does."""
        return {self.x: self.checked_input("X", X)}

    def _scheduled_step(self, learning_rate: Any, **settings: Any) -> tuple[TensorVariable, Updates]:
        """Return `training_step` at the rate that a schedule has at each step."""
        rate, counting = scheduled(learning_rate)
        cost, updates = self.training_step(rate, **settings)
        return cost, [*updates, *counting]

    def training_step(self, learning_rate: Any, **settings: Any) -> tuple[TensorVariable, Updates]:
        """Return the cost of a minibatch and the updates of a step, as `fit` trains."""
        if not hasattr(self, "get_cost_updates"):
            raise InputError("fit", f"a {type(self).__name__}", "a model with a method get_cost_updates(learning_rate=...)")
        return self.get_cost_updates(learning_rate=learning_rate, **settings)

    def _check_training_settings(self, **settings: Any) -> None:
        """Refuse settings of `training_step` that are out of range."""

    def _check_input_is_free(self, method: str) -> None:
        if self.x.owner is not None or isinstance(self.x, SharedVariable):
            raise InputError(method, f"a model whose input is the expression {self.x}", "one whose input is a free matrix")

    def configuration(self) -> dict[str, Any]:
        """Return what the constructor needs to build a model of this shape, as JSON takes it."""
        raise NotImplementedError

    @classmethod
    def from_configuration(cls, configuration: Mapping[str, Any]) -> Self:
        """Build a model of the shape described, with parameters that will be replaced."""
        raise NotImplementedError

    @classmethod
    def parameter_shapes(cls, configuration: Mapping[str, Any]) -> dict[str, tuple[int, ...]] | None:
        """Return the shapes of the parameters of a model of the shape described, by name, without building it.

        None where a class does not say.

        Raises
        ------
        InputError, KeyError
            The configuration is none of this class.
        """
        return None

    def parameters(self) -> dict[str, np.ndarray]:
        """Return the values of the parameters, and of `state`, by name."""
        return {name: np.asarray(v.get_value(borrow=True)) for name, v in self._saved().items()}

    def _saved(self) -> dict[str, SharedVariable]:
        return dict(zip(self.parameter_names, self.params, strict=True)) | {str(v.name): v for v in self.state}

    def set_parameters(self, values: Mapping[str, np.ndarray], source: str | Path = "parameters") -> None:
        """Replace all parameters; `source` names where they come from in the error.

        Raises
        ------
        InputError
            A name is missing or unknown, or a shape differs; no parameter is changed then.
        """
        found, mine = ({name: np.shape(value) for name, value in part.items()} for part in (values, self.parameters()))
        check_shapes(source, found, mine)
        for name, p in self._saved().items():
            p.set_value(np.array(values[name], dtype=p.type.dtype, order="C"))

    def save(self, path: str | Path) -> Path:
        """Write ``<path>.safetensors`` and ``<path>.json``, whole or not at all; a folder gets ``model`` as the name.

        Raises
        ------
        UnwritableError
            The disk is full or the place cannot be written; an older model there is kept.
        """
        configuration = self.configuration()
        more = {} if self.image_shape is None or "image_shape" in configuration else {"image_shape": list(self.image_shape)}
        return write_model(path, type(self).__name__, configuration, self.parameters(), more)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Load the model saved as `path`: the name given to `save`, one of its two files, or their folder.

        ``Model.load`` loads one of any class in `symae.models`.

        Raises
        ------
        MissingFileError, InputError
            Nothing there, damaged, of another class, or with other names or shapes than the class has. Nothing is built then.

        Warns
        -----
        RuntimeWarning
            Parameters hold NaN or infinite values, as after a training that diverged: names them.
        """
        model, strange = cls._loaded(path)
        if strange:
            # no error: a model that diverged can be looked at, and what it computes surprises nobody who has read this
            warnings.warn(f"{path}: NaN or infinite values in {strange}", RuntimeWarning, stacklevel=2)
        return model

    @classmethod
    def _loaded(cls, path: str | Path) -> tuple[Self, str]:
        """Return what `load` returns, and the names of the parameters that are not finite."""
        name, configuration, values = read_model(path, lambda name, configuration: cls._shapes(path, name, configuration))
        kind = Model._classes[name]
        try:
            model: Self = kind.from_configuration(configuration)  # type: ignore[assignment]
            if model.configuration().keys() != configuration.keys():
                raise ValueError(f"its keys should be {', '.join(model.configuration())}")
        except CONFIGURATION_ERRORS as error:
            raise _no_configuration(path, name, configuration, error) from error
        model.set_parameters(values, path)
        if model.image_shape is None:
            model.image_shape = read_image_shape(path)
        return model, not_finite(values)

    @classmethod
    def _shapes(cls, path: str | Path, name: str, configuration: dict[str, Any]) -> dict[str, tuple[int, ...]] | None:
        """Return the shapes of the parameters of a saved model, if `load` takes its class and its configuration."""
        kind = Model._classes.get(name)
        if kind is None or not issubclass(kind, cls) or (cls is not Model and name != cls.__name__):
            loadable = [k for k, c in Model._classes.items() if c.configuration is not Model.configuration and k[0] != "_"]
            expected = f"one of {', '.join(loadable)}" if cls is Model else cls.__name__
            if name == "keras.Model":
                expected += "; a Keras-style model is what symae.keras.load_model reads, or of weights alone its load_weights"
            raise InputError(path, f"a saved {name}", f"a saved {expected}")
        if not kind.__module__.startswith("symae.models."):
            return None  # somebody's own class may have more parameters than the one it inherits from
        try:
            return kind.parameter_shapes(configuration)
        except CONFIGURATION_ERRORS as error:
            raise _no_configuration(path, name, configuration, error) from error

    def __getstate__(self) -> Any:
        """Return what pickles and copies have: all but what can be compiled again."""
        return {name: value for name, value in self.__dict__.items() if name not in _COMPILED}

    def _compiled(self, key: str, backend: str | None, build: Callable[[], tuple[list[Variable], Any, Any]]) -> Any:
        """Return the compiled function for `key` on `backend`, kept.

        `build` makes its inputs, outputs and updates: once for all backends, because each graph has random streams of its own.
        """
        graphs, functions = self.__dict__.setdefault("_graphs", {}), self.__dict__.setdefault("_functions", {})
        if (key, backend) not in functions:
            with COMPILING:  # one thread compiles it, and all get the same
                if key not in graphs:
                    graphs[key] = build()
                if (key, backend) not in functions:
                    inputs, outputs, updates = graphs[key]
                    functions[key, backend] = function(inputs, outputs, updates=updates, backend=backend, name=key)
        return functions[key, backend]


def _some_rows(data: dict[Variable, np.ndarray]) -> dict[Variable, np.ndarray]:
    if not len(next(iter(data.values()))):
        raise InputError("X", "no rows", "at least one")
    return data


def configured(configuration: Mapping[str, Any], *keys: str) -> list[Any]:
    """Return the values of `keys`, if the configuration has exactly those."""
    if configuration.keys() != set(keys):
        raise ValueError(f"its keys should be {', '.join(keys)}")
    return [configuration[key] for key in keys]


def _no_configuration(path: str | Path, name: str, configuration: Mapping[str, Any], error: Exception) -> InputError:
    return InputError(path, f"configuration {configuration} ({error})", f"the configuration of class {name}")
