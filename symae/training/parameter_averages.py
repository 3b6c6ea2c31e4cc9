"""Running averages of parameters: where the steps of a training end up, without the last steps' noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable
from pytensor.graph.replace import clone_replace

from symae.errors import InputError
from symae.training.checkpoints import put, values
from symae.training.engine import Callback, TrainingState


class Averages(Callback):
    """Averages each parameter p over its past values, the newest ones weighing most; in the end p becomes its average.

    .. math:: a \\leftarrow d_t a + (1 - d_t) p, \\qquad d_t = \\min(d, (1 + t) / (10 + t))

    with the p that step t, from zero, has come to, and d the `decay`; a, ``<parameter>_average``, begins as p is. It reaches
    back about 1 / (1 - d) steps, and in the beginning less, so that it does not depend on the weights before training. A
    training with steps of a constant size does not settle down but wanders about the minimum, and averages lie nearer to it.
    Source: Polyak and Juditsky (1992); TensorFlow has them as running averages, where the steps are ``num_updates``, Keras as
    ``use_ema``.

    `variables` has by the name of each of `params` its average, or itself if steps do not change it or it has whole numbers;
    `updates` are how a step moves the averages.
    """

    def __init__(self, params: dict[str, SharedVariable], updates: Sequence[tuple[SharedVariable, Variable]], decay: float):
        number = isinstance(decay, float | int | np.number) and not isinstance(decay, bool)
        if not number or not 0 <= decay < 1:
            raise InputError("average", repr(decay), "a decay from 0 to below 1, such as 0.99")
        stepped = dict(updates)
        self._params = params
        self.variables: dict[str, SharedVariable] = dict(params)
        self.updates: list[tuple[SharedVariable, Variable]] = []
        step = pytensor.shared(np.asarray(0, "int64"), name="average_step")
        for name, p in params.items():
            if p in stepped and np.dtype(p.type.dtype).kind == "f":
                average = self.variables[name] = pytensor.shared(np.array(p.get_value()), name=f"{name}_average")
                t = pt.cast(step, average.type.dtype)
                d = pt.minimum(np.asarray(decay, average.type.dtype), (1 + t) / (10 + t))
                self.updates.append((average, d * average + (1 - d) * stepped[p]))
        self.updates.append((step, step + 1))

    def in_place_of_params(self, outputs: Sequence[Variable]) -> list[Variable]:
        """Return `outputs` of a model whose parameters are the averages."""
        replaced = {p: self.variables[name] for name, p in self._params.items() if p is not self.variables[name]}
        return list(clone_replace(list(outputs), replaced, rebuild_strict=False))

    def on_train_end(self, state: TrainingState) -> None:
        if state.error is None:
            put(values(self.variables), self._params)
