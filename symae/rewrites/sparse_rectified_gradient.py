"""The gradient of a rectifier before max pooling is asked for at the maxima only.

Before::

    RectifiedGradient(y, PutAtSwitches(v, s, h, w))        two outputs

After::

    u, b = RectifiedGradient(p, v)
    PutAtSwitches(u, s, h, w), b

where p is what y has at the switches: the pooled maps, where s is from their pooling, and ``TakeAtSwitches(y, s)`` otherwise.
At other places the gradient is zero whatever y is.
"""

from __future__ import annotations

from typing import Any

from pytensor.graph.basic import Apply, Variable
from pytensor.graph.rewriting.basic import node_rewriter

from symae.ops.bias_relu import RectifiedGradient
from symae.ops.pooling.pool import MaxPool
from symae.ops.pooling.switches import PutAtSwitches, TakeAtSwitches
from symae.rewrites.registry import NATIVE, register


# after specialize, when sizes have become constants; it makes work for sparse_convolution
@register(position=2.1, need=NATIVE)
@node_rewriter([RectifiedGradient])
def sparse_rectified_gradient(fgraph: Any, node: Apply) -> list[Variable] | None:
    """Put the rectifier's gradient before the unpooling."""
    y, unpooled = node.inputs
    put = unpooled.owner
    if put is None or not isinstance(put.op, PutAtSwitches):
        return None
    values, switches, *size = put.inputs
    pooling = switches.owner
    if pooling is not None and isinstance(pooling.op, MaxPool) and pooling.inputs == [y]:
        seen = pooling.outputs[0]
    else:
        seen = TakeAtSwitches(put.op.windows)(y, switches)
    gradient, bias = RectifiedGradient()(seen, values, return_list=True)
    return [put.op(gradient, switches, *size), bias]
