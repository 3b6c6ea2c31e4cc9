"""Products with matrices in any graph: what they are multiplied with, however that is written."""

from __future__ import annotations

from pytensor.graph.basic import Variable
from pytensor.scalar import basic as scalar
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.elemwise import DimShuffle, Elemwise


def core(op: object) -> object:
    """Return what is done to each of many matrices, which ``@`` is even for one."""
    return op.core_op if isinstance(op, Blockwise) else op


def matrix_of(factor: Variable) -> tuple[Variable, bool]:
    """Return the matrix that is a factor of a product, in its own dtype, and True if the product has it transposed."""
    turned = False
    while factor.owner is not None:
        op = factor.owner.op
        if isinstance(op, DimShuffle) and op.new_order == (1, 0):
            turned = not turned
        elif not (isinstance(op, Elemwise) and isinstance(op.scalar_op, scalar.Cast | scalar.Identity)):
            break
        factor = factor.owner.inputs[0]
    return factor, turned
