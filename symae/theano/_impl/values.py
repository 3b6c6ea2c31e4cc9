"""Values of expressions for ``tag.test_value``, computed node by node while a graph is built or when they are asked for."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.op import HasInnerGraph

from symae.theano._impl.configuration import config

__all__ = ["compute_test_values", "value_for_test", "without_test_values"]

_depth = 0


class _Missing(AttributeError):
    """Say which variable has no test value."""


@contextmanager
def without_test_values() -> Iterator[None]:
    """Compute none inside the block: a step of a loop is built of variables that have none."""
    global _depth
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1


def compute_test_values(variables: Sequence[Variable]) -> None:
    """Give `variables`, and what they are computed from, their ``tag.test_value``, as ``config.compute_test_value`` says.

    Raises
    ------
    ValueError
        An input has none, and the flag is "raise".
    Exception
        What the Op of a node raises for these values, such as that of lengths that do not fit.
    """
    if _depth:
        return
    for variable in variables:
        if variable.owner is None or hasattr(variable.tag, "test_value"):
            continue
        try:
            found = _computed(variable)
        except _Missing as error:
            if config.compute_test_value == "raise":
                raise ValueError(str(error)) from None
            if config.compute_test_value == "warn":
                warnings.warn(str(error), stacklevel=4)
            continue
        for computed, value in found.items():
            computed.tag.test_value = value


def value_for_test(v: Any) -> Any:
    """Compute the value of `v` from the test values of what it depends on."""
    if not isinstance(v, Variable):
        return np.asarray(v)
    return _computed(v)[v] if v.owner is not None and not hasattr(v.tag, "test_value") else _own(v)


def _own(v: Variable) -> Any:
    if hasattr(v.tag, "test_value"):
        return v.type.filter(v.tag.test_value)
    if isinstance(v, Constant):
        return v.data
    if isinstance(v, SharedVariable):
        return v.container.value  # as graphs have it: `get_value` makes a RandomState of the words of a stream
    raise _Missing(f"{v} has no tag.test_value")


def run_thunk(op: Any, node: Apply, storage: Mapping[Variable, list[Any]]) -> None:
    """Compute the outputs of `node` by the ``make_thunk`` of `op`, in `storage`, where its inputs are."""
    done = {v: [v not in node.outputs] for v in storage}
    # by place, as Theano: scripts name what they do not use as they like
    op.make_thunk(node, storage, done, [], impl="py")()


def _computed(variable: Variable) -> dict[Variable, Any]:
    """Compute the nodes behind `variable` whose outputs have no test values; return the values of these outputs."""
    found: dict[Variable, Any] = {}
    for node in _nodes(variable):
        storage: dict[Variable, list[Any]] = {}
        destroyed = {i for places in node.op.destroy_map.values() for i in places}
        for i, v in enumerate(node.inputs):
            try:
                value = found[v] if v in found else _own(v)
            except _Missing as error:
                where = f"input {i} ({v}) of Op {node}"
                raise _Missing(f"Cannot compute test value: {where} missing default value: {error}") from None
            storage[v] = [copy.deepcopy(value) if i in destroyed else value]
        storage |= {v: [None] for v in node.outputs}
        # the step of a loop is rewritten in place when it is compiled: in a copy
        run_thunk(node.op.clone() if isinstance(node.op, HasInnerGraph) else node.op, node, storage)
        found |= {v: storage[v][0] for v in node.outputs}
    return found


def _nodes(variable: Variable) -> list[Apply]:
    """Return the nodes to compute, each after those that it needs."""
    order: dict[Apply, None] = {}
    rest: list[Any] = [variable.owner]
    while rest:
        node = rest[-1]
        owners = (v.owner for v in node.inputs if v.owner is not None and not hasattr(v.tag, "test_value"))
        needed = [owner for owner in owners if owner not in order]
        if not needed:
            order[rest.pop()] = None
        rest += needed
    return list(order)
