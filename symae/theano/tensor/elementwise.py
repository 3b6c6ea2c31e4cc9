"""What is done to each element: Theano's names and dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor.basic import _cast_mapping
from pytensor.tensor.elemwise import Elemwise

from symae.theano._impl.variables import as_theano, condition, divided, logical
from symae.typing import TensorLike

__all__ = ["ELEMENTWISE"]

_MODULE = "symae.theano.tensor"

# theano.tensor's name: PyTensor's
_SAME = {
    name: name
    for name in [
        "add",
        "sub",
        "mul",
        "true_div",
        "int_div",
        "floor_div",
        "mod",
        "pow",
        "neg",
        "exp",
        "exp2",
        "expm1",
        "log",
        "log2",
        "log10",
        "log1p",
        "sqrt",
        "sqr",
        "square",
        "ceil",
        "floor",
        "trunc",
        "iround",
        "sin",
        "cos",
        "tan",
        "arcsin",
        "arccos",
        "arctan",
        "arctan2",
        "sinh",
        "cosh",
        "tanh",
        "arcsinh",
        "arccosh",
        "arctanh",
        "deg2rad",
        "rad2deg",
        "maximum",
        "minimum",
        "erf",
        "erfc",
        "erfcx",
        "erfinv",
        "erfcinv",
        "gamma",
        "gammaln",
        "psi",
        "tri_gamma",
        "gammainc",
        "gammaincc",
        "gammau",
        "gammal",
        "j0",
        "j1",
        "jv",
        "i0",
        "i1",
        "iv",
        "real",
        "imag",
        "angle",
        "complex",
        "complex_from_polar",
        "second",
        "fill",
        "bitwise_and",
        "bitwise_or",
        "bitwise_xor",
        "bitwise_not",
        "round_half_away_from_zero",
        "round_half_to_even",
        "mod_check",
        "divmod",
        "clip",
        "cast",
        "ceil_intdiv",
    ]
} | {"abs_": "abs", "inv": "reciprocal", "power": "pow", "sgn": "sign"}

_LOGICAL = {name: name for name in ("lt", "gt", "le", "ge", "eq", "neq", "isnan", "isinf", "isclose", "allclose")}


class LegacyElemwise(Elemwise):
    """Apply a PyTensor Op, `op`, under Theano's name; take and return marked variables.

    It is equal to `op`, which it leaves in graphs: programs write ``node.op == T.mul`` and ``local_optimizer([T.log])``.
    """

    def __init__(self, op: Elemwise, name: str, module: str = _MODULE):
        self.__dict__.update(vars(op))
        self._op, self._call = op, as_theano(op)
        self.__name__ = name
        self.__module__ = module

    def __call__(self, *inputs: Any, **kwargs: Any) -> Any:
        return self._call(*inputs, **kwargs)

    def make_node(self, *inputs: Any) -> Any:
        return self._op.make_node(*inputs)

    def __eq__(self, other: object) -> bool:
        return bool(self._op == (other._op if isinstance(other, LegacyElemwise) else other))

    def __hash__(self) -> int:
        return hash(self._op)

    def __str__(self) -> str:
        return str(self._op)

    def __reduce__(self) -> str:
        return self.__name__


def _of_pytensor(name: str, theirs: str) -> Callable[..., Any] | None:
    found = getattr(pt, theirs, None) or getattr(pt.math, theirs, None) or getattr(pt.basic, theirs, None)
    if isinstance(found, Elemwise):
        return LegacyElemwise(found, name)
    return None if found is None else as_theano(found, name, _MODULE)


def _answers(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    answer = logical(function)
    answer.__name__ = answer.__qualname__ = name
    answer.__module__ = _MODULE
    return answer


def _bits_or_answers(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Make and, or, xor or not: answers of answers, and bit by bit of whole numbers."""
    answer, bits = logical(function), as_theano(function)

    def combined(*operands: Any) -> Variable:
        wanted = [getattr(getattr(o, "tag", None), "is_answer", False) for o in operands]
        return answer(*(condition(o) for o in operands)) if all(wanted) else bits(*operands)

    combined.__name__ = combined.__qualname__ = name
    combined.__module__ = _MODULE
    combined.__doc__ = function.__doc__
    return combined


def switch(cond: TensorLike, ift: TensorLike, iff: TensorLike) -> Variable:
    """Return `ift` where `cond`, `iff` where not."""
    return _switch(condition(cond), ift, iff)


_switch = as_theano(pt.switch)


def where(cond: TensorLike, ift: TensorLike | None = None, iff: TensorLike | None = None, **kwargs: Any) -> Any:
    """Return `ift` where `cond`, `iff` where not, as `switch`."""
    return switch(cond, ift, iff)


def round(a: TensorLike, mode: str | None = None) -> Variable:
    """Round `a` to whole numbers; halves to the even one unless `mode` is "half_away_from_zero"."""
    if mode not in {None, "half_to_even", "half_away_from_zero"}:
        raise Exception(f"round mode {mode} is not implemented.")
    return _rounded[mode == "half_away_from_zero"](a)


_rounded = (as_theano(pt.round_half_to_even), as_theano(pt.round_half_away_from_zero))


@as_theano
def chi2sf(x: TensorLike, k: TensorLike) -> Variable:
    """Return the probability, in float64, that a sum of `k` squares of normal numbers is above `x`."""
    return pt.gammaincc(pt.cast(k, "float64") / 2, pt.cast(x, "float64") / 2)


@as_theano
def conj(z: TensorLike) -> Variable:
    """Return the complex conjugates; a copy of real numbers."""
    z = pt.as_tensor_variable(z)
    return pt.conj(z) if z.type.dtype.startswith("complex") else pt.tensor_copy(z)


@as_theano
def default(x: TensorLike, default: TensorLike) -> Variable:
    """Return `x`, or `default` if `x` is None."""
    return pt.as_tensor_variable(default if x is None else x)


@as_theano
def largest(*args: Any) -> Variable:
    """Return the largest of the arguments, element by element."""
    return _extreme(pt.maximum, pt.max, args)


@as_theano
def smallest(*args: Any) -> Variable:
    """Return the smallest of the arguments, element by element."""
    return _extreme(pt.minimum, pt.min, args)


def _extreme(of_two: Callable[..., Variable], of_all: Callable[..., Variable], args: tuple[Any, ...]) -> Variable:
    return of_two(*args) if len(args) == 2 else of_all(pt.stack(pt.broadcast_arrays(*args)), axis=0)


def div_proxy(a: TensorLike, b: TensorLike) -> Variable:
    """Divide by ``a / b`` of Python 2, which follows ``config.int_division``."""
    return divided(a, b)


def _all() -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, theirs in _SAME.items():
        found = _of_pytensor(name, theirs)
        if found is not None:
            made[name] = found
    for name, theirs in _LOGICAL.items():
        made[name] = _answers(name, getattr(pt, theirs))
    made["isnan_"], made["isinf_"] = made["isnan"], made["isinf"]
    for name, function in {"and_": pt.and_, "or_": pt.or_, "xor": pt.xor, "invert": pt.invert}.items():
        made[name] = _bits_or_answers(name, function)
    own: dict[str, Any] = {
        f"_convert_to_{dtype}": LegacyElemwise(op, f"_convert_to_{dtype}") for dtype, op in _cast_mapping.items()
    }
    own |= {
        "chi2sf": chi2sf,
        "conj": conj,
        "switch": switch,
        "where": where,
        "round": round,
        "default": default,
        "largest": largest,
        "smallest": smallest,
    }
    return made | own | {"div_proxy": div_proxy}


ELEMENTWISE = _all()
