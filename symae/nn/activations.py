"""Activations: elementwise functions that a layer ends with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor.variable import TensorVariable

from symae.errors import InputError
from symae.typing import TensorLike

Activation = Callable[[Variable], Variable]


def linear(x: Variable) -> TensorVariable:
    """Return x as it is."""
    return x


def relu(x: Variable) -> TensorVariable:
    """Compute max(x, 0), elementwise, and NaN of NaN. Its gradient at 0 is 0."""
    return pt.switch(x <= 0, pt.zeros_like(x), x)


def leaky_relu(x: Variable, slope: TensorLike = 0.01) -> TensorVariable:
    """Return x where it is positive, `slope` times x elsewhere. Source: Maas, Hannun and Ng (2013)."""
    return pt.switch(x <= 0, _as(x, slope) * x, x)


def elu(x: Variable, alpha: TensorLike = 1.0) -> TensorVariable:
    """Return x where it is positive, alpha (exp(x) - 1) elsewhere. Source: Clevert, Unterthiner and Hochreiter (2016)."""
    negative = x <= 0
    # expm1 of what is not asked for must not overflow: its infinite gradient times 0 would be NaN
    return pt.switch(negative, _as(x, alpha) * pt.expm1(pt.switch(negative, x, pt.zeros_like(x))), x)


def sigmoid(x: Variable) -> TensorVariable:
    """Compute 1 / (1 + exp(-x))."""
    return pt.sigmoid(x)


def tanh(x: Variable) -> TensorVariable:
    """Compute (exp(x) - exp(-x)) / (exp(x) + exp(-x))."""
    return pt.tanh(x)


def softplus(x: Variable) -> TensorVariable:
    """Compute log(1 + exp(x)), finite for every finite x."""
    return pt.softplus(x)


def softmax(x: Variable) -> TensorVariable:
    """Compute exp(x) divided by its sum over the last axis."""
    return pt.special.softmax(x, axis=-1)


ACTIVATIONS: dict[str, Activation] = {f.__name__: f for f in (linear, relu, leaky_relu, elu, sigmoid, tanh, softplus, softmax)}


def activation(chosen: str | Activation | None) -> Activation:
    """Return the activation of the name `chosen`; a function is taken as it is, and None is `linear`.

    Raises
    ------
    InputError
        There is none of that name; the message lists those there are.
    """
    if chosen is None:
        return linear
    if callable(chosen):
        return chosen
    if chosen not in ACTIVATIONS:
        raise InputError("activation", repr(chosen), f"a function, or one of {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[chosen]


def _as(x: Variable, number: Any) -> TensorVariable:
    """Cast `number` to the dtype of `x`, which a Python float would widen to float64."""
    return pt.cast(pt.as_tensor(number), x.type.dtype)
