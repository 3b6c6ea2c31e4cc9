"""exp, log, sigmoid, tanh and softplus as straight lines of arithmetic, which LLVM makes vectors of.

Numba calls the C library for these, one number at a time, because the vector library it was made for is not in today's
wheels. Here they are written in LLVM's own language, without a branch or a call, for float32 and float64. Loops over them
run 8 or 16 numbers at once, and what several have in common (the sigmoid and the softplus of one number share its
exponential) is computed once.

Errors, measured over the whole range against exact values, in units in the last place:

========  =======  =======
function  float32  float64
========  =======  =======
exp       1        1
log       1        1
sigmoid   3        3
tanh      3        3
softplus  2        2
========  =======  =======

Infinities, NaN, numbers below the normal ones and results there are as in the C library.

Sources: the reductions of exp and log are Cody and Waite's (1980), "Software Manual for the Elementary Functions"; the
arrangement of log's last sum is that of Sun's fdlibm.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

# Multiplications and additions may be one instruction. Nothing more: a sum that is taken in another order loses what the
# roundings below are there for. (Numba gives its own flags to operations that have none.)
FLAGS = ("contract",)


@dataclass(frozen=True)
class _Format:
    """Describe a floating-point format, and what the functions need to know of it."""

    type: ir.Type
    integer: ir.IntType
    mantissa: int  # bits
    bias: int  # of the exponent
    lowest: float  # exp of less is 0
    highest: float  # exp of more is infinite
    ln2: tuple[float, float]  # a number with zeros at its end, so that multiples of it are exact, and what is left
    exp_terms: int  # of the series of (exp(r) - 1 - r) / r^2
    log_terms: int  # of the series of log((1 + s) / (1 - s)), beside the first


_FORMATS = {
    32: _Format(ir.FloatType(), ir.IntType(32), 23, 127, -104.0, 89.0, (0.693359375, -2.12194440e-4), 6, 4),
    64: _Format(
        ir.DoubleType(), ir.IntType(64), 52, 1023, -746.0, 710.0, (6.93147180369123816e-01, 1.90821492927058770e-10), 12, 10
    ),
}


class _Number:
    """Represent a number of machine code, with Python's operators."""

    def __init__(self, builder: ir.IRBuilder, format: _Format, value: Any):
        self.builder, self.format, self.value = builder, format, value

    def __add__(self, other: Any) -> _Number:
        return self._emit("fadd", self, other)

    def __radd__(self, other: Any) -> _Number:
        return self._emit("fadd", other, self)

    def __sub__(self, other: Any) -> _Number:
        return self._emit("fsub", self, other)

    def __rsub__(self, other: Any) -> _Number:
        return self._emit("fsub", other, self)

    def __mul__(self, other: Any) -> _Number:
        return self._emit("fmul", self, other)

    def __rmul__(self, other: Any) -> _Number:
        return self._emit("fmul", other, self)

    def __truediv__(self, other: Any) -> _Number:
        return self._emit("fdiv", self, other)

    def __rtruediv__(self, other: Any) -> _Number:
        return self._emit("fdiv", other, self)

    def __neg__(self) -> _Number:
        return self._emit("fsub", -0.0, self)

    def __abs__(self) -> _Number:
        f = self.format
        return self.of_bits(self.builder.and_(self.bits, ir.Constant(f.integer, (1 << (f.integer.width - 1)) - 1)))

    def _emit(self, name: str, a: Any, b: Any) -> _Number:
        operation: Callable[..., Any] = getattr(self.builder, name)
        return self.of(operation(self.of(a).value, self.of(b).value, flags=FLAGS))

    def of(self, value: Any) -> _Number:
        """Return another number of this format, from a Python number, one of machine code, or an LLVM value."""
        if isinstance(value, _Number):
            return value
        if isinstance(value, int | float):
            value = ir.Constant(self.format.type, value)
        return _Number(self.builder, self.format, value)

    def holds(self, comparison: str, other: Any) -> Any:
        """Return a condition that is false where one of the two numbers is NaN."""
        return self.builder.fcmp_ordered(comparison, self.value, self.of(other).value)

    def where(self, condition: Any, other: Any) -> _Number:
        """Return this number where `condition` is true, else the other."""
        return self.of(self.builder.select(condition, self.value, self.of(other).value))

    @property
    def bits(self) -> Any:
        return self.builder.bitcast(self.value, self.format.integer)

    def of_bits(self, bits: Any) -> _Number:
        return self.of(self.builder.bitcast(bits, self.format.type))

    def series(self, coefficients: Sequence[float]) -> _Number:
        """Compute c[0] + c[1] x + c[2] x^2 + …"""
        total = self.of(coefficients[-1])
        for c in reversed(coefficients[:-1]):
            total = total * self + c
        return total


def _scale(x: _Number, exponent: Any) -> _Number:
    """Compute 2 to the power of an integer that a normal number's exponent can be."""
    f = x.format
    biased = x.builder.add(exponent, ir.Constant(f.integer, f.bias))
    return x.of_bits(x.builder.shl(biased, ir.Constant(f.integer, f.mantissa)))


def _reduced(x: _Number) -> tuple[_Number, _Number, Any]:
    """Return (r, q, k) with exp(x) = 2^k exp(r), abs(r) at most log(2) / 2, and q = exp(r) - 1 - r."""
    f = x.format
    # Added to a number of this size, a fraction is rounded to an integer, which then stands in the last bits. Converting to an
    # integer type instead would leave open what comes of NaN.
    shift = x.of(1.5 * 2.0**f.mantissa)
    shifted = x * math.log2(math.e) + shift
    k, steps = x.builder.sub(shifted.bits, shift.bits), shifted - shift
    r = (x - steps * f.ln2[0]) - steps * f.ln2[1]
    q = r * r * r.series([1 / math.factorial(n + 2) for n in range(f.exp_terms)])
    return r, q, k


