"""Corruption and dropout: a mask is drawn and applied in one pass.

Before::

    BinomialDraw(state, dims, 1, p).1 * x

After::

    MaskedDraw(state, dims, 1, p, x).1

The stream is the same: each element of the mask is drawn in its turn. Not where the mask itself is needed as well, which the
gradient of a dropout layer does.
"""

from __future__ import annotations

from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import node_rewriter
from pytensor.graph.traversal import ancestors
from pytensor.scalar.basic import Mul
from pytensor.tensor.elemwise import Elemwise

from symae.ops.random.compiled_draws import BinomialDraw
from symae.ops.random.masked_draw import MaskedDraw
from symae.rewrites.registry import FUSED_KERNELS, register


@register(position=48.3, need=FUSED_KERNELS)
@node_rewriter([BinomialDraw])
def masked_draw(fgraph: FunctionGraph, node: Apply) -> dict[Variable, Variable] | None:
    state, mask = node.outputs
    clients = fgraph.clients[mask]
    if len(clients) != 1 or any(v.type.ndim for v in node.inputs[-2:]):
        return None
    product = clients[0][0]
    if not isinstance(product.op, Elemwise) or not isinstance(product.op.scalar_op, Mul) or len(product.inputs) != 2:
        return None
    (x,) = [v for v in product.inputs if v is not mask] or [mask]
    result = product.outputs[0]
    if x is mask or x.type.dtype != mask.type.dtype or any((*x.type.broadcastable, *mask.type.broadcastable)):
        return None
    if state in ancestors([x]):  # x is drawn after the mask, from the same stream, and cannot be an input of the mask's op
        return None
    after, masked = MaskedDraw(node.op.dtype, node.op.ndim)(*node.inputs, x)
    return {state: after, result: masked}
