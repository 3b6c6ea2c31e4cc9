"""A loop's graph is the same in each process, so its machine code is found on the disk."""

from __future__ import annotations

import pytensor
import pytensor.tensor as pt
from pytensor.compile.aliasing import add_supervisor_to_fgraph
from pytensor.compile.io import In
from pytensor.compile.mode import get_mode
from pytensor.graph.fg import FunctionGraph
from pytensor.misc.ordered_set import OrderedSet
from pytensor.scan.rewriting import push_out
from pytensor.tensor.math import Dot

import symae  # noqa: F401  # applies the patches


def rewritten(monkeypatch, order) -> FunctionGraph:
    """Return the gradient of a layer with three matrices that recurs; `order` is that of the set of a loop's nodes."""
    rewriter = push_out.scan_push_out_add

    def in_that_order(fgraph, node, rewrite=rewriter.fn):
        inner = node.op.fgraph
        inner.apply_nodes = OrderedSet(order(inner.toposort()))
        return rewrite(fgraph, node)

    x, h0 = pt.tensor3("x"), pt.matrix("h0")
    W = [pt.matrix(f"W{number}") for number in range(3)]

    def step(now, before):
        gate = pt.tanh(now + pt.dot(before, W[0]))
        return pt.tanh(now + pt.dot(gate * before, W[1])) + pt.tanh(pt.dot(before, W[2]))

    states = pytensor.scan(step, sequences=x, outputs_info=h0, return_updates=False)
    graph = FunctionGraph([x, h0, *W], pt.grad(states[-1].sum(), W))
    add_supervisor_to_fgraph(graph, [In(variable) for variable in graph.inputs])
    with monkeypatch.context() as patched:
        patched.setattr(rewriter, "fn", in_that_order)
        get_mode("NUMBA").optimizer.rewrite(graph)
    assert sum(isinstance(node.op, Dot) for node in graph.toposort()) == len(W)  # they are outside, where one of each will do
    return graph


def test_products_leave_a_loop_in_the_order_of_its_graph(monkeypatch):
    forwards, backwards = (rewritten(monkeypatch, order) for order in (list, lambda nodes: nodes[::-1]))
    assert pytensor.dprint(forwards, file="str") == pytensor.dprint(backwards, file="str")
