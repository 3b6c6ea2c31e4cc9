"""What all optimizers share: gradients, clipped and with weight decay, the rate of a step, and state named after parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable

from symae.errors import InputError
from symae.typing import TensorLike

Updates = list[tuple[SharedVariable, Variable]]
Params = Sequence[SharedVariable]
# a schedule is called with the number of the step, from zero, a symbolic scalar
Rate: TypeAlias = TensorLike | Callable[[Variable], Variable]
# one for all parameters, or one for each parameter that decays
WeightDecay: TypeAlias = TensorLike | Mapping[SharedVariable, TensorLike]


class Schedule:
    """Return the learning rate of a step when called with it: a symbolic scalar for one, numbers for numbers.

    Those of one's own may be plain functions. What is derived from this class gets the step as an exact count, of int64; what
    it returns is cast to floatX.
    """

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError


def rate_at(schedule: Callable[[Any], Any], step: Any) -> Any:
    """Return what `schedule` says of `step`; plain functions get a symbolic count in floatX, and compute in no other type."""
    counts = isinstance(step, Variable) and not step.type.dtype.startswith("float") and not isinstance(schedule, Schedule)
    return schedule(pt.cast(step, pytensor.config.floatX) if counts else step)


def refuse_class(where: str, learning_rate: Any) -> None:
    """Refuse the class of a schedule in the place of a schedule: an InputError."""
    if isinstance(learning_rate, type):
        name = learning_rate.__name__
        raise InputError(where, f"the class {name}", f"a schedule that it makes, {name}(...)")


def scheduled(learning_rate: Rate) -> tuple[TensorLike, Updates]:
    """Return the rate of the step at hand, and what counts the steps: nothing, unless `learning_rate` is a schedule.

    All optimizers do this with their rate. It is for updates of one's own.

    Parameters
    ----------
    learning_rate : float, symbolic scalar or function
        A function gets the number of the step, counted from zero, as a symbolic scalar of floatX, and returns its rate. Those
        of `symae.optimizers.schedules` are such functions; as what is derived from `Schedule`, they get it as int64, since
        float32 has no odd numbers above 2**24.

    Returns
    -------
    rate : float or symbolic scalar of floatX
    updates : list of (variable, new value)
        ``schedule_step`` is the number of steps done.

    Raises
    ------
    InputError
        The function returns something that is not a scalar, or is a class.

    Examples
    --------
    >>> import pytensor
    >>> p = pytensor.shared(1.0, name="p")
    >>> rate, counting = scheduled(lambda step: 0.1 / (1 + step))
    >>> updates = [(p, p - rate), *counting]
    >>> [variable.name for variable, _ in updates]
    ['p', 'schedule_step']
    """
    refuse_class("learning_rate", learning_rate)
    if isinstance(learning_rate, Variable) or not callable(learning_rate):
        return learning_rate, []
    floatX = pytensor.config.floatX
    step = pytensor.shared(np.asarray(0, "int64"), name="schedule_step")
    rate = rate_at(learning_rate, step)
    found = type(rate).__name__
    try:
        rate = pt.as_tensor(rate)
    except (TypeError, ValueError, NotImplementedError, AttributeError):
        rate = None
    if rate is None or rate.type.ndim:
        what = f"a {found}" if rate is None else f"one of {rate.type.ndim} dimensions"
        raise InputError("learning_rate", f"a function that returns {what}", "one that returns a scalar, the rate of its step")
    return pt.cast(rate, floatX), [(step, step + 1)]


def clipped(gradients: Sequence[Variable], norm: TensorLike) -> list[Variable]:
    """Scale the gradients down together, so that the root of the sum of all their squares is at most `norm`.

    Source: Pascanu, Mikolov and Bengio (2013).
    """
    total = pt.sqrt(sum(pt.sum(pt.sqr(g)) for g in gradients))
    scale = pt.minimum(1, norm / pt.maximum(total, np.finfo("float32").tiny))
    return [g * pt.cast(scale, g.dtype) for g in gradients]


def gradients_of(
    cost: Variable, params: Params, clip_norm: Any, weight_decay: WeightDecay | None, *, state: bool = True
) -> list[tuple[SharedVariable, Variable]]:
    """Return each parameter with its gradient, clipped and then with the decay of the parameter added.

    Where optimizers keep `state` named after parameters, all need unique names.
    """
    names = [p.name for p in params]
    for p in params:
        if not p.type.dtype.startswith("float"):
            raise TypeError(f"params: found {p.name} of dtype {p.type.dtype}, expected floats")
    if isinstance(clip_norm, int | float) and not clip_norm > 0:
        raise InputError("clip_norm", str(clip_norm), "a positive number")
    if state and (None in names or len(set(names)) < len(names)):
        expected = "a name for each: its state is named after it"
        raise InputError("params", f"parameters named {', '.join(map(str, names))}", expected)
    decays = decays_of(params, weight_decay)
    gradients = pt.grad(cost, list(params))
    if clip_norm is not None:
        gradients = clipped(gradients, clip_norm)
    return [(p, g + cast(p, decays[p]) * p if p in decays else g) for p, g in zip(params, gradients, strict=True)]


def decays_of(params: Params, weight_decay: WeightDecay | None) -> dict[SharedVariable, Any]:
    """Return the decay of each parameter that has one."""
    if weight_decay is None:
        return {}
    decays = weight_decay if isinstance(weight_decay, Mapping) else dict.fromkeys(params, weight_decay)
    for p, decay in decays.items():
        if not any(p is mine for mine in params):
            raise InputError("weight_decay", f"a decay for {p}", f"those of {', '.join(str(mine) for mine in params)}")
        number = isinstance(decay, int | float | np.number) and not isinstance(decay, bool)
        if not isinstance(decay, Variable) and not (number and 0 <= decay < np.inf):
            raise InputError(
                "weight_decay", repr(decay), "a number of at least 0, or a mapping from parameters to such numbers"
            )
    return {p: decay for p, decay in decays.items() if isinstance(decay, Variable) or decay}


def check_share(name: str, value: Any) -> None:
    """Refuse a number that is not in [0, 1)."""
    if isinstance(value, int | float) and not 0 <= value < 1:
        raise InputError(name, str(value), "a number from 0 to 1, below 1")


def zeros_like(parameter: SharedVariable, kind: str) -> SharedVariable:
    """Make a shared variable of zeros, shaped like `parameter` and named after it."""
    value = np.zeros_like(parameter.get_value(borrow=True))
    return pytensor.shared(value, name=f"{parameter.name}_{kind}", shape=parameter.type.shape)


def descended(parameter: SharedVariable, change: Variable) -> tuple[SharedVariable, Variable]:
    """Return the update that takes `change` from the parameter."""
    return parameter, cast(parameter, parameter - change)


def cast(parameter: SharedVariable, value: Any) -> Variable:
    """Cast `value` to the parameter's dtype: a float64 rate would turn float32 parameters into float64."""
    return pt.cast(pt.as_tensor(value), parameter.type.dtype)
