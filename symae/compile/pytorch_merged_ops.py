"""Several ops of a graph in one call of PyTorch's, where a graph is computed op by op.

Each call takes some microseconds beside its work, and leaves an array that the next one reads. PyTorch has functions that do
more: a product with a bias, or added to a matrix, and the gradients of sigmoid and tanh. Before::

    Dot(x, W) + b    W - 0.1 * (Dot(x', d) + Dot(e', y))    g * s * (1 - s)    g * (1 - t ** 2)    b - 0.1 * g

After::

    addmm(b, x, W)   addmm, addmm_                          sigmoid_backward   tanh_backward       sub(b, g, alpha=0.1)

PyTorch's functions repeat operands of one row where PyTensor's refuse to. What has not the shapes that are expected is left to
the functions that there were before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytensor.tensor as pt
import torch
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.op import Op
from pytensor.graph.rewriting.basic import dfs_rewriter, node_rewriter
from pytensor.link.pytorch.dispatch import pytorch_funcify
from pytensor.scalar.basic import Add, Exp, Mul, Neg, Sqr, Sub, Tanh, TrueDiv
from pytensor.scalar.math import Sigmoid
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Sum
from pytensor.tensor.variable import TensorConstant

from symae.ops.elementwise import SigmoidCrossEntropy
from symae.ops.gemm import Gemm, MatrixProduct
from symae.rewrites.accumulated_products import accumulated_products
from symae.rewrites.linear_combination import scalar
from symae.rewrites.matrix_product import matrix_product


class Merged(Op):
    """Stand for several ops, as one function of tensors; only PyTorch computes it."""

    def __init__(self, function: Callable[..., Any], result: Variable):
        self.function = function
        self.result_type = result.type

    def make_node(self, *inputs: Variable) -> Apply:
        return Apply(self, list(inputs), [self.result_type()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        raise NotImplementedError("only PyTorch computes this")


pytorch_funcify.register(Merged, lambda op, **_: op.function)


def with_merged_ops(fgraph: FunctionGraph) -> FunctionGraph:
    """Return another graph that computes the same in fewer calls of PyTorch's."""
    merged = FunctionGraph(fgraph.inputs, fgraph.outputs, clone=True)
    for rewriter in (matrix_product, accumulated_products, _sum, _merge):
        dfs_rewriter(rewriter).rewrite(merged)
    return merged


@node_rewriter([Sum])
def _sum(fgraph: FunctionGraph, node: Apply) -> list[Variable] | None:
    """Sum at once what is summed along some axes, and then all of it; and with the sign behind."""
    (x,), (result,) = node.inputs, node.outputs
    if x.type.dtype not in ("float32", "float64") or result.type.dtype != x.type.dtype:
        return None
    if _is_only_for(fgraph, x, node, Neg):
        return [-node.op(x.owner.inputs[0])]
    if _is_only_for(fgraph, x, node, Sum) and node.op.axis in (None, tuple(range(x.type.ndim))):
        inner = x.owner.inputs[0]
        if inner.type.dtype == x.type.dtype:
            return [pt.sum(inner, dtype=x.type.dtype, acc_dtype=node.op.acc_dtype)]
    return None


@node_rewriter([Elemwise])
def _merge(fgraph: FunctionGraph, node: Apply) -> list[Variable] | None:
    result, operation = node.outputs[0], node.op.scalar_op
    if result.type.dtype not in ("float32", "float64") or any(v.type.dtype != result.type.dtype for v in node.inputs):
        return None
    if isinstance(operation, Add | Sub) and len(node.inputs) == 2:
        merged = _with_bias(fgraph, node)
        merged = _with_multiple(fgraph, node) if merged is None else merged
    elif isinstance(operation, Mul):
        merged = _gradient(fgraph, node)
    elif isinstance(operation, Neg) and _is_only_for(fgraph, node.inputs[0], node, Neg):
        return list(node.inputs[0].owner.inputs)
    else:
        merged = None
    return None if merged is None else [merged]


def _with_bias(fgraph: FunctionGraph, node: Apply) -> Variable | None:
    """Return a product of matrices with a row added to each of its rows."""
    if not isinstance(node.op.scalar_op, Add):
        return None
    for product, row in (node.inputs, node.inputs[::-1]):
        if not _is_only_for(fgraph, product, node, MatrixProduct) or row.type.broadcastable != (True, False):
            continue
        if product.type.broadcastable != node.outputs[0].type.broadcastable:
            continue
        ((ta, tb),) = product.owner.op.flags
        multiply, unmerged, bias = product.owner.op.pytorch(product.owner), pytorch_funcify(node.op, node=node), row
        if row.owner is not None and isinstance(row.owner.op, DimShuffle) and tuple(row.owner.op.new_order) == ("x", 0):
            bias = row.owner.inputs[0]

        def affine(
            bias: Any, A: Any, B: Any, ta: bool = ta, tb: bool = tb, multiply: Any = multiply, unmerged: Any = unmerged
        ) -> Any:
            second = B.t() if tb else B
            first = A.t() if ta else A
            if bias.shape[-1] == second.shape[1] and first.shape[1] == second.shape[0]:
                return torch.addmm(bias, first, second)
            return unmerged(multiply(A, B), bias.reshape(1, -1))

        return Merged(affine, node.outputs[0])(bias, *product.owner.inputs)
    return None


