"""Operands of the dtype that the result has.

Before::

    mul(x float32, k int64) -> float64

After::

    mul(cast(x, float64), cast(k, float64)) -> float64

C multiplies in float32 then, and only the result becomes float64. NumPy and Numba convert the operands; for JAX and
PyTorch `symae.backends` does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.graph.rewriting.basic import node_rewriter
from pytensor.scalar.basic import Cast, Composite, Switch
from pytensor.tensor.elemwise import Elemwise

__all__ = ["widened", "widened_operands"]


def widened(op: Any, given: Sequence[str], made: Sequence[str]) -> list[str | None]:
    """For each operand of a function of numbers the dtype to convert it to first; None if it is right as it is.

    JAX and PyTorch compute the cosine of an int32, int32 / int32 and float32 * int64 in float32, which are float64 in a graph:
    eight of its digits would be right, and a number beyond 1e38 infinite.
    """
    result = made[0] if len(set(made)) == 1 else ""
    if not result.startswith("float") or isinstance(op, Cast | Composite):
        return [None] * len(given)
    narrower = [d != "bool" and d != result and np.result_type(d, result) == result for d in given]
    first = isinstance(op, Switch)  # its condition is no operand
    return [result if narrow and not (first and i == 0) else None for i, narrow in enumerate(narrower)]


@node_rewriter([Elemwise])
def widened_operands(fgraph: Any, node: Apply) -> Any:
    wider = widened(node.op.scalar_op, [v.type.dtype for v in node.inputs], [v.type.dtype for v in node.outputs])
    if not any(wider):
        return None
    operands = [v if dtype is None else pt.cast(v, dtype) for v, dtype in zip(node.inputs, wider, strict=True)]
    return node.op(*operands, return_list=True)
