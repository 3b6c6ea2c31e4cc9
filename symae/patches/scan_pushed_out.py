"""Products that are moved out of a loop are moved in the order of the loop's own graph."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from pytensor.graph.basic import Apply
from pytensor.misc.ordered_set import OrderedSet

from symae.patches.changes import Changes
from symae.patches.patch import Expected, Patch


def _in_order(rewrite: Callable[..., Any], fgraph: Any, node: Apply) -> Any:
    inner = node.op.fgraph  # a Scan's
    nodes = inner.apply_nodes
    inner.apply_nodes = OrderedSet(inner.toposort())
    try:
        return rewrite(fgraph, node)
    finally:
        inner.apply_nodes = nodes


def apply(push_out: Any, changes: Changes) -> None:
    rewriter = push_out.scan_push_out_add
    changes.replace(rewriter, "fn", functools.partial(_in_order, rewriter.fn))


PATCH = Patch(
    module="pytensor.scan.rewriting.push_out",
    replaces="the order in which pytensor.scan.rewriting.push_out.scan_push_out_add goes through a loop's nodes",
    why="they are in a set, whose order is that of addresses: the gradient of a recurrent network with several matrices has "
    "its outputs in another order in each process, and machine code on the disk is that of another graph",
    upstream="not proposed: go through op.fgraph.toposort() instead of op.fgraph.apply_nodes.",
    delete_when="scan_push_out_add goes through the nodes in an order that follows from the graph",
    apply=apply,
    expects=(Expected("pytensor.scan.rewriting.push_out", "scan_push_out_add"),),
)
