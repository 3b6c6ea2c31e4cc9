"""Random numbers that the host draws for MLX, before the program is entered that MLX compiles of the rest.

MLX cannot call the host from a function that it has compiled. `without_draws` takes the draws of a graph out, with the sizes
that they need; a graph in which a draw depends on more than that is not split, and MLX calls its functions one by one.
"""

from __future__ import annotations

from typing import NamedTuple

from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.traversal import ancestors
from pytensor.tensor.type import TensorType

from symae.ops.random.draws import Draw


class Split(NamedTuple):
    """Hold a graph in two parts."""

    draws: FunctionGraph  # the graph's inputs -> what of draws the rest reads
    program: FunctionGraph  # the graph's inputs and these -> the graph's outputs


def without_draws(fgraph: FunctionGraph) -> Split | None:
    """Return the two parts of a graph; None if there are no draws, or not only numbers are computed for them.

    Nor is a graph split that has generators of NumPy's among its inputs, which PyTensor converts with the whole graph.
    """
    draws = [node for node in fgraph.toposort() if is_draw(node)]
    read = ancestors(v for node in draws for v in node.inputs)
    if not draws or not all(map(_is_cheap, read)) or not all(isinstance(v.type, TensorType) for v in fgraph.inputs):
        return None
    drawn = [v for node in draws for v in node.outputs if fgraph.clients.get(v)]
    of_draws = FunctionGraph(list(fgraph.inputs), drawn, clone=True)
    return Split(of_draws, FunctionGraph([*fgraph.inputs, *drawn], list(fgraph.outputs), clone=True))


def is_draw(node: Apply) -> bool:
    """Return True if the host makes what `node` gives."""
    return isinstance(node.op, Draw)


def _is_cheap(v: Variable) -> bool:
    """Return True if both parts can compute `v`: it is given, drawn, or a single number."""
    return v.owner is None or is_draw(v.owner) or getattr(v.type, "ndim", 0) == 0
