"""Marks of training and inference are taken away.

Before::

    Phases(x, x at inference)
    Tracked(x, average, new average)

After::

    x
    x

So what only inference needs is not computed, and later rewrites see the expressions on both sides of a mark as one.
"""

from __future__ import annotations

from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import node_rewriter

from symae.ops.phases import Phases, Tracked
from symae.rewrites.registry import register


@register(position=0.3, name="phases")
@node_rewriter([Phases, Tracked])
def marks_taken_away(fgraph: FunctionGraph, node: Apply) -> list[Variable]:
    return [node.inputs[0]]