def _exp(x: _Number) -> _Number:
    f, builder = x.format, x.builder
    x = x.of(f.lowest).where(x.holds("<", f.lowest), x)
    x = x.of(f.highest).where(x.holds(">", f.highest), x)
    r, q, k = _reduced(x)
    # In two steps: 2^k alone may be too small or too large for a number of which 2^k exp(r) is none. Shifted as a positive
    # number, because AVX2 has no other shift of 64 bits.
    even = ir.Constant(f.integer, 2 * (f.bias + 1))
    half = builder.sub(builder.lshr(builder.add(k, even), ir.Constant(f.integer, 1)), ir.Constant(f.integer, f.bias + 1))
    return (q + r + 1) * _scale(x, half) * _scale(x, builder.sub(k, half))


def _log1p_series(f: _Number) -> _Number:
    """Compute log(1 + f) for f between sqrt(1/2) - 1 and sqrt(2) - 1."""
    s = f / (f + 2)
    z = s * s
    r = z * z.series([2 / (2 * n + 3) for n in range(f.format.log_terms)])
    half = f * f * 0.5
    return f - (half - s * (half + r))


def _log(x: _Number) -> _Number:
    f, builder = x.format, x.builder

    def integer(value: int) -> Any:
        return ir.Constant(f.integer, value)

    below_normal = x.holds("<", 2.0 ** (1 - f.bias))
    scaled = (x * 2.0 ** (f.mantissa + 1)).where(below_normal, x)
    # the bits of sqrt(1/2), cut off: from there on the fractions go
    root = {32: 0x3F3504F3, 64: 0x3FE6A09E00000000}[f.integer.width]
    one = f.bias << f.mantissa
    bits = builder.add(scaled.bits, integer(one - root))
    m = x.of_bits(builder.add(builder.and_(bits, integer((1 << f.mantissa) - 1)), integer(root)))
    # The exponent as a number: in the last bits of 2^mantissa it stands as it is.
    large = x.of(2.0**f.mantissa)
    exponent = x.of_bits(builder.or_(builder.lshr(bits, integer(f.mantissa)), large.bits)) - large
    k = exponent - x.of(f.bias + f.mantissa + 1).where(below_normal, f.bias)
    result = k * f.ln2[0] + (_log1p_series(m - 1) + k * f.ln2[1])
    result = result.where(x.holds("<", math.inf), x)  # infinity and NaN
    result = x.of(-math.inf).where(x.holds("==", 0), result)
    return x.of(math.nan).where(x.holds("<", 0), result)


def _log1p_of_share(e: _Number) -> _Number:
    """Compute log(1 + e) for e from 0 to 1."""
    large = e.holds(">", math.sqrt(2) - 1)
    f = ((e - 1) * 0.5).where(large, e)
    return _log1p_series(f) + e.of(math.log(2)).where(large, 0)


def _of_share(x: _Number, e: _Number) -> _Number:
    """Compute the sigmoid of x, where e = exp(-abs(x))."""
    q = 1 / (e + 1)
    return q.where(x.holds(">=", 0), e * q)


def _sigmoid(x: _Number) -> _Number:
    return _of_share(x, _exp(-abs(x)))


def _softplus(x: _Number) -> _Number:
    return x.where(x.holds(">", 0), 0) + _log1p_of_share(_exp(-abs(x)))


def _tanh(x: _Number) -> _Number:
    # tanh(x) = -e / (2 + e) with e = exp(-2 x) - 1, which keeps its digits near 0
    y = abs(x) * -2
    far = y.of(-2.0 * y.format.mantissa)
    r, q, k = _reduced(far.where(y.holds("<", far), y))
    power = _scale(y, k)
    e = (q + r) * power + (power - 1)
    magnitude = -e / (e + 2)
    sign = x.builder.and_(x.bits, ir.Constant(x.format.integer, 1 << (x.format.integer.width - 1)))
    return x.of_bits(x.builder.or_(magnitude.bits, sign))


def _intrinsic(formula: Callable[[_Number], _Number]) -> Any:
    @intrinsic
    def function(typing: Any, x: Any) -> Any:
        if not isinstance(x, types.Float):
            return None

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return formula(_Number(builder, _FORMATS[x.bitwidth], arguments[0])).value

        return x(x), generate

    return function


exp, log, sigmoid, softplus, tanh = map(_intrinsic, (_exp, _log, _sigmoid, _softplus, _tanh))

FUNCTIONS = {"exp": exp, "log": log, "sigmoid": sigmoid, "softplus": softplus, "tanh": tanh}


@intrinsic
def cross_entropy(typing: Any, a: Any, x: Any) -> Any:
    """Compute the cross-entropy of sigmoid(a) with x in nats, finite for every finite a: -x log(s(a)) - (1 - x) log(1 - s(a)).

    It is abs(a) (1 - x if a > 0 else x) + log(1 + exp(-abs(a))): no two numbers of the size of a are subtracted. A loop that
    needs sigmoid(a) too computes the exponential once.
    """
    if not isinstance(a, types.Float) or a != x:
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        logit, target = (_Number(builder, _FORMATS[a.bitwidth], v) for v in arguments)
        wrong = (1 - target).where(logit.holds(">", 0), target)
        return (abs(logit) * wrong + _log1p_of_share(_exp(-abs(logit)))).value

    return a(a, x), generate
