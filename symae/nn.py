"""Costs and initial weights, as small functions from expressions to expressions."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

__all__ = ["cross_entropy", "tutorial_weights"]


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


def tutorial_weights(numpy_rng: np.random.RandomState, n_in: int, n_out: int) -> np.ndarray:
    """Initial weights (n_in, n_out) of a sigmoid layer: uniform in ±4 sqrt(6 / (n_in + n_out)), in floatX.

    Source: Glorot and Bengio (2010), times 4 for the sigmoid, as the Theano tutorials have it.
    """
    limit = 4 * np.sqrt(6.0 / (n_in + n_out))
    return np.asarray(numpy_rng.uniform(low=-limit, high=limit, size=(n_in, n_out)), dtype=pytensor.config.floatX)
