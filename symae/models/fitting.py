"""How the models of symae are trained by their ``fit``: arrays in, a history out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import Any

import numpy as np
import pytensor
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable

from symae._runtime.checks import integer
from symae._runtime.locks import Lock
from symae.compile import COMPILING, function
from symae.errors import InputError
from symae.nn.phases import with_running_updates
from symae.optimizers.base import refuse_class
from symae.training import Callbacks, History, train_epochs
from symae.training.callbacks import Shuffling
from symae.training.data import Examples, Pass
from symae.training.engine import check_callbacks
from symae.training.fitting import what_steps_change

Graph = tuple[Variable, Sequence[tuple[SharedVariable, Variable]]]


@dataclass(frozen=True)
class FitDefaults:
    """Hold what a model's ``fit`` does by default: as the worksheet that the model is from.

    `static` is no setting: whether compiled code knows the length of a minibatch, as `symae.training.data.Pass` says.
    """

    epochs: int = 10
    batch_size: int = 64
    learning_rate: float = 0.001
    shuffle: bool = True
    static: bool = True


def check_settings(epochs: int, batch_size: int, learning_rate: float | Callable[[Any], Any], callbacks: Callbacks) -> None:
    """Refuse what cannot be a number of epochs, of examples in a minibatch, a rate, or callbacks: an InputError."""
    integer("epochs", epochs, 0)
    integer("batch_size", batch_size)
    refuse_class("learning_rate", learning_rate)
    if not callable(learning_rate) and not (isinstance(learning_rate, Real) and learning_rate > 0):
        raise InputError("learning_rate", repr(learning_rate), "a positive number, or a schedule")
    try:
        hash(learning_rate)
    except TypeError as error:
        expected = "a schedule with one, by which a second fit knows it"
        raise InputError("learning_rate", f"a {type(learning_rate).__name__} without a hash", expected) from error
    check_callbacks(callbacks)


class Fitting:
    """Keep what a second ``fit`` of a model goes on from, so that nothing is compiled again.

    These are the graphs of its training steps with what an optimizer remembers, the compiled functions, and the generator that
    shuffles, with the seed `seed`. `lock` is held by whoever trains.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._graphs: dict[tuple[Any, ...], Graph] = {}
        self._functions: dict[tuple[Any, ...], dict[int, Any]] = {}
        self._data: dict[Variable, SharedVariable] = {}
        self._shuffling: Shuffling | None = None
        self.lock = Lock()

    def run(
        self,
        key: tuple[Any, ...],
        build: Callable[[], Graph],
        data: Mapping[Variable, np.ndarray],
        *,
        epochs: int,
        batch_size: int,
        shuffle: bool,
        static: bool,
        backend: str | None,
        verbose: bool,
        callbacks: Callbacks,
    ) -> History:
        """Train on `data`; whoever calls holds `lock`, because threads share the model and the place of the data.

        `build` makes the graph for `key`, once: the cost of a minibatch and a step's updates. `key` begins with the rate: of
        the graphs whose rate is a schedule only the last one is kept, as each function would leave one. `static` is that of
        `symae.training.data.Pass`, the other settings are those of `symae.models.base.Model.fit`.
        """
        if key not in self._graphs:
            if callable(key[0]):
                self._graphs = {known: graph for known, graph in self._graphs.items() if not callable(known[0])}
                self._functions = {known: f for known, f in self._functions.items() if not callable(known[0][0])}
            cost, updates = build()
            self._graphs[key] = cost, with_running_updates([cost], updates)
        cost, updates = self._graphs[key]
        arrays = {x: np.require(array, x.type.dtype, ["C", "W"]) for x, array in data.items()}
        for x, array in arrays.items():
            if x not in self._data:
                self._data[x] = pytensor.shared(array, name=f"{x.name}_data", shape=(None, *x.type.shape[1:]), borrow=True)
            self._data[x].set_value(array, borrow=True)
        try:
            examples = Examples("X", {x: self._data[x] for x in data})
            if self._shuffling is None:
                self._shuffling = Shuffling(len(examples), np.random.RandomState(self._seed))
            self._shuffling.n = len(examples)
            with COMPILING:  # one thread compiles it, and all get the same
                steps = Pass(
                    partial(function, backend=backend),
                    examples,
                    batch_size,
                    [cost],
                    updates,
                    order=self._shuffling.order if shuffle else None,
                    drop_last=shuffle,
                    static=static,
                    compiled=self._functions.setdefault((key, backend, batch_size, shuffle), {}),
                )
            return train_epochs(
                steps,
                len(steps),
                epochs,
                log_every=None if verbose else 0,
                params=what_steps_change([cost], updates, data),
                callbacks=[*([self._shuffling] if shuffle else []), *callbacks],
            )
        finally:
            for x, array in arrays.items():  # the functions stay, the data need not
                self._data[x].set_value(np.empty((0, *array.shape[1:]), array.dtype), borrow=True)
