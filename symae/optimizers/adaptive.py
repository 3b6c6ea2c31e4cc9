"""Optimizers with a rate for each weight, which follows from the gradients that it has seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable

from symae.optimizers.base import (
    Params,
    Rate,
    Updates,
    WeightDecay,
    cast,
    check_share,
    decays_of,
    descended,
    gradients_of,
    scheduled,
    zeros_like,
)
from symae.typing import TensorLike


def adagrad(
    cost: Variable,
    params: Params,
    learning_rate: Rate = 0.01,
    epsilon: float = 1e-10,
    *,
    clip_norm: TensorLike | None = None,
    weight_decay: WeightDecay | None = None,
) -> Updates:
    """Compute updates with a rate for each weight that falls with the squares of all its gradients.

    .. math:: s \\leftarrow s + g^2, \\qquad p \\leftarrow p - \\eta g / (\\sqrt{s} + \\epsilon)

    s is ``<parameter>_squares``. Source: Duchi, Hazan and Singer (2011).
    """
    rate, updates = scheduled(learning_rate)
    for p, g in gradients_of(cost, params, clip_norm, weight_decay):
        squares = zeros_like(p, "squares")
        s = squares + pt.sqr(g)
        updates += [(squares, s), descended(p, cast(p, rate) * g / (pt.sqrt(s) + cast(p, epsilon)))]
    return updates


def rmsprop(
    cost: Variable,
    params: Params,
    learning_rate: Rate = 0.001,
    rho: TensorLike = 0.9,
    epsilon: float = 1e-8,
    *,
    clip_norm: TensorLike | None = None,
    weight_decay: WeightDecay | None = None,
) -> Updates:
    """Compute updates with a rate for each weight that is set by a moving mean of its squared gradients.

    .. math:: s \\leftarrow \\rho s + (1 - \\rho) g^2, \\qquad p \\leftarrow p - \\eta g / (\\sqrt{s} + \\epsilon)

    s is ``<parameter>_squares``. Source: Tieleman and Hinton (2012), lecture 6.5.
    """
    check_share("rho", rho)
    rate, updates = scheduled(learning_rate)
    for p, g in gradients_of(cost, params, clip_norm, weight_decay):
        squares, r = zeros_like(p, "squares"), cast(p, rho)
        s = r * squares + (1 - r) * pt.sqr(g)
        updates += [(squares, s), descended(p, cast(p, rate) * g / (pt.sqrt(s) + cast(p, epsilon)))]
    return updates


def adadelta(
    cost: Variable,
    params: Params,
    learning_rate: Rate = 1.0,
    rho: TensorLike = 0.95,
    epsilon: float = 1e-7,
    *,
    clip_norm: TensorLike | None = None,
    weight_decay: WeightDecay | None = None,
) -> Updates:
    """Compute updates in the units of the weights: by the mean square of past steps over that of the gradients.

    .. math::

        s \\leftarrow \\rho s + (1 - \\rho) g^2, \\quad d = g \\sqrt{t + \\epsilon} / \\sqrt{s + \\epsilon}, \\quad
        t \\leftarrow \\rho t + (1 - \\rho) d^2, \\quad p \\leftarrow p - \\eta d

    s and t are ``<parameter>_squares`` and ``<parameter>_steps``; the defaults are Keras's with its classic rate of 1.
    Source: Zeiler (2012).
    """
    check_share("rho", rho)
    rate, updates = scheduled(learning_rate)
    for p, g in gradients_of(cost, params, clip_norm, weight_decay):
        squares, steps, r, e = zeros_like(p, "squares"), zeros_like(p, "steps"), cast(p, rho), cast(p, epsilon)
        s = r * squares + (1 - r) * pt.sqr(g)
        d = g * pt.sqrt(steps + e) / pt.sqrt(s + e)
        updates += [(squares, s), (steps, r * steps + (1 - r) * pt.sqr(d)), descended(p, cast(p, rate) * d)]
    return updates


def adam(
    cost: Variable,
    params: Params,
    learning_rate: Rate = 0.001,
    beta1: TensorLike = 0.9,
    beta2: TensorLike = 0.999,
    epsilon: float = 1e-8,
    *,
    clip_norm: TensorLike | None = None,
    weight_decay: WeightDecay | None = None,
) -> Updates:
    """Compute updates from moving means of the gradients and of their squares, both corrected for having begun at zero.

    .. math::

        v \\leftarrow \\beta_1 v + (1 - \\beta_1) g, \\quad s \\leftarrow \\beta_2 s + (1 - \\beta_2) g^2, \\quad
        p \\leftarrow p - \\eta \\frac{v / (1 - \\beta_1^t)}{\\sqrt{s / (1 - \\beta_2^t)} + \\epsilon}

    at step t, which is counted in ``adam_step``; v and s are ``<parameter>_velocity`` and ``<parameter>_squares``.
    Source: Kingma and Ba (2015).
    """
    rate, counting = scheduled(learning_rate)
    gradients = gradients_of(cost, params, clip_norm, weight_decay)
    return _adam(gradients, rate, beta1, beta2, epsilon, {}) + counting


def adamw(
    cost: Variable,
    params: Params,
    learning_rate: Rate = 0.001,
    beta1: TensorLike = 0.9,
    beta2: TensorLike = 0.999,
    epsilon: float = 1e-8,
    weight_decay: WeightDecay = 0.01,
    *,
    clip_norm: TensorLike | None = None,
) -> Updates:
    """Compute the updates of `adam`, and let the weights decay by themselves rather than through their gradients.

    .. math:: p \\leftarrow p - \\eta \\left(\\frac{v / (1 - \\beta_1^t)}{\\sqrt{s / (1 - \\beta_2^t)} + \\epsilon}
        + \\lambda p\\right)

    with v, s and t as in `adam`. Source: Loshchilov and Hutter (2019), as PyTorch has it.

    Parameters
    ----------
    weight_decay : float or symbolic scalar, or a mapping from parameters to such
        λ, for each weight alike, however large its gradients are. A mapping says which parameters decay:
        ``{p: 0.01 for p in params if p.ndim > 1}`` leaves out biases. The default is PyTorch's.
    """
    rate, counting = scheduled(learning_rate)
    gradients = gradients_of(cost, params, clip_norm, None)
    return _adam(gradients, rate, beta1, beta2, epsilon, decays_of(params, weight_decay)) + counting


def _adam(
    gradients: Iterable[tuple[SharedVariable, Variable]],
    rate: TensorLike,
    beta1: TensorLike,
    beta2: TensorLike,
    epsilon: float,
    decays: dict[SharedVariable, Any],
) -> Updates:
    check_share("beta1", beta1)
    check_share("beta2", beta2)
    updates: Updates = []
    step = pytensor.shared(np.asarray(0, "int64"), name="adam_step")
    t = step + 1
    for p, g in gradients:
        velocity, squares, b1, b2 = zeros_like(p, "velocity"), zeros_like(p, "squares"), cast(p, beta1), cast(p, beta2)
        v, s = b1 * velocity + (1 - b1) * g, b2 * squares + (1 - b2) * pt.sqr(g)
        # 1 - beta^t, which loses three digits of float32 if 0.999^t is computed first
        first, second = (-pt.expm1(cast(p, t) * cast(p, _log(beta))) for beta in (beta1, beta2))
        change = cast(p, rate) * (v / first) / (pt.sqrt(s / second) + cast(p, epsilon))
        if p in decays:
            change += cast(p, rate) * cast(p, decays[p]) * p
        updates += [(velocity, v), (squares, s), descended(p, change)]
    return [*updates, (step, t)]


def _log(number: Any) -> Any:
    if isinstance(number, int | float):
        return np.log(number) if number else -np.inf  # NumPy would warn
    return pt.log(number)
