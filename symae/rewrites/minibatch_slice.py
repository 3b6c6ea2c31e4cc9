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
from collections.abc import Callable, Sequence
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.rewriting.basic import node_rewriter
from pytensor.scalar import basic as scalar
from pytensor.tensor.basic import ScalarFromTensor, TensorFromScalar
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.subtensor import Subtensor, indices_from_subtensor

from symae.ops.base import BackendOp
from symae.ops.runtime_errors import refuse_unless

__all__ = ["MinibatchSlice", "minibatch_slice"]


class MinibatchSlice(BackendOp):
    """``data[start : start + length]``, where the slice has to lie inside the data: a shorter one is an error."""

    __props__ = ("length",)

    def __init__(self, length: int):
        self.length = length

    def make_node(self, data: Variable, start: Variable) -> Apply:
        data, start = pt.as_tensor(data), pt.cast(pt.as_tensor(start), "int64")
        return Apply(self, [data, start], [pt.TensorType(data.type.dtype, shape=(self.length, *data.type.shape[1:]))()])

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [(pt.constant(self.length, dtype="int64"), *shapes[0][1:])]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        data, start = inputs
        if not 0 <= start <= len(data) - self.length:
            raise ValueError(self._outside(start, len(data)))
        output_storage[0][0] = data[int(start) : int(start) + self.length].copy()

    def _outside(self, start: Any, size: int) -> str:
        return f"minibatch {start}:{start + self.length} lies outside the data, expected a slice of 0:{size}"

    def _last(self, data: Any) -> int:
        """The last start, in what a backend traces."""
        if data.shape[0] < self.length:
            raise ValueError(f"a minibatch of {self.length} lies outside the data, expected a slice of 0:{data.shape[0]}")
        return int(data.shape[0] - self.length)

    def _refuse_unless(self, inside: Any, size: int, start: Any) -> None:
        if not refuse_unless(inside, lambda start: ValueError(self._outside(start, size)), start):
            raise NotImplementedError(f"{self} needs symae.function, which raises what is refused")

    def jax(self, node: Apply) -> Callable[..., Any]:
        import jax

        def minibatch(data: Any, start: Any) -> Any:
            # dynamic_slice moves a slice that reaches over the end back inside, and gives other rows in silence.
            start = jax.numpy.asarray(start)
            self._refuse_unless((start >= 0) & (start <= self._last(data)), data.shape[0], start)
            return jax.lax.dynamic_slice_in_dim(data, start, self.length)

        return minibatch

    def mlx(self, node: Apply) -> Callable[..., Any]:
        import mlx.core as mx

        def minibatch(data: Any, start: Any) -> Any:
            start = mx.array(start)
            last = self._last(data)
            self._refuse_unless((start >= 0) & (start <= last), data.shape[0], start)
            # mx.slice would read the memory beyond the data, before anybody looks at the condition.
            start = mx.clip(start, 0, last).reshape(1)
            return mx.slice(data, start, axes=(0,), slice_size=(self.length, *data.shape[1:]))

        return minibatch


@node_rewriter([Subtensor])
def minibatch_slice(fgraph: Any, node: Apply) -> list[Variable] | None:
    """Rewrite ``data[start:stop, …]`` with a constant stop - start > 0 and a start that is no constant."""
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
    """`expression` as a sum {variable: factor}; the constant stands under None."""
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
