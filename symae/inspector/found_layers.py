"""Layers with weights in any graph: where something that depends on the input is multiplied by a shared variable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.traversal import ancestors, io_toposort
from pytensor.scalar import basic as scalar
from pytensor.scalar import math as scalar_math
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Dot
from pytensor.tensor.reshape import JoinDims, SplitDims
from pytensor.tensor.shape import Reshape, SpecifyShape

from symae.models.description import FilterLayer
from symae.models.products import core, matrix_of
from symae.ops.conv.convolution import Convolution

# the larger the number that goes in, the larger the one that comes out; of a sum the number is one part
RISING = (scalar.Add, scalar.Maximum, scalar.Tanh, scalar_math.Sigmoid, scalar_math.Softplus, scalar.Exp, scalar.Cast)
SHAPES = (DimShuffle, Reshape, SpecifyShape, JoinDims, SplitDims)  # these change no number
CENTRE = 0.5  # of a sigmoid


@dataclass(frozen=True, eq=False)
class RowLayer(FilterLayer):
    """Describe a layer whose weights have a row for each unit, as PyTorch keeps them: x W'."""

    def weights(self, values: np.ndarray) -> np.ndarray:
        return values


def found_layers(
    x: Variable,
    outputs: Sequence[Variable],
    names: Mapping[SharedVariable, str],
    known: Iterable[str],
    named: Mapping[Variable, str],
) -> list[FilterLayer]:
    """Return the layers between `x` and `outputs` whose weights are not among the names `known`, in their order.

    `names` are those of the shared variables, and `named` those of the nodes that a user knows. Weights are matrices in a
    product (n, k) (k, units), or the filters of `symae.ops.conv2d`; a layer's units are what is made of the product one by one,
    up to the last elementwise operation or the first node of a name.
    """
    order = list(io_toposort([x], outputs))
    depends = {x}
    for apply in order:
        if not depends.isdisjoint(apply.inputs):
            depends.update(apply.outputs)
    clients: dict[Variable, list[Apply]] = {}
    for apply in order:
        for v in dict.fromkeys(apply.inputs):
            clients.setdefault(v, []).append(apply)
    taken, layers = set(known), []
    for apply in order:
        found = _weights(apply, depends, names)
        if found is None or names[found[0]] in taken:
            continue
        W, by_rows, seen = found
        taken.add(names[W])
        dense = not isinstance(apply.op, Convolution)
        units = int(W.get_value(borrow=True).shape[0 if by_rows or not dense else 1])
        value, bias, rising, last = _units(apply.outputs[0], clients, depends, named, names, units)
        node = named.get(value, f"the units of {names[W]}")
        sees = rising and _is_reshaped(seen, x)
        threshold = CENTRE if isinstance(last, scalar_math.Sigmoid) else 0.0
        kind = RowLayer if by_rows else FilterLayer
        layers.append(kind(names[W], node, value, "dense" if dense else "convolution", bias, sees, threshold))
    return layers


def sees_pixels(x: Variable, expression: Variable, W: Variable) -> bool:
    """Return True if the weights `W` are multiplied with `x` itself on the way to a layer's units."""
    for apply in io_toposort([x], [expression]):
        if isinstance(core(apply.op), Dot | Convolution) and apply.inputs[1] is W:
            return _is_reshaped(apply.inputs[0], x)
    return False


def _weights(
    apply: Apply, depends: set[Variable], names: Mapping[SharedVariable, str]
) -> tuple[SharedVariable, bool, Variable] | None:
    """Return the weights of a product, True if they have a row for each unit, and what they are multiplied with."""
    if isinstance(core(apply.op), Dot):
        (left, right), ndim = apply.inputs, 2
    elif isinstance(apply.op, Convolution):
        (left, right), ndim = apply.inputs[:2], 4
    else:
        return None
    if left not in depends or right in depends:
        return None
    W, turned = matrix_of(right) if ndim == 2 else (right, False)
    if isinstance(W, SharedVariable) and W in names and W.type.ndim == left.type.ndim == ndim:
        return W, turned, left
    return None


def _units(
    product: Variable,
    clients: Mapping[Variable, list[Apply]],
    depends: set[Variable],
    named: Mapping[Variable, str],
    names: Mapping[SharedVariable, str],
    units: int,
) -> tuple[Variable, str | None, bool, object]:
    """Return what is computed one by one of a product, its bias, whether it rises with it, and the last operation."""
    value, bias, rising, last = product, None, True, None
    while value not in named and len(clients.get(value, ())) == 1:
        (apply,) = clients[value]
        others = [v for v in apply.inputs if v is not value]
        if not isinstance(apply.op, Elemwise) or len(apply.outputs) != 1 or any(v in depends for v in others):
            break
        if apply.inputs.count(value) != 1 or apply.outputs[0].type.ndim != value.type.ndim:
            break
        last = apply.op.scalar_op
        rising = rising and (isinstance(last, RISING) or (isinstance(last, scalar.Sub) and apply.inputs[0] is value))
        if isinstance(last, scalar.Add):
            shared = [v for other in others for v in ancestors([other]) if isinstance(v, SharedVariable) and v in names]
            bias = next((names[v] for v in shared if v.get_value(borrow=True).shape == (units,)), bias)
        value = apply.outputs[0]
    return value, bias, rising, last


def _is_reshaped(v: Variable, x: Variable) -> bool:
    """Return True if `v` is `x` in another shape or dtype."""
    while v is not x:
        if v.owner is None:
            return False
        op = v.owner.op
        cast = isinstance(op, Elemwise) and isinstance(op.scalar_op, scalar.Cast | scalar.Identity)
        if not cast and not isinstance(op, SHAPES):
            return False
        v = v.owner.inputs[0]
    return True
