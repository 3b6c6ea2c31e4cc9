"""The results of hidden layers are not kept where no gradient asks for them.

Before::

    CoordinateLayers{keep=True}.0 (P, Q, W, b, …)   its other outputs used by nobody

After::

    CoordinateLayers{keep=False}(P, Q, W, b, …)

So an image of any size is drawn in the memory of a few blocks.
"""

from __future__ import annotations

from typing import Any

from pytensor.graph.basic import Apply, Variable
from pytensor.graph.rewriting.basic import node_rewriter

from symae.ops.coordinate_mlp import CoordinateLayers
from symae.rewrites.registry import register


@register(position=1.9)
@node_rewriter([CoordinateLayers])
def unused_layers(fgraph: Any, node: Apply) -> dict[Variable, Variable] | None:
    if not node.op.keep or node.op.depth == 1 or any(fgraph.clients[v] for v in node.outputs[1:]):
        return None
    return {node.outputs[0]: CoordinateLayers(node.op.depth, keep=False)(*node.inputs)}
