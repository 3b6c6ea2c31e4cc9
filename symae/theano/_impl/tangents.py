"""Derivatives in a direction: what `symae.theano.gradient.Rop` is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytensor import config, gradient
from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.null_type import NullType
from pytensor.graph.replace import graph_replace
from pytensor.graph.traversal import io_toposort, variable_depends_on
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.type import discrete_dtypes

__all__ = ["tangents"]


def tangents(outputs: Sequence[Variable], inputs: Sequence[Variable], points: Sequence[Variable]) -> list[Variable | None]:
    """Return the derivative of each of `outputs` in the direction `points` of `inputs`; None where there is none.

    Operations of a script's own that have an ``R_op`` are asked, node by node; what lies between them is differentiated as a
    whole, by two gradients.
    """
    nodes = io_toposort(list(inputs), list(outputs))
    known: dict[Variable, Variable | None] = dict(zip(inputs, points, strict=True))
    for node in nodes:
        if getattr(node.op, "has_derivatives_of_its_own", False):
            before = [v for v in node.inputs if v not in known]
            known |= dict(zip(before, _by_gradients(before, known), strict=True))
            known |= dict(zip(node.outputs, _by_the_op(node, [known[v] for v in node.inputs]), strict=True))
    return [known[v] if v in known else _by_gradients([v], known)[0] for v in outputs]


def _by_the_op(node: Apply, directions: Sequence[Variable | None]) -> list[Variable | None]:
    if all(d is None for d in directions):
        return [None] * len(node.outputs)
    complete = [
        d if d is not None else v.zeros_like() if v.owner is None and hasattr(v, "zeros_like") else disconnected_type()
        for v, d in zip(node.inputs, directions, strict=True)
    ]
    found = node.op.pushforward(node.inputs, node.outputs, complete)
    return [None if isinstance(t.type, DisconnectedType) else t for t in found]


def _by_gradients(outputs: Sequence[Variable], known: Mapping[Variable, Variable | None]) -> list[Variable | None]:
    """Return the derivatives of `outputs`, given those of the variables in `known`."""
    # one of them that is computed of another is not differentiated through it
    separate = {v: v.type() for v in known if v.owner is not None}
    wrt = {separate.get(v, v): direction for v, direction in known.items() if direction is not None}
    found = [_of_one(v, wrt) for v in graph_replace(list(outputs), separate, strict=False)]
    back = {copy: v for v, copy in separate.items()}
    return [t if t is None else graph_replace([t], back, strict=False)[0] for t in found]


def _of_one(output: Variable, wrt: Mapping[Variable, Variable]) -> Variable | None:
    dtype = getattr(output.type, "dtype", None)
    elementwise = output.owner is not None and isinstance(output.owner.op, Elemwise)
    if not wrt or dtype is None or (dtype in discrete_dtypes and not elementwise):
        return wrt.get(output)  # positions and lengths have no derivative
    # no variable of its own, which would be an input that nobody gives
    cotangent = output.zeros_like(dtype=dtype if dtype not in discrete_dtypes else config.floatX)
    options: Any = {"disconnected_inputs": "ignore", "return_disconnected": "disconnected"}
    try:
        gradients = gradient.pullback([output], list(wrt), [cotangent], **options)
        pairs = [
            (g, d) for g, d in zip(gradients, wrt.values(), strict=True) if not isinstance(g.type, DisconnectedType | NullType)
        ]
        if not pairs:  # a gradient of what is linear depends on the variable's shape alone, and does not change
            return output.zeros_like() if variable_depends_on(output, list(wrt)) else None
        linear, directions = zip(*pairs, strict=True)
        return gradient.pullback(list(linear), [cotangent], list(directions), disconnected_inputs="ignore")[0]
    except gradient.NullTypeGradError:
        return None
