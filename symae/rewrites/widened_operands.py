"""Operands of the dtype that the result has.

Before::

    mul(x float32, k int64) -> float64

After::

    mul(cast(x, float64), cast(k, float64)) -> float64

C multiplies in float32 then, and only the result becomes float64. NumPy and Numba convert the operands; for JAX and
PyTorch `symae.patches.pytorch_dispatch` does it.
"""

from __future__ import annotations

from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.graph.rewriting.basic import node_rewriter
from pytensor.tensor.elemwise import Elemwise

from symae.ops.operand_dtypes import widened
from symae.rewrites.registry import C_OPERANDS, register


@register(position=48.8, need=C_OPERANDS)
@node_rewriter([Elemwise])
def widened_operands(fgraph: Any, node: Apply) -> Any:
    wider = widened(node.op.scalar_op, [v.type.dtype for v in node.inputs], [v.type.dtype for v in node.outputs])
    if not any(wider):
        return None
    operands = [v if dtype is None else pt.cast(v, dtype) for v, dtype in zip(node.inputs, wider, strict=True)]
    return node.op(*operands, return_list=True)
