"""Elementwise functions, as ONNX has them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.scalar as ps
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.traversal import io_toposort
from pytensor.scalar import basic
from pytensor.scalar import math as special
from pytensor.tensor.elemwise import DimShuffle, Elemwise

from symae.export.conversion import Conversion, converts

# Ops with the same meaning in ONNX, computed in the dtype of the result.
SAME: dict[type, str] = {
    basic.Abs: "Abs",
    basic.Add: "Add",
    basic.ArcCos: "Acos",
    basic.ArcCosh: "Acosh",
    basic.ArcSin: "Asin",
    basic.ArcSinh: "Asinh",
    basic.ArcTan: "Atan",
    basic.ArcTanh: "Atanh",
    basic.Ceil: "Ceil",
    basic.Cos: "Cos",
    basic.Cosh: "Cosh",
    basic.Exp: "Exp",
    basic.Floor: "Floor",
    basic.Identity: "Identity",
    basic.Log: "Log",
    basic.Maximum: "Max",
    basic.Minimum: "Min",
    basic.Mul: "Mul",
    basic.Neg: "Neg",
    basic.Pow: "Pow",
    basic.Reciprocal: "Reciprocal",
    basic.RoundHalfToEven: "Round",
    basic.Sign: "Sign",
    basic.Sin: "Sin",
    basic.Sinh: "Sinh",
    basic.Sqrt: "Sqrt",
    basic.Sub: "Sub",
    basic.Tan: "Tan",
    basic.Tanh: "Tanh",
    basic.TrueDiv: "Div",
    special.Erf: "Erf",
    special.Sigmoid: "Sigmoid",
    special.Softplus: "Softplus",
}
# Comparisons of two numbers, in the dtype that holds both; ONNX has no op for unequal.
COMPARED: dict[type, str] = {
    basic.LT: "Less",
    basic.GT: "Greater",
    basic.LE: "LessOrEqual",
    basic.GE: "GreaterOrEqual",
    basic.EQ: "Equal",
    basic.NEQ: "Equal",
}
# of bools, and of the bits of whole numbers
BITS: dict[type, tuple[str, str]] = {
    basic.AND: ("And", "BitwiseAnd"),
    basic.OR: ("Or", "BitwiseOr"),
    basic.XOR: ("Xor", "BitwiseXor"),
    basic.Invert: ("Not", "BitwiseNot"),
}
# before PyTensor 3.3, where they are products
FACTORS: dict[type, float] = {
    getattr(basic, name): factor
    for name, factor in (("Deg2Rad", math.pi / 180), ("Rad2Deg", 180 / math.pi))
    if hasattr(basic, name)
}
LOGARITHMS: dict[type, float] = {basic.Log2: 1 / math.log(2), basic.Log10: 1 / math.log(10)}


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
    kind = next((kind for kind in type(op).__mro__ if kind in _KINDS), None)
    if kind is None or "complex" in dtype:
        raise to.refusal(node, f"{op} of numbers")
    widest = _common([to.dtype(v) for v in variables], to.floatX)
    return _KINDS[kind](to, kind, list(values), dtype, widest)


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


def _same(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    op, values = SAME[kind], [to.cast(value, dtype) for value in values]
    if len(values) <= 2 or op in ("Max", "Min"):
        return str(to.graph.add(op, *values))
    result = values[0]  # Add and Mul of PyTensor take any number
    for value in values[1:]:
        result = to.graph.add(op, result, value)
    return result


def _compared(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    result: str = to.graph.add(COMPARED[kind], *(to.cast(value, widest) for value in values))
    return to.graph.add("Not", result) if kind is basic.NEQ else result


def _bits(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    return str(to.graph.add(BITS[kind][dtype != "bool"], *(to.cast(value, dtype) for value in values)))


def _factor(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    return str(to.graph.add("Mul", to.cast(values[0], dtype), _number(to, FACTORS[kind], dtype)))


def _logarithm(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    natural = to.graph.add("Log", to.cast(values[0], dtype))
    return str(to.graph.add("Mul", natural, _number(to, LOGARITHMS[kind], dtype)))


def _number(to: Conversion, number: float, dtype: str) -> str:
    return to.graph.constant(np.asarray(number, dtype))


def _cast(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    return to.cast(values[0], dtype)


def _switch(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    condition, *branches = values
    return str(to.graph.add("Where", to.cast(condition, "bool"), *(to.cast(value, dtype) for value in branches)))


def _second(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    model, value = values
    return str(to.graph.add("Expand", to.cast(value, dtype), to.graph.add("Shape", model)))


def _square(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    x = to.cast(values[0], dtype)
    return str(to.graph.add("Mul", x, x))


def _exp2(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    return str(to.graph.add("Exp", to.graph.add("Mul", to.cast(values[0], dtype), _number(to, math.log(2), dtype))))


def _expm1(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    """Compute exp(x) - 1, near zero as 2 t / (1 - t) with t = tanh(x / 2): the difference would have no digits there."""
    g, x, one = to.graph, to.cast(values[0], dtype), _number(to, 1, dtype)
    t = g.add("Tanh", g.add("Mul", x, _number(to, 0.5, dtype)))
    near = g.add("Div", g.add("Add", t, t), g.add("Sub", one, t))
    return str(g.add("Where", g.add("Less", g.add("Abs", x), one), near, g.add("Sub", g.add("Exp", x), one)))


def _log1p(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    """Compute log(1 + x), near zero as 2 artanh(x / (2 + x)): the sum would have lost the digits of x there."""
    g, x, half = to.graph, to.cast(values[0], dtype), _number(to, 0.5, dtype)
    t = g.add("Atanh", g.add("Div", x, g.add("Add", x, _number(to, 2, dtype))))
    far = g.add("Log", g.add("Add", x, _number(to, 1, dtype)))
    return str(g.add("Where", g.add("Less", g.add("Abs", x), half), g.add("Add", t, t), far))


def _erfc(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    return str(to.graph.add("Sub", _number(to, 1, dtype), to.graph.add("Erf", to.cast(values[0], dtype))))


def _trunc(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    g, x = to.graph, to.cast(values[0], dtype)
    return str(g.add("Mul", g.add("Sign", x), g.add("Floor", g.add("Abs", x))))


def _round_away(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    """Round halves away from zero: |x| + 1/2 would be rounded to the next even number where it has no more digits."""
    g, x, half = to.graph, to.cast(values[0], dtype), _number(to, 0.5, dtype)
    size = g.add("Abs", x)
    whole = g.add("Floor", size)
    up = g.add("GreaterOrEqual", g.add("Sub", size, whole), half)
    return str(g.add("Mul", g.add("Sign", x), g.add("Where", up, g.add("Add", whole, _number(to, 1, dtype)), whole)))


def _clip(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    x, low, high = (to.cast(value, dtype) for value in values)
    return str(to.graph.add("Min", to.graph.add("Max", x, low), high))


def _floor_division(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    g = to.graph
    a, b = (to.cast(value, dtype) for value in values)
    if dtype == to.floatX:
        return str(g.add("Floor", g.add("Div", a, b)))
    # ONNX cuts off, towards zero; what is left has the sign of the divisor in its Mod, as in Python
    return str(g.add("Div", g.add("Sub", a, g.add("Mod", a, b)), b))


def _modulo(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    g = to.graph
    a, b = (to.cast(value, dtype) for value in values)
    if dtype != to.floatX:
        return str(g.add("Mod", a, b))
    return str(g.add("Sub", a, g.add("Mul", g.add("Floor", g.add("Div", a, b)), b)))


def _of_floats(op: str) -> Callable[..., str]:
    def convert(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
        return str(to.graph.add(op, to.cast(values[0], to.floatX)))

    return convert


_KINDS: dict[type, Callable[[Conversion, type, list[str], str, str], str]] = {
    **dict.fromkeys(SAME, _same),
    **dict.fromkeys(COMPARED, _compared),
    **dict.fromkeys(BITS, _bits),
    **dict.fromkeys(FACTORS, _factor),
    **dict.fromkeys(LOGARITHMS, _logarithm),
    basic.Cast: _cast,
    basic.Clip: _clip,
    basic.Exp2: _exp2,
    basic.Expm1: _expm1,
    basic.IntDiv: _floor_division,
    basic.IsInf: _of_floats("IsInf"),
    basic.IsNan: _of_floats("IsNaN"),
    basic.Log1p: _log1p,
    basic.Mod: _modulo,
    basic.RoundHalfAwayFromZero: _round_away,
    basic.Second: _second,
    basic.Sqr: _square,
    basic.Switch: _switch,
    basic.Trunc: _trunc,
    special.Erfc: _erfc,
}
