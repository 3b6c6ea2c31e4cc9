"""Optimizers: from a cost and its parameters to updates, which a compiled function applies at each call.

What an optimizer remembers between steps is in shared variables named after their parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable

__all__ = ["Updates", "momentum", "sgd"]

Updates = list[tuple[SharedVariable, Variable]]


def sgd(cost: Variable, params: Sequence[SharedVariable], learning_rate: Any) -> Updates:
    """Gradient descent.

    .. math:: p \\leftarrow p - \\eta \\, \\partial C / \\partial p
    """
    gradients = pt.grad(cost, list(params))
    return [(p, _as(p, p - _as(p, learning_rate) * g)) for p, g in zip(params, gradients, strict=True)]


def momentum(
    cost: Variable, params: Sequence[SharedVariable], learning_rate: Any, momentum: Any = 0.9, *, unit_gain: bool = False
) -> Updates:
    """Gradient descent with momentum.

    .. math::

        v \\leftarrow m v + g \\, \\partial C / \\partial p, \\qquad p \\leftarrow p - \\eta v

    where g is 1, or 1 - m with unit gain, and v is zero at the beginning.

    Parameters
    ----------
    cost : symbolic scalar
    params : list of shared variables
    learning_rate : float or symbolic scalar, the :math:`\\eta` above
    momentum : float or symbolic scalar in [0, 1), the m above
        CNTK states it as a time constant of T samples: ``exp(-n / T)`` for minibatches of n.
    unit_gain : bool
        Weigh the gradient with 1 - m, so that a constant gradient makes v equal to it: CNTK's default.

    Returns
    -------
    list of (variable, new value)
        For each parameter and for its velocity, a shared variable named ``<parameter>_velocity``.
    """
    updates: Updates = []
    for p, g in zip(params, pt.grad(cost, list(params)), strict=True):
        value = p.get_value(borrow=True)
        velocity = pytensor.shared(np.zeros_like(value), name=f"{p.name}_velocity", shape=p.type.shape)
        m = _as(p, momentum)
        new = m * velocity + ((1 - m) * g if unit_gain else g)
        updates += [(velocity, _as(p, new)), (p, _as(p, p - _as(p, learning_rate) * new))]
    return updates


def _as(parameter: SharedVariable, value: Any) -> Variable:
    """`value` in the parameter's dtype: a float64 rate would turn float32 parameters into float64."""
    return pt.cast(pt.as_tensor(value), parameter.type.dtype)
