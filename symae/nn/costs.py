"""Costs: how far reconstructions are from images, a number for each image; who uses them takes the mean."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.scalar import Sigmoid
from pytensor.tensor.basic import tensor_copy
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.shape import Reshape
from pytensor.tensor.variable import TensorVariable


def cross_entropy(x: Variable, z: Variable) -> TensorVariable:
    """Compute the cross-entropy of the Bernoulli distributions `z` with respect to `x`, summed over the pixels of each image.

    .. math:: L = -\\sum_k x_k \\log z_k + (1 - x_k) \\log(1 - z_k)

    Parameters
    ----------
    x, z : (n, k), values in [0, 1]
        Images and reconstructions; where `z` is a sigmoid, the compiled expression is finite for any argument of it.

    Returns
    -------
    (n,)
        In nats per image.
    """
    return -pt.sum(x * pt.log(z) + (1 - x) * pt.log(1 - z), axis=1)


def binary_cross_entropy(x: Variable, z: Variable) -> TensorVariable:
    """Compute the cross-entropy of Bernoulli distributions `z` with respect to `x`, mean over an image's pixels: Keras's loss.

    .. math:: L = -\\tfrac1k \\sum_k x_k \\log z_k + (1 - x_k) \\log(1 - z_k)

    Parameters
    ----------
    x, z : (n, ...), values in [0, 1]
        Images and reconstructions. Where `z` is the sigmoid of an expression, reshaped since or not, the cost is computed from
        that expression, as `binary_cross_entropy_with_logits` does, and keeps all its digits. Elsewhere the logarithms are
        those of at least the smallest normal number, so that a pixel which is wrong for certain costs 87 nats in float32 and
        708 in float64.

    Returns
    -------
    (n,)
        In nats per pixel. The gradient where `z` is exactly 0 or 1 is 0.
    """
    logits = _logits(z)
    if logits is not None:
        return binary_cross_entropy_with_logits(x, logits)
    least = np.finfo(z.type.dtype).tiny
    return _mean(-x * pt.log(pt.maximum(z, least)) - (1 - x) * pt.log(pt.maximum(1 - z, least)))


def binary_cross_entropy_with_logits(x: Variable, a: Variable) -> TensorVariable:
    """Compute `binary_cross_entropy` of the probabilities sigmoid(a), from their logits `a`.

    .. math:: L = \\tfrac1k \\sum_k \\log(1 + e^{a_k}) - x_k a_k

    Parameters
    ----------
    x : (n, ...), values in [0, 1]
    a : (n, ...), any finite values
        The cost is finite for logits as far out as 1e4 in float32 too, and as exact as x a can be had.

    Returns
    -------
    (n,)
        In nats per pixel.
    """
    return _mean(_from_logits(x, a))


def bernoulli_nll(x: Variable, a: Variable) -> TensorVariable:
    """Compute -log of the likelihood of `x` under Bernoulli distributions with logits `a`, summed over an image's pixels.

    .. math:: L = \\sum_k \\log(1 + e^{a_k}) - x_k a_k

    Parameters
    ----------
    x : (n, ...), values in [0, 1]
    a : (n, ...), any finite values

    Returns
    -------
    (n,)
        In nats per image. Source: Kingma and Welling (2014), appendix C.1; Chainer's ``bernoulli_nll``.
    """
    return pt.sum(_from_logits(x, a), axis=_all_but_first(a))


def gaussian_kl(mean: Variable, log_variance: Variable) -> TensorVariable:
    """Compute the Kullback-Leibler divergence of independent normal distributions from the standard normal distribution.

    .. math:: D = \\tfrac12 \\sum_j \\mu_j^2 + \\sigma_j^2 - \\log \\sigma_j^2 - 1

    Parameters
    ----------
    mean, log_variance : (n, ...)
        μ, and the logarithm of σ².

    Returns
    -------
    (n,)
        In nats per image. Source: Kingma and Welling (2014), appendix B.
    """
    # expm1, because where σ is near 1, exp(l) - 1 loses the digits that l has
    return pt.sum(pt.sqr(mean) + pt.expm1(log_variance) - log_variance, axis=_all_but_first(mean)) / 2


def mean_squared_error(x: Variable, z: Variable) -> TensorVariable:
    """Compute the mean of the squared differences over all pixels of an image.

    Parameters
    ----------
    x, z : (n, ...), images and reconstructions

    Returns
    -------
    (n,)
        In squared units of x.
    """
    return _mean(pt.sqr(z - x))


def half_squared_error(x: Variable, z: Variable) -> TensorVariable:
    """Compute half the sum of the squared differences over the numbers of an example.

    .. math:: L = \\tfrac12 \\sum_k (z_k - x_k)^2

    Parameters
    ----------
    x, z : (n, ...), examples and reconstructions, any finite values

    Returns
    -------
    (n,)
        In squared units of x; or in nats, as -log of the likelihood of x under normal distributions with the means z and
        variance 1, but for the constant k log(2π) / 2.
    """
    return pt.sum(pt.sqr(z - x), axis=_all_but_first(z)) / 2


def root_mean_square_error(x: Variable, z: Variable) -> TensorVariable:
    """Compute how far a pixel of an image is off: the root of the mean square over all pixels.

    .. math:: e_i = \\sqrt{\\tfrac1k \\sum_k (z_{ik} - x_{ik})^2}

    Parameters
    ----------
    x, z : (n, ...), images and reconstructions of any number of dimensions

    Returns
    -------
    (n,)
        In units of x. The gradient at e = 0, where there is none, is taken as 0: an image that is met exactly says nothing.
    """
    square = mean_squared_error(x, z)
    met = pt.eq(square, 0)
    return pt.switch(met, 0, pt.sqrt(pt.switch(met, 1, square)))


def _logits(z: Variable) -> Variable | None:
    """Return what `z` is the sigmoid of, in the shape of `z`, or None."""
    if z.owner is None:
        return None
    op = z.owner.op
    if isinstance(op, Elemwise) and isinstance(op.scalar_op, Sigmoid):
        return z.owner.inputs[0]
    if isinstance(op, Reshape | DimShuffle) or op == tensor_copy:
        before, *shape = z.owner.inputs
        logits = _logits(before)
        return None if logits is None else op(logits, *shape)
    return None


def _from_logits(x: Variable, a: Variable) -> TensorVariable:
    return pt.softplus(a) - x * a


def _mean(values: Variable) -> TensorVariable:
    return pt.mean(values, axis=_all_but_first(values))


def _all_but_first(values: Variable) -> tuple[int, ...]:
    return tuple(range(1, values.type.ndim))
