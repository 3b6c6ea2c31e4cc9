"""Sigmoid and softplus as Theano's machine code computed them: far out they were constant or straight.

Before::

    Sigmoid(x), Softplus(x)

After, in float64::

    Switch(x > 19, 1, Sigmoid(x)), Switch(x > 16, x, Softplus(x))

The difference is at most 6e-9 and 1e-7, 3e-7 in float32, where 15 stands for 19. But draws depend on it: in the contrastive
divergence of a large RBM a number that is drawn falls between the two within an epoch, and from there on all others differ. So
this is for `symae.theano` only, and comes after what is made of logarithms of sigmoids.
"""

from __future__ import annotations

import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import node_rewriter
from pytensor.tensor.math import sigmoid, softplus

from symae.rewrites.registry import THEANO, register

# (float64, float32): from here on the sigmoid is 1, and the softplus its argument
_ONE = {"float64": 19.0, "float32": 15.0}
_STRAIGHT = {"float64": 16.0, "float32": 16.0}


@register(position=48, need=THEANO)
@node_rewriter([sigmoid, softplus])
def theano_saturation(fgraph: FunctionGraph, node: Apply) -> list[Variable] | None:
    """Replace what is far out."""
    (x,) = node.inputs
    dtype = x.type.dtype
    if getattr(node.tag, "saturates", False) or dtype not in _ONE or node.outputs[0].type.dtype != dtype:
        return None
    limits, beyond = (_ONE, pt.constant(1, dtype=dtype)) if node.op == sigmoid else (_STRAIGHT, x)
    inside = node.op(x)
    inside.owner.tag.saturates = True  # not again
    return [pt.switch(pt.gt(x, pt.constant(limits[dtype], dtype=dtype)), beyond, inside)]
