"""Products of few rows or few terms are made where their matrices lie, without BLAS, which would pack these first.

Before::

    MatrixProduct{flags=((False, True),)}(y, W)

After::

    MatrixProduct{flags=((False, True),), unpacked=True}(y, W)

Which products are of few rows or terms is known when they are made (`symae.kernels.unpacked`). Without this rewrite BLAS makes
all.
"""

from __future__ import annotations

from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import node_rewriter

from symae.ops.gemm import Gemm, MatrixProduct
from symae.rewrites.registry import FUSED_KERNELS, register


@register(position=48.75, need=FUSED_KERNELS)
@node_rewriter([MatrixProduct, Gemm])
def unpacked_products(fgraph: FunctionGraph, node: Apply) -> list[Variable] | None:
    """Let a product be made without BLAS."""
    op = node.op
    if op.unpacked:
        return None
    ta, tb = op.flags[0]
    again = MatrixProduct(ta, tb, unpacked=True) if isinstance(op, MatrixProduct) else Gemm(op.flags, op.inplace, unpacked=True)
    product: Variable = again(*node.inputs)
    return [product]
