"""Schedules: learning rates that change with the step t, counted from zero.

A schedule is called with t and returns the rate. Optimizers take it in the place of a number; then it is part of the compiled
step, whose count of steps is among what a checkpoint keeps. Called with numbers, it says what it will do:
``CosineDecay(0.1, 500)(np.arange(500))``.

An epoch of n images in minibatches of b has n // b steps, or one more where the last ones are trained on as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from symae._runtime.checks import integer
from symae.errors import InputError
from symae.optimizers.base import Schedule, Updates, rate_at, refuse_class
from symae.typing import TensorLike


@dataclass(frozen=True)
class StepDecay(Schedule):
    """Multiply the rate by a factor every so many steps.

    .. math:: \\eta_t = \\eta f^{\\lfloor t / n \\rfloor}

    Parameters
    ----------
    rate : float > 0
        η, the first rate.
    every : int >= 1
        n, in steps.
    factor : float in (0, 1]
        f.

    Examples
    --------
    >>> StepDecay(0.5, every=2, factor=0.1)(np.arange(4)).round(3).tolist()
    [0.5, 0.5, 0.05, 0.05]
    """

    rate: float
    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        _number("rate", self.rate, "a positive number", lambda x: x > 0)
        integer("every", self.every)
        _number("factor", self.factor, "a number from 0 to 1, above 0", lambda x: 0 < x <= 1)

    def __call__(self, step: Any) -> Any:
        t, _ = _count(step)
        # of integers, because PyTensor makes t * (1 / every) of a quotient of floats, and 49 * (1 / 49) is less than 1
        falls = (pt.cast(t, "int64") if isinstance(t, Variable) else t) // self.every
        return self.rate * self.factor ** _real(falls)


@dataclass(frozen=True)
class CosineDecay(Schedule):
    """Let the rate fall along half a wave, slowly in the beginning and in the end.

    .. math:: \\eta_t = \\eta_\\infty + \\tfrac12 (\\eta - \\eta_\\infty) (1 + \\cos(\\pi \\min(t, n) / n))

    Source: Loshchilov and Hutter (2017), without their restarts.

    Parameters
    ----------
    rate : float > 0
        η, the first rate.
    steps : int >= 1
        n: after so many the rate stays at `final`.
    final : float >= 0

    Examples
    --------
    >>> CosineDecay(1.0, steps=4)(np.arange(6)).round(3).tolist()
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """

    rate: float
    steps: int
    final: float = 0.0

    def __post_init__(self) -> None:
        _number("rate", self.rate, "a positive number", lambda x: x > 0)
        integer("steps", self.steps)
        _number("final", self.final, "a number of at least 0", lambda x: x >= 0)

    def __call__(self, step: Any) -> Any:
        t, xp = _count(step)
        angle = _real(xp.minimum(t, self.steps)) * (math.pi / self.steps)
        return self.final + 0.5 * (self.rate - self.final) * (1 + xp.cos(angle))


@dataclass(frozen=True)
class InverseTimeDecay(Schedule):
    """Let the rate fall as one over the time.

    .. math:: \\eta_t = \\eta / (1 + t / h)

    Source: Robbins and Monro (1951); Keras has it under the same name.

    Parameters
    ----------
    rate : float > 0
        η, the first rate.
    half_after : float > 0
        h: after so many steps the rate is half of that.

    Examples
    --------
    >>> InverseTimeDecay(1.0, half_after=2)(np.arange(5)).round(3).tolist()
    [1.0, 0.667, 0.5, 0.4, 0.333]
    """

    rate: float
    half_after: float

    def __post_init__(self) -> None:
        _number("rate", self.rate, "a positive number", lambda x: x > 0)
        _number("half_after", self.half_after, "a positive number of steps", lambda x: x > 0)

    def __call__(self, step: Any) -> Any:
        t, _ = _count(step)
        return self.rate / (1 + _real(t) / self.half_after)


@dataclass(frozen=True)
class WarmUp(Schedule):
    """Let the rate rise in a straight line, and then be what another schedule says, from its own beginning on.

    .. math:: \\eta_t = \\eta'_0 (s + (1 - s) t / n) \\quad (t < n), \\qquad \\eta_t = \\eta'_{t - n} \\quad (t \\geq n)

    Source: Goyal et al. (2017).

    Parameters
    ----------
    then : float > 0, or a schedule
        η': the rate after the rise; a number is a constant rate.
    steps : int >= 1
        n, how long it rises.
    start : float in [0, 1]
        s: the share of the rate with which the first step is made.

    Examples
    --------
    >>> WarmUp(1.0, steps=4, start=0.2)(np.arange(6)).round(3).tolist()
    [0.2, 0.4, 0.6, 0.8, 1.0, 1.0]
    >>> WarmUp(CosineDecay(1.0, steps=2), steps=2, start=0.0)(np.arange(5)).round(3).tolist()
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    then: float | Callable[[Any], Any]
    steps: int
    start: float = 0.1

    def __post_init__(self) -> None:
        refuse_class("then", self.then)
        if not callable(self.then):
            _number("then", self.then, "a positive number, or a schedule", lambda x: x > 0)
        integer("steps", self.steps)
        _number("start", self.start, "a number from 0 to 1", lambda x: 0 <= x <= 1)

    def __call__(self, step: Any) -> Any:
        t, xp = _count(step)
        rise = self.start + (1 - self.start) * _real(t) / self.steps
        if not callable(self.then):
            return self.then * xp.minimum(rise, 1)
        full = rate_at(self.then, xp.zeros_like(t))
        return xp.where(t < self.steps, full * rise, rate_at(self.then, xp.maximum(t - self.steps, 0)))


def inverse_time_decay(learning_rate: TensorLike, half_after: float) -> tuple[Variable, Updates]:
    """Make a rate that falls as `InverseTimeDecay` says, with its count of steps: for rates that are symbolic.

    The steps are counted in ``decay_step``.

    Parameters
    ----------
    learning_rate : float or symbolic scalar
        The first rate.
    half_after : float
        The steps after which the rate is half of that.

    Returns
    -------
    rate : symbolic scalar
    updates : list of (variable, new value)
        They go with the optimizer's into the compiled step, which counts by them.

    Examples
    --------
    >>> import numpy as np, pytensor
    >>> from symae.optimizers import sgd
    >>> W = pytensor.shared(np.ones(3), name="W")
    >>> rate, counting = inverse_time_decay(0.1, half_after=1000)
    >>> [variable.name for variable, _ in sgd((W**2).sum(), [W], rate) + counting]
    ['W', 'decay_step']
    """
    _number("half_after", half_after, "a positive number of steps", lambda x: x > 0)
    step = pytensor.shared(np.asarray(0, "int64"), name="decay_step")
    floatX = pytensor.config.floatX
    return pt.cast(learning_rate, floatX) / (1 + pt.cast(step, floatX) / np.asarray(half_after, floatX)), [(step, step + 1)]


def _number(where: str, value: Any, expected: str, holds: Callable[[Any], bool]) -> None:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)
    if not number or not math.isfinite(value) or not holds(value):
        raise InputError(where, repr(value), expected)


def _count(step: Any) -> tuple[Any, Any]:
    """Return the step, a symbolic one as it is, and the module whose functions compute with it."""
    return (step, pt) if isinstance(step, Variable) else (np.asarray(step, float), np)


def _real(count: Any) -> Any:
    """Return a symbolic count in floatX; counts are compared and subtracted before, since float32 rounds those above 2**24."""
    if isinstance(count, Variable) and not count.type.dtype.startswith("float"):
        return pt.cast(count, pytensor.config.floatX)
    return count
