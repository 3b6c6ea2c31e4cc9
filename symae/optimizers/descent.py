"""Gradient descent, and with momentum."""

from __future__ import annotations

from pytensor.graph.basic import Variable

from symae.optimizers.base import (
    Params,
    Rate,
    Updates,
    WeightDecay,
    cast,
    check_share,
    descended,
    gradients_of,
    scheduled,
    zeros_like,
)
from symae.typing import TensorLike


def sgd(
    cost: Variable,
    params: Params,
    learning_rate: Rate,
    *,
    clip_norm: TensorLike | None = None,
    weight_decay: WeightDecay | None = None,
) -> Updates:
    """Compute the updates of gradient descent.

    .. math:: p \\leftarrow p - \\eta g

    Parameters
    ----------
    cost : symbolic scalar
    params : list of shared variables
    learning_rate : float, symbolic scalar or schedule
        As in `scheduled`; the same for all optimizers.
    clip_norm : float or symbolic scalar, optional
        As in `clipped`; the same for all optimizers.
    weight_decay : float or symbolic scalar, or a mapping from parameters to such, optional
        λ: the gradient g above is that of the cost, clipped, plus λ p, as if the cost had a term ½ λ p². A mapping says which
        parameters decay, those that are not in it do not: ``{W: 1e-4}``. The same for all optimizers but `adamw`.

    Returns
    -------
    list of (variable, new value)
        For each parameter; the others give one for each variable of their state too, and a schedule one for its count of steps.
    """
    rate, counting = scheduled(learning_rate)
    gradients = gradients_of(cost, params, clip_norm, weight_decay, state=False)
    return [descended(p, cast(p, rate) * g) for p, g in gradients] + counting


def momentum(
    cost: Variable,
    params: Params,
    learning_rate: Rate,
    momentum: TensorLike = 0.9,
    *,
    nesterov: bool = False,
    unit_gain: bool = False,
    clip_norm: TensorLike | None = None,
    weight_decay: WeightDecay | None = None,
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
    check_share("momentum", momentum)
    rate, updates = scheduled(learning_rate)
    for p, g in gradients_of(cost, params, clip_norm, weight_decay):
        m = cast(p, momentum)
        weighed = (1 - m) * g if unit_gain else g
        velocity = zeros_like(p, "velocity")
        v = m * velocity + weighed
        updates += [(velocity, v), descended(p, cast(p, rate) * (weighed + m * v if nesterov else v))]
    return updates
