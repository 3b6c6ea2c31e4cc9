"""Marks in a graph of where training and inference part ways; a compiled function has none of them.

Dropout and batch normalisation compute one thing while a model learns and another afterwards. A graph has the first; beside it,
as an input that no number comes from, it has the second. Copies of the graph have it too, wherever they are made. `symae.nn`
takes the graph of inference out of it, and `symae.rewrites.phases` takes the marks away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable

from symae.ops.traced import Arrays, TracedOp


class Marked(TracedOp):
    """Return the first input as it is; what the others are for, a subclass says."""

    __props__ = ()
    view_map = {0: [0]}  # noqa: RUF012  (PyTensor's way of saying so)
    connected = 1

    def make_node(self, x: Any, *others: Any) -> Apply:
        inputs = [pt.as_tensor(v) for v in (x, *others)]
        return Apply(self, inputs, [inputs[0].type()])

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [shapes[0]]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        output_storage[0][0] = inputs[0]

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        return [cotangents[0], *(disconnected_type() for _ in inputs[1:])]

    def pushforward(self, inputs: Sequence[Variable], outputs: Sequence[Variable], tangents: Sequence[Variable]) -> list[Any]:
        return [tangents[0]]

    def traced(self, xp: Arrays, node: Apply, *inputs: Any) -> Any:
        return inputs[0]

    def numba(self, node: Apply) -> Callable[..., Any]:
        import numba

        if len(node.inputs) == 2:

            @numba.njit
            def marked(x, other):  # type: ignore[no-untyped-def]
                return x

        else:

            @numba.njit
            def marked(x, other, third):  # type: ignore[no-untyped-def]
                return x

        return marked


class Phases(Marked):
    """Return x while a model learns; the second input is what stands in its place afterwards."""


class Tracked(Marked):
    """Return x, with which a training step sets a shared variable, the second input, to a new value, the third."""


phases, tracked = Phases(), Tracked()
