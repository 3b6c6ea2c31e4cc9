"""Functions of one number or a few, as ONNX has them or can have them put together."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from pytensor.scalar import basic
from pytensor.scalar import math as special

from symae.export.conversion import Conversion

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
    return str(to.graph.add("Mul", to.cast(values[0], dtype), _constant(to, FACTORS[kind], dtype)))


def _logarithm(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    natural = to.graph.add("Log", to.cast(values[0], dtype))
    return str(to.graph.add("Mul", natural, _constant(to, LOGARITHMS[kind], dtype)))


def _constant(to: Conversion, number: float, dtype: str) -> str:
    """Return the name of a number in the graph, of a dtype."""
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
    return str(to.graph.add("Exp", to.graph.add("Mul", to.cast(values[0], dtype), _constant(to, math.log(2), dtype))))


def _expm1(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    """Compute exp(x) - 1, near zero as 2 t / (1 - t) with t = tanh(x / 2): the difference would have no digits there."""
    g, x, one = to.graph, to.cast(values[0], dtype), _constant(to, 1, dtype)
    t = g.add("Tanh", g.add("Mul", x, _constant(to, 0.5, dtype)))
    near = g.add("Div", g.add("Add", t, t), g.add("Sub", one, t))
    return str(g.add("Where", g.add("Less", g.add("Abs", x), one), near, g.add("Sub", g.add("Exp", x), one)))


def _log1p(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    """Compute log(1 + x), near zero as 2 artanh(x / (2 + x)): the sum would have lost the digits of x there."""
    g, x, half = to.graph, to.cast(values[0], dtype), _constant(to, 0.5, dtype)
    t = g.add("Atanh", g.add("Div", x, g.add("Add", x, _constant(to, 2, dtype))))
    far = g.add("Log", g.add("Add", x, _constant(to, 1, dtype)))
    return str(g.add("Where", g.add("Less", g.add("Abs", x), half), g.add("Add", t, t), far))


def _erfc(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    return str(to.graph.add("Sub", _constant(to, 1, dtype), to.graph.add("Erf", to.cast(values[0], dtype))))


def _trunc(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    g, x = to.graph, to.cast(values[0], dtype)
    return str(g.add("Mul", g.add("Sign", x), g.add("Floor", g.add("Abs", x))))


def _round_away(to: Conversion, kind: type, values: list[str], dtype: str, widest: str) -> str:
    """Round halves away from zero: |x| + 1/2 would be rounded to the next even number where it has no more digits."""
    g, x, half = to.graph, to.cast(values[0], dtype), _constant(to, 0.5, dtype)
    size = g.add("Abs", x)
    whole = g.add("Floor", size)
    up = g.add("GreaterOrEqual", g.add("Sub", size, whole), half)
    return str(g.add("Mul", g.add("Sign", x), g.add("Where", up, g.add("Add", whole, _constant(to, 1, dtype)), whole)))


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


SCALAR_FUNCTIONS: dict[type, Callable[[Conversion, type, list[str], str, str], str]] = {
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
