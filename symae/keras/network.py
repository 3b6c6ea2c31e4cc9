"""Inputs, outputs and the layers between them, with their weights: what a `Model` is before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.traversal import ancestors, graph_inputs

from symae import nn
from symae._runtime.checks import checked_counts, integer
from symae.errors import InputError
from symae.keras.arguments import listed
from symae.keras.layers import KerasLayer, set_weights
from symae.keras.saving import read_weights, warn_of_strange, write_weights
from symae.keras.summary import summary_lines
from symae.training.checkpoints import put, values


def Input(shape: int | Sequence[int | None], *, name: str = "x", dtype: str | None = None) -> Variable:
    """Make a symbolic input of examples, (None, *shape).

    Parameters
    ----------
    shape : int or sequence of int
        Of one example: (channels, h, w) for images, a number for rows. None where it is not known.
    name : str
        What errors call it.
    dtype : str, optional
        floatX by default.

    Raises
    ------
    InputError
        A size is below 1.
    """
    sizes = tuple(shape) if isinstance(shape, Sequence) else (shape,)
    for size in sizes:
        if size is not None:
            checked_counts("shape", size)
    return pt.tensor(name, dtype=dtype or pytensor.config.floatX, shape=(None, *sizes))


class Network:
    """Know the layers that lead from inputs to outputs, and keep their weights; `Model` says more of the attributes."""

    def __init__(self, inputs: Variable | Sequence[Variable], outputs: Variable | Sequence[Variable]):
        self.inputs, self._one_input = listed("inputs", inputs)
        self.outputs, self._one_output = listed("outputs", outputs)
        names = [str(x) for x in self.inputs]
        if len(set(names)) < len(names):
            raise InputError("inputs", f"inputs named {', '.join(names)}", "a name for each: Input(shape, name=...)")
        for v in graph_inputs(self.outputs, blockers=self.inputs):
            if v not in self.inputs and not isinstance(v, SharedVariable | Constant):
                missing = f"{v} among them"
                if str(v) in names:
                    missing = f"another one too that is also called {v}; Input(shape, name=...) tells them apart"
                raise InputError("inputs", ", ".join(names), f"{missing}, because the outputs depend on it")
        used = set(ancestors(self.outputs, blockers=self.inputs))
        for x in self.inputs:
            if x not in used:
                raise InputError("inputs", f"{x}, on which no output depends", "inputs that lead to the outputs")
        self._layers = nn.layers_of(self.inputs, self.outputs)
        self.params = list(dict.fromkeys(p for layer, _ in self._layers for p in layer.params))
        self.weights = list(dict.fromkeys(v for layer, _ in self._layers for v in (*layer.params, *layer.state)))
        self._named = {v.name: v for v in self.weights}
        if len(self._named) < len(self.weights):
            raise InputError("outputs", f"parameters named {', '.join(str(v.name) for v in self.weights)}", "a name for each")

    @property
    def input(self) -> Any:
        """The input, or the list of inputs if it was one."""
        return self.inputs[0] if self._one_input else self.inputs

    @property
    def output(self) -> Any:
        """The output, or the list of outputs if it was one."""
        return self.outputs[0] if self._one_output else self.outputs

    @property
    def layers(self) -> list[KerasLayer]:
        """The inputs, and then the layers in the order in which they are computed."""
        inputs = [KerasLayer(str(x), "input", x, x) for x in self.inputs]
        return inputs + [
            KerasLayer(layer.name, layer.kind, layer.input, y, (*layer.params, *layer.state)) for layer, y in self._layers
        ]

    def get_layer(self, name: str | None = None, index: int | None = None) -> KerasLayer:
        """Return the layer of this name, or at this place in `layers`.

        Raises
        ------
        InputError
            There is none: lists those there are. Or not one of the two was given.
        """
        layers = self.layers
        if (name is None) == (index is None):
            raise InputError("get_layer", "both" if index is not None else "neither", "a name, or an index=")
        if index is not None:
            return layers[integer("index", index, -len(layers), len(layers) - 1)]
        for layer in layers:
            if layer.name == name:
                return layer
        raise InputError("get_layer", repr(name), f"one of {', '.join(layer.name for layer in layers)}")

    def summary(self, print_fn: Callable[[str], Any] = print) -> None:
        """Print a table of the layers with their shapes and numbers of parameters, of at most 80 columns.

        Parameters
        ----------
        print_fn : function
            Gets each line.
        """
        for line in summary_lines(self.inputs, self._layers):
            print_fn(line)

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of the values of `weights`, layer by layer, as Keras does; filters keep symae's layout."""
        return [np.array(v.get_value(borrow=True)) for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set `weights` to what `get_weights` of a model of these layers gave; else InputError, and nothing is changed."""
        set_weights("weights", self.weights, weights)

    def parameters(self) -> dict[str, np.ndarray]:
        """Return copies of the values of `weights` by name."""
        return {name: np.array(value) for name, value in values(self._named).items()}

    def set_parameters(self, parameters: Mapping[str, Any], source: str | Path = "parameters") -> None:
        """Replace all parameters; `source` names where they come from in the error.

        Raises
        ------
        InputError
            A name is missing or unknown, or a shape differs; no parameter is changed then.
        """
        mine = {name: value.shape for name, value in self.parameters().items()}
        found = {name: np.shape(value) for name, value in parameters.items()}
        for name in [*mine, *sorted(found.keys() - mine.keys())]:
            if found.get(name) != mine.get(name):
                one, other = (f"{name} of shape {s[name]}" if name in s else f"no {name}" for s in (found, mine))
                raise InputError(source, one, f"{other}, as this model has")
        put({name: np.asarray(parameters[name], p.type.dtype) for name, p in self._named.items()}, self._named)

    def save_weights(self, path: str | Path) -> Path:
        """Write the parameters by name to ``<path>.safetensors``, with ``<path>.json`` that describes them.

        The layers are not saved: whoever runs the program again has the model for `load_weights`.

        Raises
        ------
        UnwritableError
            The disk is full or the place cannot be written; older files there are kept.
        """
        return write_weights(path, {layer.name: layer.kind for layer, _ in self._layers}, self.parameters())

    def load_weights(self, path: str | Path) -> None:
        """Set the parameters to those that `save_weights` or `save` wrote.

        Raises
        ------
        MissingFileError, InputError
            Nothing there, damaged, of another kind, or with other names or shapes than this model has; nothing is changed then.

        Warns
        -----
        RuntimeWarning
            Parameters hold NaN or infinite values: names them.
        """
        weights = read_weights(path)
        self.set_parameters(weights, path)
        warn_of_strange(path, weights)
