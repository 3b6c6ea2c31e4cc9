"""Products, reductions and changes of shape, as ONNX has them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytensor.scalar as ps
from pytensor.compile.ops import DeepCopyOp, ViewOp
from pytensor.graph.basic import Apply, Variable
from pytensor.raise_op import CheckAndRaise
from pytensor.tensor import basic, blas
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.elemwise import CAReduce, DimShuffle
from pytensor.tensor.extra_ops import CumOp, Repeat
from pytensor.tensor.math import Argmax, Dot
from pytensor.tensor.reshape import JoinDims, SplitDims
from pytensor.tensor.shape import Reshape, Shape, Shape_i, SpecifyShape
from pytensor.tensor.sort import ArgSortOp, SortOp
from pytensor.tensor.special import LogSoftmax, Softmax

from symae.export.conversion import Conversion, converts
from symae.ops.unbroadcast import Addbroadcast, Unbroadcast

try:
    from pytensor.conditional.op import IfElse
except ImportError:  # before PyTensor 3.3
    from pytensor.ifelse import IfElse

REDUCTIONS: dict[type, str] = {
    ps.Add: "ReduceSum",
    ps.Mul: "ReduceProd",
    ps.Maximum: "ReduceMax",
    ps.Minimum: "ReduceMin",
    ps.OR: "ReduceMax",
    ps.AND: "ReduceMin",
}


@converts(SpecifyShape, CheckAndRaise, ViewOp, DeepCopyOp, Addbroadcast, Unbroadcast)
def _as_it_is(to: Conversion, node: Apply, x: str, *_: str) -> str:
    """Leave out what only checks or copies."""
    return x


@converts(basic.TensorFromScalar, basic.ScalarFromTensor)
def _number(to: Conversion, node: Apply, x: str) -> str:
    return x


@converts(Dot, blas.BatchedDot)
def _product(to: Conversion, node: Apply, x: str, y: str) -> str:
    dtype = to.dtype(node.outputs[0])
    return str(to.graph.add("MatMul", to.cast(x, dtype), to.cast(y, dtype)))


@converts(Blockwise)
def _blockwise(to: Conversion, node: Apply, *inputs: str) -> str:
    if not isinstance(node.op.core_op, Dot):
        raise to.refusal(node, f"{type(node.op.core_op).__name__} of stacks of arrays")
    return _product(to, node, *inputs)


@converts(DimShuffle)
def _dimshuffle(to: Conversion, node: Apply, x: str) -> str:
    order = node.op.new_order
    kept = [axis for axis in order if axis != "x"]
    dropped = [axis for axis in range(node.inputs[0].type.ndim) if axis not in kept]
    if dropped:
        x = to.graph.add("Squeeze", x, to.graph.ints(*dropped))
    ranks = {axis: rank for rank, axis in enumerate(sorted(kept))}
    if kept != sorted(kept):
        x = to.graph.add("Transpose", x, perm=[ranks[axis] for axis in kept])
    added = [i for i, axis in enumerate(order) if axis == "x"]
    return to.graph.add("Unsqueeze", x, to.graph.ints(*added)) if added else x


@converts(CAReduce)
def _reduce(to: Conversion, node: Apply, x: str) -> str:
    op = next((name for kind, name in REDUCTIONS.items() if isinstance(node.op.scalar_op, kind)), None)
    (output,), ndim = node.outputs, node.inputs[0].type.ndim
    axes = list(range(ndim)) if node.op.axis is None else [axis % ndim for axis in node.op.axis]
    dtype, logical = to.dtype(output), isinstance(node.op.scalar_op, ps.OR | ps.AND)
    if op is None or type(node.op).__name__ == "ProdWithoutZeros" or (logical and dtype != "bool"):
        raise to.refusal(node)
    x = to.cast(x, "int32" if logical else dtype)
    if axes:
        x = to.graph.add(op, x, to.graph.ints(*axes), keepdims=0)
    return str(to.graph.add("Cast", x, to="bool")) if logical else x


@converts(Argmax)
def _argmax(to: Conversion, node: Apply, x: str) -> str:
    axes, ndim = node.op.axis, node.inputs[0].type.ndim
    if axes is None or len(axes) == ndim:
        x, axis = to.graph.add("Reshape", x, to.graph.ints(-1)), 0
    elif len(axes) == 1:
        axis = axes[0] % ndim
    else:
        raise to.refusal(node, f"Argmax over axes {tuple(axes)}", "one axis, or all of them")
    return str(to.graph.add("ArgMax", x, axis=axis, keepdims=0))


@converts(Softmax, LogSoftmax)
def _softmax(to: Conversion, node: Apply, x: str, *_: str) -> str | list[str]:
    axes, ndim = node.op.axis, node.inputs[0].type.ndim
    op = "LogSoftmax" if isinstance(node.op, LogSoftmax) else "Softmax"
    if axes is not None and not isinstance(axes, int) and len(axes) == 1:
        (axes,) = axes
    if isinstance(axes, int):
        return str(to.graph.add(op, x, axis=axes % ndim))
    if axes is None or len(axes) == ndim:
        flat = to.graph.add(op, to.graph.add("Reshape", x, to.graph.ints(-1)), axis=0)
        return str(to.graph.add("Reshape", flat, to.graph.add("Shape", x)))
    return to.inline(node.op.inner_inputs, [x], node.op.inner_outputs)


@converts(SortOp, ArgSortOp)
def _sort(to: Conversion, node: Apply, x: str, *axis: str) -> str:
    along = _axis(to, node, node.inputs[1:])
    size = _length(to, node.inputs[0], x, along)
    sorted_, places = to.graph.add("TopK", x, size, n_outputs=2, axis=along, largest=0, sorted=1)
    return str(places if isinstance(node.op, ArgSortOp) else sorted_)


def _axis(to: Conversion, node: Apply, among: Sequence[Variable]) -> int:
    """Return the axis of an op: its own from PyTensor 3.3 on, before that the first of the inputs `among`."""
    axis = getattr(node.op, "axis", None)
    if axis is None:
        axis = to.number(among[0], to.on_the_way(node.outputs[0]), "an axis")
    return int(axis) % node.outputs[0].type.ndim


def _length(to: Conversion, variable: Variable, x: str, axis: int) -> str:
    """Return the length of an axis as a vector of one entry."""
    known = variable.type.shape[axis]
    return str(to.graph.add("Shape", x, start=axis, end=axis + 1)) if known is None else to.graph.ints(known)


@converts(Shape)
def _shape(to: Conversion, node: Apply, x: str) -> str:
    return str(to.graph.add("Shape", x))


@converts(Shape_i)
def _size(to: Conversion, node: Apply, x: str) -> str:
    axis = node.op.i
    return scalar(to, to.graph.add("Shape", x, start=axis, end=axis + 1))


def scalar(to: Conversion, vector: str) -> str:
    """Return the only entry of a vector."""
    return str(to.graph.add("Squeeze", vector, to.graph.ints(0)))


def entry(to: Conversion, number: str) -> str:
    """Return a whole number as a vector of one entry."""
    array = to.graph.constants.get(number)
    if array is not None:
        return to.graph.ints(int(array))
    return str(to.graph.add("Unsqueeze", to.cast(number, "int64"), to.graph.ints(0)))


@converts(basic.MakeVector)
def _vector(to: Conversion, node: Apply, *numbers: str) -> str:
    dtype = to.dtype(node.outputs[0])
    parts = [to.graph.add("Unsqueeze", to.cast(number, dtype), to.graph.ints(0)) for number in numbers]
    return str(to.graph.add("Concat", *parts, axis=0))


def sizes(to: Conversion, variables: Sequence[Variable], values: Sequence[str]) -> str:
    """Return whole numbers, each a variable, as a vector."""
    known = [to.known(v) for v in variables]
    if all(array is not None for array in known):
        return to.graph.ints(*(int(array) for array in known if array is not None))
    return str(to.graph.add("Concat", *(entry(to, value) for value in values), axis=0))


@converts(Reshape)
def _reshape(to: Conversion, node: Apply, x: str, new: str) -> str:
    wanted = to.integers(node.inputs[1])
    # one size may be left open: where one is not known, that is it
    if wanted is not None:
        free = [n for n in wanted if n is None or n == -1]
        if len(free) <= 1 and 0 not in wanted:
            return str(to.graph.add("Reshape", x, to.graph.ints(*(-1 if n is None else n for n in wanted))))
    zeros = None if wanted is None or 0 not in wanted else 1
    return str(to.graph.add("Reshape", x, to.cast(new, "int64"), allowzero=zeros))


@converts(JoinDims)
def _join_dims(to: Conversion, node: Apply, x: str, *_: str) -> str:
    shape_ = list(node.outputs[0].type.shape)
    if shape_.count(None) <= 1:
        return str(to.graph.add("Reshape", x, to.graph.ints(*(-1 if n is None else n for n in shape_))))
    first = node.op.start_axis
    parts = [
        to.graph.add("Shape", x, start=0, end=first),
        to.graph.ints(-1),
        to.graph.add("Shape", x, start=first + node.op.n_axes),
    ]
    return str(to.graph.add("Reshape", x, to.graph.add("Concat", *parts, axis=0)))


@converts(SplitDims)
def _split_dims(to: Conversion, node: Apply, x: str, new: str) -> str:
    axis = node.op.axis
    parts = [
        to.graph.add("Shape", x, start=0, end=axis),
        to.cast(new, "int64"),
        to.graph.add("Shape", x, start=axis + 1),
    ]
    return str(to.graph.add("Reshape", x, to.graph.add("Concat", *parts, axis=0)))


@converts(basic.Join)
def _join(to: Conversion, node: Apply, *parts: str) -> str:
    dtype, own = to.dtype(node.outputs[0]), hasattr(node.op, "axis")
    arrays = parts if own else parts[1:]
    return str(to.graph.add("Concat", *(to.cast(part, dtype) for part in arrays), axis=_axis(to, node, node.inputs)))


@converts(basic.Split)
def _split(to: Conversion, node: Apply, x: str, *rest: str) -> list[str]:
    lengths, along = to.cast(rest[-1], "int64"), _axis(to, node, node.inputs[1:])
    made = to.graph.add("Split", x, lengths, n_outputs=len(node.outputs), axis=along)
    return [made] if isinstance(made, str) else list(made)


@converts(basic.Alloc)
def _alloc(to: Conversion, node: Apply, value: str, *lengths: str) -> str:
    if not lengths:
        return value
    return str(to.graph.add("Expand", value, sizes(to, node.inputs[1:], lengths)))


@converts(basic.ARange)
def _range(to: Conversion, node: Apply, *bounds: str) -> str:
    dtype = to.dtype(node.outputs[0])
    return str(to.graph.add("Range", *(to.cast(bound, dtype) for bound in bounds)))


@converts(CumOp)
def _cumulative(to: Conversion, node: Apply, x: str) -> str:
    if node.op.mode != "add":
        raise to.refusal(node, "a cumulative product")
    return str(to.graph.add("CumSum", x, to.graph.constant(np.int64(node.op.axis))))


@converts(Repeat)
def _repeat(to: Conversion, node: Apply, x: str, repeats: str) -> str:
    counts, axis = to.integers(node.inputs[1]), node.op.axis
    if counts is None or None in counts or not all(n == counts[0] for n in counts):
        raise to.refusal(node, "a number of repetitions that differs or depends on the input", "one number")
    ones = [1] * node.inputs[0].type.ndim
    spread = to.graph.add("Unsqueeze", x, to.graph.ints(axis + 1))
    repeated = to.graph.add("Expand", spread, to.graph.ints(*ones[: axis + 1], int(counts[0] or 0), *ones[axis + 1 :]))
    before, after = (to.graph.add("Shape", x, start=s, end=e) for s, e in ((0, axis), (axis + 1, len(ones))))
    return str(to.graph.add("Reshape", repeated, to.graph.add("Concat", before, to.graph.ints(-1), after, axis=0)))


@converts(IfElse)
def _if(to: Conversion, node: Apply, condition: str, *branches: str) -> list[str]:
    """Choose one of two lists of values; both are computed before, which changes nothing but the time."""
    chosen = to.graph.add("If", to.cast(condition, "bool"), *branches, n_outputs=len(node.outputs))
    return [chosen] if isinstance(chosen, str) else list(chosen)
