"""An op that may take the memory of its input does so where nobody needs that input any more.

Before::

    Rectified{inplace=False}(Convolution(x, W), b)

After::

    Rectified{inplace=True}(Convolution(x, W), b)

The result of a large layer is tens of megabytes, and memory that is new to a process costs more than the arithmetic here.
"""

from __future__ import annotations

from typing import Any

from pytensor.graph.basic import Apply, Variable
from pytensor.graph.rewriting.basic import node_rewriter

from symae.ops.bias_relu import Rectified, RectifiedGradient
from symae.ops.gemm import Gemm
from symae.rewrites.registry import NATIVE, register


@register(position=50.6, need=NATIVE)
@node_rewriter([Gemm, Rectified, RectifiedGradient], inplace=True)
def in_place(fgraph: Any, node: Apply) -> list[Variable] | None:
    """Let the op write into its input; PyTensor takes this back where another node still needs the input."""
    if node.op.inplace:
        return None
    settings = {name: getattr(node.op, name) for name in node.op.__props__} | {"inplace": True}
    return type(node.op)(**settings)(*node.inputs, return_list=True)
