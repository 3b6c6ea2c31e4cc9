"""Sigmoid functions, with their cheap stand-ins, and softplus."""

from __future__ import annotations

from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.scalar import get_scalar_type, upgrade_to_float

from symae.theano._impl.absent import getter
from symae.theano._impl.op_class import UnboundOp
from symae.theano._impl.variables import as_theano
from symae.typing import TensorLike

__all__ = ["hard_sigmoid", "sigmoid", "sigmoid_inplace", "softplus", "softsign", "ultra_fast_sigmoid"]


def as_floats(x: TensorLike) -> Variable:
    """Return `x` as a symbolic array of floats, whole numbers cast as by Theano for an elementwise function."""
    x = pt.as_tensor(x)
    (scalar,) = upgrade_to_float(get_scalar_type(x.type.dtype))
    return pt.cast(x, scalar.dtype)


@UnboundOp
@as_theano
def sigmoid(x: TensorLike) -> Variable:
    """Compute 1 / (1 + exp(-x)), elementwise; log(s) and log(1 - s) of it are compiled to what is exact for large `x`."""
    return pt.sigmoid(as_floats(x))


sigmoid_inplace = sigmoid


@UnboundOp
@as_theano
def softplus(x: TensorLike) -> Variable:
    """Compute log(1 + exp(x)), elementwise, finite for every finite `x`."""
    return pt.softplus(as_floats(x))


@as_theano
def softsign(x: TensorLike) -> Variable:
    """Compute x / (1 + abs(x)), elementwise."""
    x = as_floats(x)
    return x / (1.0 + abs(x))


@as_theano
def hard_sigmoid(x: TensorLike) -> Variable:
    """Compute 0.2 x + 0.5 clipped to [0, 1]: three straight lines near the sigmoid."""
    x = as_floats(x)
    slope, shift = (pt.constant(number, dtype=x.type.dtype) for number in (0.2, 0.5))
    return pt.clip(x * slope + shift, 0, 1)


@UnboundOp
@as_theano
def ultra_fast_sigmoid(x: TensorLike) -> Variable:
    """Approximate the sigmoid to 0.06 without an exponential, by a hyperbola, a line and a constant.

    .. math:: \\tfrac12 + \\tfrac12 \\operatorname{sgn}(x) f(|x| / 2), \\quad f(t) = \\frac{1.5 t}{1 + t} \\text{ for } t < 1.7

    The line goes on from 0.9354 with slope 0.0459 up to t = 3, and 0.99505 follows. Theano had no gradient of it; here it is
    that of the formula.
    """
    x = as_floats(x)
    number = {name: pt.constant(value, dtype=x.type.dtype) for name, value in _ULTRA_FAST.items()}
    t = pt.switch(x >= 0, x, -x) * number["half"]  # not abs(x), whose gradient at 0 is 0
    hyperbola = number["scale"] * t / (1 + t)
    line = number["start"] + number["slope"] * (t - number["first"])
    positive = pt.switch(t < number["first"], hyperbola, pt.switch(t < number["second"], line, number["end"]))
    return number["half"] + number["half"] * pt.switch(x >= 0, positive, -positive)


# The numbers are part of the function's definition: scripts of that time print what comes of them.
_ULTRA_FAST = {
    "half": 0.5,
    "scale": 1.5,
    "first": 1.7,
    "second": 3.0,
    "start": 0.935409070603099,
    "slope": 0.0458812946797165,
    "end": 0.99505475368673,
}

_INSTEAD = {
    "ScalarSigmoid": "it is not an op here, use the function T.nnet.sigmoid",
    "ScalarSoftplus": "it is not an op here, use the function T.nnet.softplus",
    "UltraFastScalarSigmoid": "it is not an op here, use the function T.nnet.ultra_fast_sigmoid",
    "scalar_sigmoid": "use the function T.nnet.sigmoid, of arrays",
    "scalar_softplus": "use the function T.nnet.softplus, of arrays",
}

_OF_PRODUCTS = {"compute_mul", "is_1pexp", "is_mul", "is_neg", "parse_mul_tree", "perform_sigm_times_exp", "simplify_mul"}
_absent = getter(__name__, instead=_INSTEAD)


def __getattr__(name: str) -> Any:
    if name in _OF_PRODUCTS:  # what Theano's rewrites of products of sigmoids were made of
        from pytensor.tensor.rewriting import math

        return as_theano(getattr(math, name), name)
    return _absent(name)
