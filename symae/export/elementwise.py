"""Elementwise functions of arrays, and how ONNX broadcasts them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.scalar as ps
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.traversal import io_toposort
from pytensor.scalar import basic
from pytensor.tensor.elemwise import DimShuffle, Elemwise

from symae.export.conversion import Conversion, converts
from symae.export.scalar_functions import SCALAR_FUNCTIONS


@converts(Elemwise)
def _elemwise(to: Conversion, node: Apply, *inputs: str) -> str | list[str]:
    rectified = _rectified(to, node)
    if rectified is not None:
        return rectified
    if isinstance(node.op.scalar_op, basic.Second):
        return _scalar(to, node, node.op.scalar_op, node.inputs, inputs, node.outputs)
    return _scalar(to, node, node.op.scalar_op, node.inputs, _without_leading_ones(to, node, inputs), node.outputs)


@converts(basic.ScalarOp)
def _scalar_node(to: Conversion, node: Apply, *inputs: str) -> str | list[str]:
    """Convert an op of numbers that stands in a graph of arrays, or of other numbers."""
    return _scalar(to, node, node.op, node.inputs, inputs, node.outputs)


def _without_leading_ones(to: Conversion, node: Apply, inputs: Sequence[str]) -> list[str]:
    """Return the inputs without the axes of length one that broadcasting puts in front in any case."""
    numbers = _filled_with_a_number(to, node, inputs)
    shorter = [_shortened(to, v, value) for v, value in zip(node.inputs, numbers, strict=True)]
    whole = [value == short for value, short in zip(inputs, shorter, strict=True)]
    return shorter if any(whole) else list(inputs)


def _filled_with_a_number(to: Conversion, node: Apply, inputs: Sequence[str]) -> list[str]:
    """Return the inputs, with a number in the place of an array that is filled with it, where another one has its shape."""
    result = list(inputs)
    for i, v in enumerate(node.inputs):
        filled = v.owner is not None and isinstance(getattr(v.owner.op, "scalar_op", None), basic.Second)
        number = to.known(v.owner.inputs[1]) if filled else None
        others = [w for k, w in enumerate(node.inputs) if k != i and result[k] == inputs[k]]
        if number is not None and number.size == 1 and any(_as_wide(w, v) for w in others):
            result[i] = to.constant(number.reshape(()), v)
    return result


def _as_wide(w: Variable, v: Variable) -> bool:
    """Return True if `w` is as long as `v` along each axis: what is not known to be one does not broadcast in PyTensor."""
    return len(w.type.shape) == len(v.type.shape) and all(
        a != 1 or b == 1 for a, b in zip(w.type.shape, v.type.shape, strict=True)
    )


def _shortened(to: Conversion, variable: Variable, value: str) -> str:
    array = to.graph.constants.get(value)
    if array is not None:
        leading = next((i for i, n in enumerate(array.shape) if n != 1), array.ndim)
        return to.graph.constant(array.reshape(array.shape[leading:])) if leading else value
    owner = variable.owner
    if owner is not None and isinstance(owner.op, DimShuffle):
        order = owner.op.new_order
        added = next((i for i, axis in enumerate(order) if axis != "x"), len(order))
        if added and owner.inputs[0] in to and tuple(order[added:]) == tuple(range(owner.inputs[0].type.ndim)):
            return to(owner.inputs[0])
    return value


def _rectified(to: Conversion, node: Apply) -> str | None:
    """Convert ``switch(x <= 0, 0 or slope * x, x)``, which is how `symae.nn` writes rectifiers."""
    if not isinstance(node.op.scalar_op, basic.Switch):
        return None
    condition, low, x = (_within(v) for v in node.inputs)
    compared = condition.owner
    if compared is None or not isinstance(getattr(compared.op, "scalar_op", None), basic.LE):
        return None
    if _within(compared.inputs[0]) is not x or not _is_zero(compared.inputs[1]) or to.dtype(x) != to.floatX:
        return None
    if _is_zero(low):
        return str(to.graph.add("Relu", to(x)))
    factor = low.owner
    if factor is not None and isinstance(getattr(factor.op, "scalar_op", None), basic.Mul) and len(factor.inputs) == 2:
        for slope, other in (factor.inputs, factor.inputs[::-1]):
            number = to.known(slope)
            if _within(other) is x and number is not None and number.size == 1:
                return str(to.graph.add("LeakyRelu", to(x), alpha=float(number.item())))
    return None


def _within(variable: Variable) -> Variable:
    """Return what a variable is a view of, with other axes of length one at most."""
    while variable.owner is not None and isinstance(variable.owner.op, DimShuffle) and not variable.owner.op.is_transpose:
        variable = variable.owner.inputs[0]
    return variable


def _is_zero(variable: Variable) -> bool:
    variable = _within(variable)
    if variable.owner is not None and isinstance(getattr(variable.owner.op, "scalar_op", None), basic.Second):
        variable = _within(variable.owner.inputs[1])
    if variable.owner is not None and isinstance(getattr(variable.owner.op, "scalar_op", None), basic.Cast):
        variable = _within(variable.owner.inputs[0])
    return isinstance(variable, Constant) and not np.any(variable.data)


def _scalar(
    to: Conversion,
    node: Apply,
    op: Any,
    variables: Sequence[Variable],
    values: Sequence[str],
    outputs: Sequence[Variable],
) -> str | list[str]:
    if isinstance(op, ps.Composite):
        return _composite(to, node, op, values)
    (output,) = outputs
    dtype = to.dtype(output)
    kind = next((kind for kind in type(op).__mro__ if kind in SCALAR_FUNCTIONS), None)
    if kind is None or "complex" in dtype:
        raise to.refusal(node, f"{op} of numbers")
    widest = _common([to.dtype(v) for v in variables], to.floatX)
    return SCALAR_FUNCTIONS[kind](to, kind, list(values), dtype, widest)


def _common(dtypes: Sequence[str], floatX: str) -> str:
    dtype = str(np.result_type(*dtypes)) if dtypes else floatX
    return floatX if dtype.startswith("float") else dtype


def _composite(to: Conversion, node: Apply, op: Any, values: Sequence[str]) -> list[str]:
    """Convert what a rewrite has made one op of, op by op."""
    known = dict(zip(op.inputs, values, strict=True))

    def value(v: Variable) -> str:
        if v not in known:
            known[v] = to.constant(v.data, v)
        return known[v]

    for inner in io_toposort(op.inputs, op.outputs):
        made = _scalar(to, node, inner.op, inner.inputs, [value(v) for v in inner.inputs], inner.outputs)
        known |= dict(zip(inner.outputs, [made] if isinstance(made, str) else made, strict=True))
    return [value(v) for v in op.outputs]
