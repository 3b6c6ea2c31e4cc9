"""A slice whose length is constant, though its start is not, as an op that JAX and MLX accept.

Before::

    Subtensor{start:stop}(data, i * 20, (i + 1) * 20)

After::

    MinibatchSlice{20}(data, i * 20)

JAX and MLX trace functions with shapes known, and refuse the first form ("Slice entries must be static integers"). The second
is ``lax.dynamic_slice`` or ``mx.slice``. The length is proven by writing start and stop as sums of terms with constant factors.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.rewriting.basic import node_rewriter
from pytensor.scalar import basic as scalar
from pytensor.tensor.basic import ScalarFromTensor, TensorFromScalar
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.subtensor import Subtensor, indices_from_subtensor

from symae.ops.minibatch_slice import MinibatchSlice
from symae.rewrites.registry import STATIC_SHAPES, register


@register(position=0.05, need=STATIC_SHAPES)
@node_rewriter([Subtensor])
def minibatch_slice(fgraph: Any, node: Apply) -> list[Variable] | None:
    """Rewrite ``data[start:stop, …]`` with a constant stop - start > 0 and a start that is not a constant."""
    data, *entries = node.inputs
    indices = indices_from_subtensor(entries, node.op.idx_list)
    if not indices or not isinstance(indices[0], slice) or indices[0].step is not None:
        return None
    start, stop = indices[0].start, indices[0].stop
    if not isinstance(start, Variable) or isinstance(start, Constant) or not isinstance(stop, Variable):
        return None
    difference = _terms(stop)
    difference.subtract(_terms(start))
    length = difference.pop(None, 0)
    if length <= 0 or any(difference.values()):
        return None
    if not isinstance(start.type, pt.TensorType):
        start = pt.tensor_from_scalar(start)
    minibatch = MinibatchSlice(int(length))(data, start)
    others = indices[1:]
    return [minibatch[(slice(None), *others)] if any(other != slice(None) for other in others) else minibatch]


def _terms(expression: Variable) -> Counter[Variable | None]:
    """Return `expression` as a sum {variable: factor}; the constant stands under None."""
    if isinstance(expression, Constant):
        return Counter({None: int(expression.data)})
    node = expression.owner
    if node is None:
        return Counter({expression: 1})
    if isinstance(node.op, ScalarFromTensor | TensorFromScalar):
        return _terms(node.inputs[0])
    operation = node.op.scalar_op if isinstance(node.op, Elemwise) else node.op
    integers = all(str(v.type.dtype).startswith(("int", "uint")) for v in (*node.inputs, *node.outputs))
    if isinstance(operation, scalar.Cast) and integers:
        return _terms(node.inputs[0])
    if isinstance(operation, scalar.Add) and integers:
        total: Counter[Variable | None] = Counter()
        for v in node.inputs:
            total.update(_terms(v))
        return total
    if isinstance(operation, scalar.Sub) and integers:
        total = _terms(node.inputs[0])
        total.subtract(_terms(node.inputs[1]))
        return total
    if isinstance(operation, scalar.Mul) and integers:
        product: Counter[Variable | None] = Counter({None: 1})
        for v in node.inputs:
            factor = _terms(v)
            if set(factor) <= {None}:
                product = Counter({k: n * factor[None] for k, n in product.items()})
            elif set(product) <= {None}:
                product = Counter({k: n * product[None] for k, n in factor.items()})
            else:
                return Counter({expression: 1})  # a product of two unknowns is a term of its own
        return product
    return Counter({expression: 1})
