"""The layers of a model, under Keras's names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable

from symae.errors import InputError


@dataclass(frozen=True, eq=False)
class KerasLayer:
    """Hold an input or a layer of a model.

    Attributes
    ----------
    name : str
    kind : str
        In words, as the summary has it.
    input, output : symbolic
        Ends of other models: ``Model(model.input, model.get_layer("code").output)`` is the encoder.
    weights : list of shared variables
        Parameters first, then running averages, in Keras's order: W, b; gamma, beta, mean, variance.
    """

    name: str
    kind: str
    input: Variable
    output: Variable
    weights: Sequence[SharedVariable] = ()

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of the values of `weights`."""
        return [np.array(v.get_value(borrow=True)) for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set `weights` to these values, as many and of the same shapes; else InputError, and nothing is changed."""
        set_weights(f"{self.name}: weights", self.weights, weights)

    def count_params(self) -> int:
        """Return how many numbers `weights` hold."""
        return sum(v.get_value(borrow=True).size for v in self.weights)


def set_weights(where: str, variables: Sequence[SharedVariable], given: Any) -> None:
    """Set the variables to what is given for each, a list of arrays, or raise InputError and change nothing."""
    if not isinstance(given, list | tuple) or len(given) != len(variables):
        found = f"{len(given)} arrays" if isinstance(given, list | tuple) else f"a {type(given).__name__}"
        names = ", ".join(str(v.name) for v in variables) or "there are no weights"
        raise InputError(where, found, f"a list of {len(variables)}: {names}")
    arrays = []
    for v, value in zip(variables, given, strict=True):
        expected = v.get_value(borrow=True).shape
        try:
            array = np.array(value, v.type.dtype)
        except (TypeError, ValueError) as error:
            raise InputError(f"{where}, {v.name}", f"no array of numbers ({error})", f"one of shape {expected}") from error
        if array.shape != expected:
            raise InputError(f"{where}, {v.name}", f"shape {array.shape}", f"{expected}")
        arrays.append(array)
    for v, array in zip(variables, arrays, strict=True):
        v.set_value(array)
