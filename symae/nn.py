"""Activations, costs and initial weights, as small functions from expressions to expressions."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

__all__ = ["cross_entropy", "glorot_filters", "relu", "root_mean_square_error", "tutorial_weights"]


def cross_entropy(x: Variable, z: Variable) -> Variable:
    """Cross-entropy of the Bernoulli distributions `z` with respect to `x`, summed over the pixels of each image.

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


def relu(x: Variable) -> Variable:
    """max(x, 0), elementwise, and NaN of NaN. Its gradient at 0 is 0."""
    return pt.switch(x <= 0, pt.zeros_like(x), x)


def root_mean_square_error(x: Variable, z: Variable) -> Variable:
    """How far a pixel of an image is off: the root of the mean square over all pixels.

    .. math:: e_i = \\sqrt{\\tfrac1k \\sum_k (z_{ik} - x_{ik})^2}

    Parameters
    ----------
    x, z : (n, ...), images and reconstructions of any number of dimensions

    Returns
    -------
    (n,)
        In units of x. The gradient at e = 0, where there is none, is taken as 0: an image that is met exactly says nothing.
    """
    square = pt.mean(pt.sqr(z - x), axis=tuple(range(1, x.type.ndim)))
    met = pt.eq(square, 0)
    return pt.switch(met, 0, pt.sqrt(pt.switch(met, 1, square)))


def glorot_filters(numpy_rng: np.random.RandomState, shape: tuple[int, int, int, int], scale: float = 1.0) -> np.ndarray:
    """Initial filters (m, c, kh, kw) of a convolution: uniform in ±scale sqrt(6 / ((m + c) kh kw)), in floatX.

    Source: Glorot and Bengio (2010); an output pixel has c kh kw inputs, and an input pixel m kh kw outputs.
    """
    m, c, kh, kw = shape
    limit = scale * np.sqrt(6.0 / ((m + c) * kh * kw))
    return np.asarray(numpy_rng.uniform(low=-limit, high=limit, size=shape), dtype=pytensor.config.floatX)


def tutorial_weights(numpy_rng: np.random.RandomState, n_in: int, n_out: int) -> np.ndarray:
    """Initial weights (n_in, n_out) of a sigmoid layer: uniform in ±4 sqrt(6 / (n_in + n_out)), in floatX.

    Source: Glorot and Bengio (2010), times 4 for the sigmoid, as the Theano tutorials have it.
    """
    limit = 4 * np.sqrt(6.0 / (n_in + n_out))
    return np.asarray(numpy_rng.uniform(low=-limit, high=limit, size=(n_in, n_out)), dtype=pytensor.config.floatX)
