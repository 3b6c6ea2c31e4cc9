"""exp, log, sigmoid, softplus and tanh of arrays are computed several numbers at once.

Before::

    Elemwise{sigmoid}(x)

After::

    Elemwise{vectorised_sigmoid}(x)

The two differ by a few units in the last place, as `symae.kernels.elementwise` says. Only for Numba, which calls the C
library for each number; comes after all that looks for functions of these names, and before what fuses neighbours.
"""

from __future__ import annotations

from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import node_rewriter
from pytensor.tensor.elemwise import Elemwise

from symae.ops.elementwise import VECTORISED
from symae.rewrites.registry import FUSED_KERNELS, register


@register(position=48.5, need=FUSED_KERNELS)
@node_rewriter([Elemwise])
def vectorised_functions(fgraph: FunctionGraph, node: Apply) -> list[Variable] | None:
    """Change the function, where its argument and its result are float32 or float64."""
    (x, *others), y = node.inputs, node.outputs[0]
    op = VECTORISED.get(node.op.scalar_op)
    if op is None or others or x.type.dtype not in ("float32", "float64") or y.type.dtype != x.type.dtype:
        return None
    vectorised: Variable = Elemwise(op, node.op.inplace_pattern)(x)
    return [vectorised]
