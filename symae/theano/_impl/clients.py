"""What variables and nodes of a compiled graph knew of it in Theano; in PyTensor only the graph knows."""

from __future__ import annotations

from typing import Any

from pytensor.graph.basic import Constant
from pytensor.graph.fg import FunctionGraph, Output

from symae.theano._impl.nodes import written_as_theanos

__all__ = ["with_clients"]


def with_clients(fgraph: FunctionGraph) -> None:
    """Give variables ``clients``, pairs of a node or "output" and of which input or output of it, and nodes ``fgraph``.

    They are those of this moment: a rewrite afterwards does not change them.
    """
    graph: Any = fgraph
    for variable, clients in graph.clients.items():
        variable.clients = [("output" if isinstance(node.op, Output) else node, _position(node, i)) for node, i in clients]
        if not isinstance(variable, Constant):  # one of several graphs
            variable.fgraph = fgraph
    for node in graph.apply_nodes:
        written_as_theanos(node)
        node.fgraph = fgraph


def _position(node: Any, i: int) -> int:
    return int(node.op.idx) if isinstance(node.op, Output) else i
