"""Products of transposed matrices are made without transposing them.

Before::

    Dot(Transpose(x), d), Dot(y, Transpose(W))

After::

    MatrixProduct{flags=((True, False),)}(x, d), MatrixProduct{flags=((False, True),)}(y, W)

Numba's dot copies a transposed matrix first, which takes as long as the product where a minibatch is small.
"""

from __future__ import annotations

from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import node_rewriter
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.math import Dot

from symae.ops.gemm import MatrixProduct
from symae.rewrites.registry import FUSED_KERNELS, register


@register(position=48.6, need=FUSED_KERNELS)
@node_rewriter([Dot])
def matrix_product(fgraph: FunctionGraph, node: Apply) -> list[Variable] | None:
    """Replace a product of two matrices of the same dtype, float32 or float64."""
    if any(v.type.ndim != 2 or v.type.dtype != node.outputs[0].type.dtype for v in node.inputs):
        return None
    if node.outputs[0].type.dtype not in ("float32", "float64"):
        return None
    (A, ta), (B, tb) = map(_untransposed, node.inputs)
    product: Variable = MatrixProduct(ta, tb)(A, B)
    return [product]


def _untransposed(matrix: Variable) -> tuple[Variable, bool]:
    """Return what the matrix is the transpose of, and True; or the matrix itself and False."""
    node = matrix.owner
    if node is None or not isinstance(node.op, DimShuffle) or tuple(node.op.new_order) != (1, 0):
        return matrix, False
    if node.inputs[0].type.ndim != 2:  # it drops dimensions, too
        return matrix, False
    return node.inputs[0], True
