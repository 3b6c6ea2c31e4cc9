"""Sparse codes: penalties on activations, to be added to a cost, and an activation that leaves k units active."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor.variable import TensorVariable

from symae._runtime.checks import integer
from symae.errors import InputError
from symae.typing import TensorLike


def kl_sparsity(y: Variable, target: TensorLike = 0.05) -> TensorVariable:
    """Compute how far the mean activations of units are from a small target, as divergences of Bernoulli distributions.

    .. math:: D = \\sum_j \\rho \\log\\frac{\\rho}{\\hat\\rho_j} + (1 - \\rho) \\log\\frac{1 - \\rho}{1 - \\hat\\rho_j}, \\qquad
        \\hat\\rho_j = \\tfrac1n \\sum_i y_{ij}

    Parameters
    ----------
    y : (n, units), values in [0, 1]
        Activations of a minibatch, which has to be large enough to tell how often a unit is active: 100 examples, not 10.
    target : float or symbolic scalar in (0, 1)
        ρ above.

    Returns
    -------
    scalar
        In nats, the sum over the units. A mean of exactly 0 or 1 counts as the smallest normal number away from it.

    Notes
    -----
    Source: Ng (2011), "Sparse autoencoder", CS294A; Lee, Ekanadham and Ng (2008) have the square of the difference.
    """
    if isinstance(target, float | int) and not 0 < target < 1:
        raise InputError("target", repr(target), "a number between 0 and 1")
    dtype = y.type.dtype
    rho, least = pt.cast(pt.as_tensor(target), dtype), np.finfo(dtype).tiny
    active = pt.mean(y, axis=0)
    on = rho * (pt.log(rho) - pt.log(pt.maximum(active, least)))
    off = (1 - rho) * (pt.log1p(-rho) - pt.log(pt.maximum(1 - active, least)))
    return pt.sum(on + off)


def l1_sparsity(y: Variable) -> TensorVariable:
    """Compute the sum of the absolute activations of each example, (n, ...) -> (n,).

    .. math:: P_i = \\sum_j |y_{ij}|

    Source: Olshausen and Field (1996), whose sparse coding has it among its choices.
    """
    return pt.sum(pt.abs(y), axis=tuple(range(1, y.type.ndim)))


def k_sparse(y: Variable, k: int) -> TensorVariable:
    """Return `y` with all but the `k` largest activations of each example set to zero; the gradient goes through those alone.

    Parameters
    ----------
    y : (n, units)
    k : int >= 1
        As many units or fewer: all stay. Units that tie with the k-th stay too.

    Returns
    -------
    (n, units)

    Notes
    -----
    Source: Makhzani and Frey (2014), "k-sparse autoencoders".
    """
    k = integer("k", k)
    units = y.shape[1]
    least = pt.sort(y, axis=1)[:, pt.maximum(units - k, 0)]
    return pt.switch(pt.ge(y, least[:, None]), y, pt.zeros_like(y))
