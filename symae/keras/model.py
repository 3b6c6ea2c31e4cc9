"""``Model``, with Keras's methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from pytensor.graph.basic import Variable
from pytensor.graph.replace import clone_replace
from tqdm import tqdm

from symae import nn, training
from symae._runtime.checks import checked_counts
from symae._runtime.decimals import fixed
from symae.compile.batched import BatchedFunction
from symae.errors import InputError
from symae.keras.arguments import arrays_for, shape_of, split
from symae.keras.graph import built_graph, described_graph
from symae.keras.history import KerasHistory, in_keras_names
from symae.keras.network import Input, Network
from symae.keras.objective import Loss, Objective, Optimizer, checked_settings, named_settings, objective
from symae.keras.saving import DESCRIPTION, read_whole, warn_of_strange, write_whole
from symae.training import Callbacks
from symae.training.callbacks import print_line
from symae.training.data import Examples, evaluation_batch_size


class Model(Network):
    """Train the graph that leads from inputs to outputs.

    Parameters
    ----------
    inputs : symbolic (None, ...), or a list of them
        `Input`, or any expression: ``Model(code, drawn)`` is the decoder alone.
    outputs : symbolic (None, ...), or a list of them
        An entry for each example, which depends on that example alone.

    Attributes
    ----------
    inputs, outputs : lists of symbolic variables
    params : list of shared variables
        Those of the layers between inputs and outputs, which training changes; shared with other models of these layers.
    weights : list of shared variables
        These and running averages, layer by layer, in Keras's order.

    Raises
    ------
    InputError
        The outputs depend on something else than the inputs, or not on all of them; one is not an array with an entry for each
        example; two inputs or two parameters have the same name.

    Examples
    --------
    >>> import numpy as np
    >>> from symae import nn
    >>> from symae.keras import Input, Model
    >>> images = np.random.RandomState(0).rand(64, 1, 8, 8)
    >>> params = nn.Parameters(np.random.RandomState(0))
    >>> x = Input((1, 8, 8))
    >>> conv1 = nn.conv(params, "conv1", x, 4, 3, activation="relu")
    >>> code = nn.max_pool("code", conv1, 2)
    >>> up1 = nn.upsample("up1", nn.conv(params, "conv2", code, 4, 3, activation="relu"), 2)
    >>> drawn = nn.conv(params, "drawn", up1, 1, 3, activation="sigmoid")
    >>> model = Model(x, drawn)
    >>> model.summary()
    Layer                              Output shape     Parameters
    --------------------------------------------------------------
    x      input                       (None, 1, 8, 8)           0
    conv1  convolution 3 x 3, relu     (None, 4, 8, 8)          40
    code   max pooling 2 x 2           (None, 4, 4, 4)           0
    conv2  convolution 3 x 3, relu     (None, 4, 4, 4)         148
    up1    upsampling 2 x 2            (None, 4, 8, 8)           0
    drawn  convolution 3 x 3, sigmoid  (None, 1, 8, 8)          37
    --------------------------------------------------------------
    225 parameters
    >>> model.compile(optimizer="adadelta", loss="binary_crossentropy")
    >>> history = model.fit(images, images, batch_size=16, epochs=2, validation_data=(images, images), verbose=0)
    >>> list(history.history)
    ['loss', 'val_loss']
    >>> history.history["loss"][1] < history.history["loss"][0]
    True
    >>> model.predict(images).shape
    (64, 1, 8, 8)
    >>> Model(x, code).predict(images).shape
    (64, 4, 4, 4)
    """

    def __init__(self, inputs: Variable | Sequence[Variable], outputs: Variable | Sequence[Variable]):
        super().__init__(inputs, outputs)
        self._objective: Objective | None = None
        self._settings: dict[str, Any] | None = None
        self._backend: str | None = None
        self._predictions = BatchedFunction("predict", nn.deterministic(self.outputs, self.inputs), None)
        self._trainings = 0
        self._known_shapes: dict[tuple[tuple[int, ...], ...], list[tuple[int | None, ...]]] = {}

    def compile(
        self,
        optimizer: str | Optimizer = "adadelta",
        loss: str | Loss | Sequence[str | Loss] = "binary_crossentropy",
        metrics: Sequence[str | Loss] = (),
        *,
        backend: str | None = None,
    ) -> None:
        """Choose how to train; what an optimizer remembers is forgotten.

        Parameters
        ----------
        optimizer : str or function
            One of `OPTIMIZERS`, with the rates of classic Keras: 0.01 for sgd, momentum (of 0.9) and adagrad, 0.001 for
            rmsprop, adam and adamw (whose weights decay by 0.004), 1 for adadelta. Or a function (cost, params) -> updates,
            such as ``partial(adam, learning_rate=CosineDecay(1e-3, steps=5000))``.
        loss : str or function, or a list with one for each output
            One of `LOSSES`, or a function (target, output) -> costs, such as `symae.nn.bernoulli_nll`, of which the mean is
            taken. The loss of several outputs is the sum of theirs, and each is measured as ``<output>_loss``.
        metrics : list of str or functions
            What else to measure, as in `loss`; of several outputs as ``<output>_<metric>``.
        backend : str, optional
            As in `symae.function`.

        Raises
        ------
        InputError
            One is unknown: lists the known ones. There are no parameters; the loss does not depend on all of them.
        """
        if not self.params:
            raise InputError("outputs", "no layer with parameters on the way from the inputs", "something to train")
        self._objective = objective(self.outputs, self.params, optimizer, loss, metrics)
        self._settings = named_settings(optimizer=optimizer, loss=loss, metrics=metrics)
        self._backend = backend
        self._predictions = BatchedFunction("predict", nn.deterministic(self.outputs, self.inputs), backend)
        figures = nn.deterministic(list(self._objective.figures.values()), self.inputs)
        self._figures = BatchedFunction("evaluate", figures, backend)

    def fit(
        self,
        x: Any,
        y: Any,
        batch_size: int = 32,
        epochs: int = 1,
        *,
        verbose: int | str = "auto",
        validation_split: float = 0.0,
        validation_data: tuple[Any, Any] | None = None,
        shuffle: bool = True,
        seed: int | None = None,
        folder: str | Path | None = None,
        resume: bool = False,
        patience: int | None = None,
        restore_best: bool = False,
        callbacks: Callbacks = (),
    ) -> KerasHistory:
        """Train with all examples in each epoch; a second call goes on with what the optimizer remembers.

        Parameters
        ----------
        x, y : array, or a list with one for each input or output
            Examples and what should become of them; an autoencoder has the same twice.
        batch_size, epochs : int
        verbose : int or "auto"
            0 prints nothing; otherwise a line for each epoch.
        validation_split : float in [0, 1)
            The share of the examples that are held out as validation data: the last ones, before any shuffling.
        validation_data : (x, y), optional
            After each epoch their loss is ``val_loss``; nothing is split off then.
        shuffle : bool
        seed : int, optional
            Seeds the order of the examples. By default 0 in the first call, or with `resume`, and the next number in each later
            one.
        folder, resume, patience, restore_best, callbacks
            As in `symae.training.fit`; what is watched is ``val_loss``, or ``loss`` without validation data.

        Returns
        -------
        KerasHistory
            ``history.history["loss"]``. After Ctrl-C epochs are missing.

        Raises
        ------
        InputError
            Not compiled yet; or as in `symae.training.fit`: `x` or `y` do not fit, and so on.
        DivergedError
            As in `symae.training.fit`.
        """
        chosen = self._compiled()
        if validation_data is None and validation_split != 0:
            self._data(x, y)
            (x, y), validation_data = split(x, y, self._one_input, self._one_output, validation_split)
        data = self._data(x, y)
        if validation_data is not None and not (isinstance(validation_data, tuple | list) and len(validation_data) == 2):
            raise InputError("validation_data", f"a {type(validation_data).__name__}", "the two arrays (x, y)")
        if seed is None:
            seed = 0 if resume else self._trainings

        def print_epoch(epoch: int, cost: float, seconds: float, measured: Mapping[str, float]) -> None:
            figures = "".join(
                f" - {name}: {fixed(value, 4)}" for name, value in in_keras_names({"cost": cost, **measured}).items()
            )
            with tqdm.external_write_mode():
                print_line(f"Epoch {epoch + 1}/{epochs} - {seconds:.1f}s{figures}")

        history = training.fit(
            chosen.figures["cost"],
            chosen.updates,
            data,
            batch_size=batch_size,
            n_epochs=epochs,
            params=self.params,
            seed=seed,
            shuffle=shuffle,
            drop_last=False,
            validation=None if validation_data is None else self._data(*validation_data),
            measures={name: figure for name, figure in chosen.figures.items() if name != "cost"},
            folder=folder,
            resume=resume,
            patience=patience,
            restore_best=restore_best,
            on_epoch=print_epoch if verbose else None,
            log_every=0,
            backend=self._backend,
            log=None if verbose else lambda line: None,
            callbacks=callbacks,
        )
        self._trainings += 1
        return KerasHistory(**vars(history))

    def evaluate(self, x: Any, y: Any, batch_size: int = 32) -> float | list[float]:
        """Return the loss of `x` and `y`, or with metrics a list that begins with the loss, as in `fit`."""
        (batch_size,) = checked_counts("batch_size", batch_size, 1)
        examples = Examples("data", self._data(x, y))
        batches = self._figures(examples.arrays, evaluation_batch_size(len(examples), batch_size))
        lengths = [n for _, n in batches]
        means = [float(np.average(column, weights=lengths)) for column in zip(*(v for v, _ in batches), strict=True)]
        return means if len(means) > 1 else means[0]

    def predict(self, x: Any, batch_size: int = 32) -> Any:
        """Compute the outputs for `x`, which may be empty: an array, or a list of them if `outputs` was one.

        Parameters
        ----------
        x : array, or a list with one for each input
        batch_size : int
            Examples at a time; compiled once for each size.

        Raises
        ------
        InputError
            `x` does not fit; says why.
        """
        (batch_size,) = checked_counts("batch_size", batch_size, 1)
        arrays = arrays_for("x", x, self.inputs, self._one_input)
        # one of zeros in the place of none, so that shapes are checked and known
        empty = all(getattr(a, "shape", (1,))[:1] == (0,) for a in arrays.values())
        data = {v: np.zeros((1, *a.shape[1:]), v.type.dtype) if empty else a for v, a in arrays.items()}
        examples = Examples("data", data)
        batches = self._predictions(examples.arrays, batch_size, pad_last=True)
        parts = zip(*(outputs for outputs, _ in batches), strict=True)
        predicted = [np.concatenate(part)[: 0 if empty else len(examples)] for part in parts]
        return predicted[0] if self._one_output else predicted

    def save(self, path: str | Path) -> Path:
        """Write the model, layers and parameters: ``<path>.safetensors``, and ``<path>.json`` that describes the graph.

        What was given to `compile` is kept where it is all names; what an optimizer remembers is not, the ``folder`` of `fit`
        has that. The random streams of dropout begin anew in a loaded model.

        Raises
        ------
        InputError
            There is something between the layers that cannot be described, or an activation of one's own: names it. Then
            `save_weights` keeps the parameters.
        UnwritableError
            The disk is full or the place cannot be written; older files there are kept.
        """
        graph = described_graph(self.inputs, self.outputs)
        return write_whole(path, graph, [self._one_input, self._one_output], self._settings, self.parameters())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Load what `save` wrote: the same layers, the same weights, compiled again where `compile` was given names.

        No code is run: a description has names of layers and numbers.

        Raises
        ------
        MissingFileError, InputError
            Nothing there, damaged, of another kind, or weights alone.

        Warns
        -----
        RuntimeWarning
            Parameters hold NaN or infinite values: names them.
        """
        graph, one, settings, weights = read_whole(path)
        inputs, outputs = built_graph(path, graph, weights, Input)
        if (one[0] and len(inputs) != 1) or (one[1] and len(outputs) != 1):
            raise InputError(path, f"{len(inputs)} inputs and {len(outputs)} outputs", "one where the description says so")
        try:
            model = cls(inputs[0] if one[0] else inputs, outputs[0] if one[1] else outputs)
            model.set_parameters(weights, path)
            if settings is not None:
                model.compile(**checked_settings(settings))
        except InputError as error:
            raise InputError(path, f"a damaged model ({error})", DESCRIPTION) from error
        warn_of_strange(path, weights)
        return model

    def training_graph(self) -> tuple[Variable, Any, list[Variable]] | None:
        """Return the loss, the updates of a step and the targets, for those who draw them; None before `compile`."""
        chosen = self._objective
        return None if chosen is None else (chosen.figures["cost"], chosen.updates, chosen.targets)

    def _compiled(self) -> Objective:
        if self._objective is None:
            raise InputError("model", "no loss", "compile(optimizer, loss) before")
        return self._objective

    def _data(self, x: Any, y: Any) -> dict[Variable, Any]:
        targets = self._compiled().targets
        data = arrays_for("x", x, self.inputs, self._one_input)
        wanted = arrays_for("y", y, targets, self._one_output)
        shapes = {v: shape_of(a)[1:] for v, a in data.items()}
        if any(None in v.type.shape[1:] for v in self.outputs) and all(len(s) == v.type.ndim - 1 for v, s in shapes.items()):
            drawn = self._shapes_of_outputs(tuple(shapes[v] for v in self.inputs))
            for v, array, expected in zip(self.outputs, wanted.values(), drawn, strict=True):
                found = shape_of(array)[1:]
                if len(found) == len(expected) and any(n not in (None, m) for n, m in zip(expected, found, strict=True)):
                    of = " and ".join(str(shape) for shape in shapes.values())
                    sizes = ", ".join("any" if n is None else str(n) for n in expected)
                    raise InputError("y", f"examples of shape {found}", f"({sizes}), what {v} is for x of shape {of}")
        return data | wanted

    def _shapes_of_outputs(self, shapes: tuple[tuple[int, ...], ...]) -> list[tuple[int | None, ...]]:
        """Return the shapes of an example of the outputs, as far as they follow from those of the inputs."""
        if shapes not in self._known_shapes:
            known = {x: x.type.clone(shape=(None, *shape))(name=x.name) for x, shape in zip(self.inputs, shapes, strict=True)}
            outputs = clone_replace(self.outputs, known, rebuild_strict=False)
            self._known_shapes[shapes] = [v.type.shape[1:] for v in outputs]
        return self._known_shapes[shapes]


def load_model(path: str | Path) -> Model:
    """Load the model that `Model.save` wrote; see `Model.load`."""
    return Model.load(path)
