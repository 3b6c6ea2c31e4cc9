"""Optimizers: from a cost and its parameters to updates, which a compiled function applies at each call.

What an optimizer remembers between steps is in shared variables named after their parameter. Below, g is the gradient of the
cost with respect to the parameter p and η the learning rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable

from symae.errors import InputError
from symae.typing import TensorLike

__all__ = ["Updates", "adadelta", "adagrad", "adam", "clipped", "inverse_time_decay", "momentum", "rmsprop", "sgd"]

Updates = list[tuple[SharedVariable, Variable]]
Params = Sequence[SharedVariable]


def sgd(cost: Variable, params: Params, learning_rate: TensorLike, *, clip_norm: TensorLike | None = None) -> Updates:
    """Compute the updates of gradient descent.

    .. math:: p \\leftarrow p - \\eta g

    Parameters
    ----------
    cost : symbolic scalar
    params : list of shared variables
    learning_rate : float or symbolic scalar
    clip_norm : float or symbolic scalar, optional
        As in `clipped`; the same for all optimizers.

    Returns
    -------
    list of (variable, new value)
        For each parameter; the others give one for each variable of their state too.
    """
    return [_descended(p, _as(p, learning_rate) * g) for p, g in _gradients(cost, params, clip_norm, state=False)]


def momentum(
    cost: Variable,
    params: Params,
    learning_rate: TensorLike,
    momentum: TensorLike = 0.9,
    *,
    nesterov: bool = False,
    unit_gain: bool = False,
    clip_norm: TensorLike | None = None,
) -> Updates:
    """Compute the updates of gradient descent with momentum.

    .. math:: v \\leftarrow m v + w g, \\qquad p \\leftarrow p - \\eta v

    w is 1, or 1 - m with unit gain; v, ``<parameter>_velocity``, is zero at the beginning.

    Parameters
    ----------
    momentum : float or symbolic scalar in [0, 1), the m above
        CNTK states it as a time constant of T samples: ``exp(-n / T)`` for minibatches of n.
    nesterov : bool
        Look ahead: the step is η (w g + m v), with the new v. Source: Sutskever et al. (2013), as PyTorch and Keras have it.
    unit_gain : bool
        Weigh the gradient with 1 - m, so that a constant gradient makes v equal to it: CNTK's default.
    """
    _check_share("momentum", momentum)
    updates: Updates = []
    for p, g in _gradients(cost, params, clip_norm):
        m = _as(p, momentum)
        weighed = (1 - m) * g if unit_gain else g
        velocity = _state(p, "velocity")
        v = m * velocity + weighed
        updates += [(velocity, v), _descended(p, _as(p, learning_rate) * (weighed + m * v if nesterov else v))]
    return updates


def adagrad(
    cost: Variable,
    params: Params,
    learning_rate: TensorLike = 0.01,
    epsilon: float = 1e-10,
    *,
    clip_norm: TensorLike | None = None,
) -> Updates:
    """Compute updates with a rate for each weight that falls with the squares of all its gradients.

    .. math:: s \\leftarrow s + g^2, \\qquad p \\leftarrow p - \\eta g / (\\sqrt{s} + \\epsilon)

    s is ``<parameter>_squares``. Source: Duchi, Hazan and Singer (2011).
    """
    updates: Updates = []
    for p, g in _gradients(cost, params, clip_norm):
        squares = _state(p, "squares")
        s = squares + pt.sqr(g)
        updates += [(squares, s), _descended(p, _as(p, learning_rate) * g / (pt.sqrt(s) + _as(p, epsilon)))]
    return updates


def rmsprop(
    cost: Variable,
    params: Params,
    learning_rate: TensorLike = 0.001,
    rho: TensorLike = 0.9,
    epsilon: float = 1e-8,
    *,
    clip_norm: TensorLike | None = None,
) -> Updates:
    """Compute updates with a rate for each weight that is set by a moving mean of its squared gradients.

    .. math:: s \\leftarrow \\rho s + (1 - \\rho) g^2, \\qquad p \\leftarrow p - \\eta g / (\\sqrt{s} + \\epsilon)

    s is ``<parameter>_squares``. Source: Tieleman and Hinton (2012), lecture 6.5.
    """
    _check_share("rho", rho)
    updates: Updates = []
    for p, g in _gradients(cost, params, clip_norm):
        squares, r = _state(p, "squares"), _as(p, rho)
        s = r * squares + (1 - r) * pt.sqr(g)
        updates += [(squares, s), _descended(p, _as(p, learning_rate) * g / (pt.sqrt(s) + _as(p, epsilon)))]
    return updates


def adadelta(
    cost: Variable,
    params: Params,
    learning_rate: TensorLike = 1.0,
    rho: TensorLike = 0.95,
    epsilon: float = 1e-7,
    *,
    clip_norm: TensorLike | None = None,
) -> Updates:
    """Compute updates in the units of the weights: by the mean square of past steps over that of the gradients.

    .. math::

        s \\leftarrow \\rho s + (1 - \\rho) g^2, \\quad d = g \\sqrt{t + \\epsilon} / \\sqrt{s + \\epsilon}, \\quad
        t \\leftarrow \\rho t + (1 - \\rho) d^2, \\quad p \\leftarrow p - \\eta d

    s and t are ``<parameter>_squares`` and ``<parameter>_steps``; the defaults are Keras's with its classic rate of 1.
    Source: Zeiler (2012).
    """
    _check_share("rho", rho)
    updates: Updates = []
    for p, g in _gradients(cost, params, clip_norm):
        squares, steps, r, e = _state(p, "squares"), _state(p, "steps"), _as(p, rho), _as(p, epsilon)
        s = r * squares + (1 - r) * pt.sqr(g)
        d = g * pt.sqrt(steps + e) / pt.sqrt(s + e)
        updates += [(squares, s), (steps, r * steps + (1 - r) * pt.sqr(d)), _descended(p, _as(p, learning_rate) * d)]
    return updates


def adam(
    cost: Variable,
    params: Params,
    learning_rate: TensorLike = 0.001,
    beta1: TensorLike = 0.9,
    beta2: TensorLike = 0.999,
    epsilon: float = 1e-8,
    *,
    clip_norm: TensorLike | None = None,
) -> Updates:
    """Compute updates from moving means of the gradients and of their squares, both corrected for having begun at zero.

    .. math::

        v \\leftarrow \\beta_1 v + (1 - \\beta_1) g, \\quad s \\leftarrow \\beta_2 s + (1 - \\beta_2) g^2, \\quad
        p \\leftarrow p - \\eta \\frac{v / (1 - \\beta_1^t)}{\\sqrt{s / (1 - \\beta_2^t)} + \\epsilon}

    at step t, which is counted in ``adam_step``; v and s are ``<parameter>_velocity`` and ``<parameter>_squares``.
    Source: Kingma and Ba (2015).
    """
    _check_share("beta1", beta1)
    _check_share("beta2", beta2)
    updates: Updates = []
    step = pytensor.shared(np.asarray(0, "int64"), name="adam_step")
    t = step + 1
    for p, g in _gradients(cost, params, clip_norm):
        velocity, squares, b1, b2 = _state(p, "velocity"), _state(p, "squares"), _as(p, beta1), _as(p, beta2)
        v, s = b1 * velocity + (1 - b1) * g, b2 * squares + (1 - b2) * pt.sqr(g)
        # 1 - beta^t, which loses three digits of float32 if 0.999^t is computed first
        first, second = (-pt.expm1(_as(p, t) * _as(p, _log(beta))) for beta in (beta1, beta2))
        change = _as(p, learning_rate) * (v / first) / (pt.sqrt(s / second) + _as(p, epsilon))
        updates += [(velocity, v), (squares, s), _descended(p, change)]
    return [*updates, (step, t)]


def inverse_time_decay(learning_rate: TensorLike, half_after: float) -> tuple[Variable, Updates]:
    """Make a learning rate for any optimizer that falls with the step t, counted from zero,

    .. math:: \\eta_t = \\eta / (1 + t / h)

    The steps are counted in ``decay_step``. Source: Robbins and Monro (1951); Keras has it as ``InverseTimeDecay``.

    Parameters
    ----------
    learning_rate : float or symbolic scalar
        The first rate, η.
    half_after : float
        The steps after which the rate is half of that, h.

    Returns
    -------
    rate : symbolic scalar
    updates : list of (variable, new value)
        They go with the optimizer's into the compiled step, which counts by them.

    Examples
    --------
    >>> import numpy as np, pytensor
    >>> W = pytensor.shared(np.ones(3), name="W")
    >>> rate, counting = inverse_time_decay(0.1, half_after=1000)
    >>> [variable.name for variable, _ in sgd((W**2).sum(), [W], rate) + counting]
    ['W', 'decay_step']
    """
    if not isinstance(half_after, int | float | np.number) or isinstance(half_after, bool) or not 0 < half_after < np.inf:
        raise InputError("half_after", repr(half_after), "a positive number of steps")
    step = pytensor.shared(np.asarray(0, "int64"), name="decay_step")
    floatX = pytensor.config.floatX
    return pt.cast(learning_rate, floatX) / (1 + pt.cast(step, floatX) / np.asarray(half_after, floatX)), [(step, step + 1)]


def clipped(gradients: Sequence[Variable], norm: TensorLike) -> list[Variable]:
    """Scale the gradients down together, so that the root of the sum of all their squares is at most `norm`.

    Source: Pascanu, Mikolov and Bengio (2013).
    """
    total = pt.sqrt(sum(pt.sum(pt.sqr(g)) for g in gradients))
    scale = pt.minimum(1, norm / pt.maximum(total, np.finfo("float32").tiny))
    return [g * pt.cast(scale, g.dtype) for g in gradients]


def _gradients(cost: Variable, params: Params, clip_norm: Any, *, state: bool = True) -> list[tuple[SharedVariable, Variable]]:
    """Return each parameter with its gradient; where optimizers keep `state` named after parameters, all need unique names."""
    names = [p.name for p in params]
    for p in params:
        if not p.type.dtype.startswith("float"):
            raise TypeError(f"params: found {p.name} of dtype {p.type.dtype}, expected floats")
    if isinstance(clip_norm, int | float) and not clip_norm > 0:
        raise InputError("clip_norm", str(clip_norm), "a positive number")
    if state and (None in names or len(set(names)) < len(names)):
        expected = "a name for each: its state is named after it"
        raise InputError("params", f"parameters named {', '.join(map(str, names))}", expected)
    gradients = pt.grad(cost, list(params))
    if clip_norm is not None:
        gradients = clipped(gradients, clip_norm)
    return list(zip(params, gradients, strict=True))


def _check_share(name: str, value: Any) -> None:
    if isinstance(value, int | float) and not 0 <= value < 1:
        raise InputError(name, str(value), "a number from 0 to 1, below 1")


def _log(number: Any) -> Any:
    return np.log(number) if isinstance(number, int | float) else pt.log(number)


def _state(parameter: SharedVariable, kind: str) -> SharedVariable:
    """Make a shared variable of zeros, shaped like `parameter` and named after it."""
    value = np.zeros_like(parameter.get_value(borrow=True))
    return pytensor.shared(value, name=f"{parameter.name}_{kind}", shape=parameter.type.shape)


def _descended(parameter: SharedVariable, change: Variable) -> tuple[SharedVariable, Variable]:
    return parameter, _as(parameter, parameter - change)


def _as(parameter: SharedVariable, value: Any) -> Variable:
    """Cast `value` to the parameter's dtype: a float64 rate would turn float32 parameters into float64."""
    return pt.cast(pt.as_tensor(value), parameter.type.dtype)
