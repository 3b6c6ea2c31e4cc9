"""What a model's parameters are: found out from its graph, so that models of one's own are served too."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.traversal import ancestors, toposort
from pytensor.tensor.elemwise import DimShuffle

from symae.errors import InputError
from symae.models.foreign.layouts import UNCLEAR, Layout, axes_of_images, several
from symae.models.foreign.stored import KINDS
from symae.nn import deterministic
from symae.nn.layers import layer_of
from symae.ops.conv.convolution import Convolution, InputGradient


@dataclass(frozen=True)
class Slot:
    """Describe a parameter that is to be filled.

    Attributes
    ----------
    name : str
    shape : tuple of int
    dtype : str
    kind : str
        "weight", "bias", or what the name ends with.
    layers : tuple of str
        What its layer is called, the best name first.
    operation : "dense", "conv2d", "conv2d_transpose", "batch_normalization" or ""
        What the layer does.
    flips : bool
        The filters are turned round before they are laid on an image.
    rows, columns : pieces of an axis, or None
        The images, each (channels, h, w), that the first axis of a matrix takes as rows, and those that its last axis, or a
        bias, is made to; (n,) for n other numbers between them; none where their order is not known. A vector beside flattened
        images has rows.
    tied : bool
        The matrix is used transposed too.
    epsilon : float or None
        Of a normalisation of `symae.nn`.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    kind: str
    layers: tuple[str, ...] = ()
    operation: Literal["dense", "conv2d", "conv2d_transpose", "batch_normalization", ""] = ""
    flips: bool = False
    rows: Layout | None = None
    columns: Layout | None = None
    tied: bool = False
    epsilon: float | None = None


def slots_of(model: Any) -> list[Slot]:
    """Return the parameters of a model of `symae.models` or of a `symae.keras.Model`, in their order."""
    if not all(callable(getattr(model, name, None)) for name in ("parameters", "set_parameters")):
        raise InputError("model", f"a {type(model).__name__}", "a model of symae.models, or a symae.keras.Model")
    values: Mapping[str, np.ndarray] = model.parameters()
    names = getattr(model, "parameter_names", None) or [p.name for p in model.params]
    # running averages are no parameters of training, but of a file
    more = model.weights if _is_keras(model) else getattr(model, "state", ())
    variables = {str(v.name): v for v in more} | dict(zip(names, model.params, strict=True))
    nodes = _nodes(model)
    seen = _Uses(nodes.values(), {p: name for name, p in variables.items()})
    layers, epsilons = _layers(model, nodes, variables)
    slots = []
    for name, value in values.items():
        shape, dtype = value.shape, str(value.dtype)
        word = name.rpartition("_")[2]
        kind = KINDS.get(word) or (
            "weight" if len(shape) > 1 else "bias" if len(shape) == 1 and word not in NORMALISED else word
        )
        operation = seen.operations.get(name, "dense" if len(shape) == 2 else "batch_normalization" if word == "gamma" else "")
        maps = seen.rows.get(name), seen.columns.get(name)
        rows, columns = (_fitting(shape[axis], found) if shape else None for found, axis in zip(maps, (0, -1), strict=True))
        slots.append(
            Slot(
                name,
                shape,
                dtype,
                kind,
                layers.get(name) or (name.rpartition("_")[0],),
                operation,
                name in seen.flipped,
                rows,
                columns,
                name in seen.tied,
                epsilons.get(name),
            )
        )
    return slots


def _fitting(length: int, found: Layout | None) -> Layout | None:
    """Return a layout if it is of as many numbers; of images for which it makes a difference, nothing is known then."""
    return found if found is None or length == sum(map(math.prod, found)) else UNCLEAR if several(found) else None


# last parts of the names of what a normalisation has
NORMALISED = {"gamma", "beta", "mean", "variance"}


def _is_keras(model: Any) -> bool:
    return isinstance(getattr(model, "outputs", None), Sequence)


def _nodes(model: Any) -> Mapping[str, Variable]:
    """Return what a model computes, by name."""
    if _is_keras(model):
        return {str(v): v for v in model.outputs}
    nodes: Mapping[str, Variable] = model.nodes
    return nodes


def _layers(
    model: Any, nodes: Mapping[str, Variable], variables: Mapping[str, SharedVariable]
) -> tuple[dict[str, tuple[str, ...]], dict[str, float]]:
    """Return what the layers of the parameters are called: as in ``<layer>_W``, as of `symae.nn`, or after the node they make.

    Those of the node that is the model's code are the encoder too, and those of its drawing the decoder. The epsilons of
    normalisations are returned beside that.
    """
    epsilons: dict[str, float] = {}
    found: dict[str, list[str]] = {name: [] for name in variables}
    for name in variables:
        first, _, kind = name.rpartition("_")
        if first and (kind in KINDS or kind in NORMALISED):
            found[name].append(first)
    known: set[Variable] = set()
    made_by: dict[str, str] = {}
    for node, expression in nodes.items():
        above = set(ancestors([expression]))
        for layer in filter(None, map(layer_of, above - known)):
            for name, p in variables.items():
                if any(p is q for q in (*layer.params, *layer.state)):
                    found[name].append(layer.name)
                    if (epsilon := layer.arguments.get("epsilon")) is not None:
                        epsilons[name] = epsilon
        for name, p in variables.items():
            if p in above:
                made_by.setdefault(name, node)
        known |= above
    describe = getattr(model, "describe", None)
    description = describe() if callable(describe) else None
    for name, node in made_by.items():
        if not found[name]:
            words = {getattr(description, "code", None): "encoder", getattr(description, "output", None): "decoder"}
            found[name] += [node, *([words[node]] if node in words else [])]
    return {name: tuple(dict.fromkeys(words)) for name, words in found.items()}, epsilons


class _Uses:
    """Find out how parameters are used in the graph of some expressions."""

    def __init__(self, expressions: Iterable[Variable], names: Mapping[Variable, str]):
        self._names = names
        self.operations: dict[str, Any] = {}
        self.flipped: set[str] = set()
        self.tied: set[str] = set()
        order = list(toposort(deterministic(list(expressions))))
        for node in order:
            self._look_at(node)
        self.rows, self.columns = axes_of_images(order, names)

    def _look_at(self, node: Apply) -> None:
        op, inputs = node.op, node.inputs
        if isinstance(op, Convolution | InputGradient):
            filters = inputs[1 if isinstance(op, Convolution) else 0]
            if (name := self._names.get(filters)) is not None:
                self.operations.setdefault(name, "conv2d" if isinstance(op, Convolution) else "conv2d_transpose")
                if op.filter_flip:
                    self.flipped.add(name)
        elif isinstance(op, DimShuffle) and op.new_order == (1, 0) and (name := self._names.get(inputs[0])) is not None:
            self.tied.add(name)