def _with_multiple(fgraph: FunctionGraph, node: Apply) -> Variable | None:
    """Return an array plus, or minus, a multiple of another one."""
    first, second = node.inputs
    subtracts = isinstance(node.op.scalar_op, Sub)
    for x, multiple in ((first, second),) if subtracts else ((first, second), (second, first)):
        if not _is_only_for(fgraph, multiple, node, Mul) or len(multiple.owner.inputs) != 2:
            continue
        for y, factor in (multiple.owner.inputs, multiple.owner.inputs[::-1]):
            number = scalar(factor)
            if not isinstance(number, TensorConstant) or {x.type.broadcastable, y.type.broadcastable} != {
                node.outputs[0].type.broadcastable
            }:
                continue
            if y.type.dtype != x.type.dtype:
                continue
            alpha, constant = -float(number.data) if subtracts else float(number.data), torch.tensor(number.data)
            unmerged = pytorch_funcify(node.op, node=node)

            def add(x: Any, y: Any, alpha: float = alpha, constant: Any = constant, unmerged: Any = unmerged) -> Any:
                return torch.add(x, y, alpha=alpha) if x.shape == y.shape else unmerged(x, constant * y)

            return Merged(add, node.outputs[0])(x, y)
    return None


def _gradient(fgraph: FunctionGraph, node: Apply) -> Variable | None:
    """Return g * s * (1 - s), or g * (1 - t ** 2), of arrays of one shape."""
    inputs = list(node.inputs)
    if any(v.type.broadcastable != node.outputs[0].type.broadcastable for v in inputs):
        return None
    unmerged = pytorch_funcify(node.op, node=node)
    for i, rest in enumerate(inputs):
        if not _is_only_for(fgraph, rest, node, Sub) or not _is_one(rest.owner.inputs[0]):
            continue
        others, subtracted = inputs[:i] + inputs[i + 1 :], rest.owner.inputs[1]
        if len(inputs) == 3 and subtracted in others:
            others.remove(subtracted)
            merged, value, squared = torch.ops.aten.sigmoid_backward, subtracted, False
        elif len(inputs) == 2 and _is_only_for(fgraph, subtracted, rest.owner, Sqr):
            merged, value, squared = torch.ops.aten.tanh_backward, subtracted.owner.inputs[0], True
        else:
            continue
        (g,) = others
        if g.type.dtype != value.type.dtype:
            continue
        arguments = [g if v in others else None for v in inputs]

        def gradient(
            g: Any, y: Any, merged: Any = merged, squared: bool = squared, i: int = i, at: Any = tuple(arguments)
        ) -> Any:
            if g.shape == y.shape:
                return merged(g, y)
            rest = 1 - (y * y if squared else y)
            return unmerged(*(rest if k == i else y if v is None else g for k, v in enumerate(at)))

        return Merged(gradient, node.outputs[0])(g, value)
    return None


_IN_PLACE: dict[type, Callable[..., Any]] = {
    Add: torch.Tensor.add_,
    Sub: torch.Tensor.sub_,
    Mul: torch.Tensor.mul_,
    TrueDiv: torch.Tensor.div_,
    Neg: torch.Tensor.neg_,
    Exp: torch.Tensor.exp_,
    Sigmoid: torch.Tensor.sigmoid_,
    Tanh: torch.Tensor.tanh_,
}


def makes_an_array(v: Variable) -> bool:
    """Return True if a variable is made by what never hands over its arguments, or views of them."""
    if v.owner is None:
        return False
    op, inputs = v.owner.op, v.owner.inputs
    if not isinstance(op, Elemwise):
        return isinstance(op, Merged | Gemm | MatrixProduct | Sum)
    binary = isinstance(op.scalar_op, Add | Sub | Mul | TrueDiv) and len(inputs) > 1
    return binary or isinstance(op.scalar_op, Neg | Exp | Sigmoid | Tanh | SigmoidCrossEntropy)


def in_its_operand(fgraph: FunctionGraph, node: Apply) -> Callable[..., Any] | None:
    """Return what computes a function of numbers in the array of its first operand, if nothing else reads that."""
    op, first, result = node.op, node.inputs[0], node.outputs[0]
    if not isinstance(op, Elemwise) or type(op.scalar_op) not in _IN_PLACE or len(node.inputs) > 2:
        return None
    if len({v.type.dtype for v in (*node.inputs, result)}) > 1 or result.type.dtype not in ("float32", "float64"):
        return None
    if not makes_an_array(first) or len(fgraph.clients[first]) > 1 or first.type.broadcastable != result.type.broadcastable:
        return None
    compute = _IN_PLACE[type(op.scalar_op)]
    if len(node.inputs) == 1 or all(node.inputs[1].type.broadcastable):
        return compute
    anew = pytorch_funcify(op, node=node)
    return lambda x, y: compute(x, y) if x.shape == y.shape else anew(x, y)


def _is_only_for(fgraph: FunctionGraph, v: Variable, client: Apply, kind: type) -> bool:
    """Return True if `v` is made by an op, or a function of numbers, of a kind, and read once, by `client`."""
    if v.owner is None:
        return False
    operation = v.owner.op.scalar_op if isinstance(v.owner.op, Elemwise) else v.owner.op
    return isinstance(operation, kind) and [node for node, _ in fgraph.clients[v]] == [client]


def _is_one(v: Variable) -> bool:
    number = scalar(v)
    return isinstance(number, TensorConstant) and bool(number.data == 1)
