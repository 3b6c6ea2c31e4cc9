"""Initial weights, in floatX.

A matrix of weights has the shape (n_in, n_out), filters (maps, channels, height, width). A position of the output depends on
*fan in* numbers, n_in or channels * height * width, and a number of the input goes to *fan out* positions, n_out or
maps * height * width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytensor

from symae._runtime.checks import is_integer
from symae.errors import InputError

Seed = np.random.RandomState | np.random.Generator | int


def check_random_state(numpy_rng: Seed) -> np.random.RandomState:
    """Return the RandomState that initial weights are drawn from, as scikit-learn's function of that name does.

    Parameters
    ----------
    numpy_rng : RandomState, int or Generator
        A RandomState is returned as it is: the numbers of the tutorials. An int from 0 to 2**32 - 1 gives ``RandomState(int)``,
        so ``123`` draws what ``np.random.RandomState(123)`` does. A Generator, such as ``np.random.default_rng(0)``, lends its
        bit generator: uniform weights are those that its own ``uniform`` would give, normal weights and seeds are drawn from
        the same bits by RandomState's methods, and it is moved on, so that a second model gets other weights.

    Raises
    ------
    InputError
        It is none of these.
    """
    if isinstance(numpy_rng, np.random.RandomState):
        return numpy_rng
    if isinstance(numpy_rng, np.random.Generator):
        return np.random.RandomState(numpy_rng.bit_generator)
    if is_integer(numpy_rng) and 0 <= numpy_rng < 2**32:
        return np.random.RandomState(int(numpy_rng))
    raise InputError("numpy_rng", repr(numpy_rng)[:80], "a RandomState, a Generator, or a seed from 0 to 2**32 - 1")


def glorot_uniform(numpy_rng: Seed, shape: Sequence[int], scale: float = 1.0) -> np.ndarray:
    """Draw weights uniform in ±scale sqrt(6 / (fan in + fan out)). Source: Glorot and Bengio (2010)."""
    return _uniform(numpy_rng, shape, scale * math.sqrt(6.0 / sum(_fans(shape))))


def glorot_normal(numpy_rng: Seed, shape: Sequence[int], scale: float = 1.0) -> np.ndarray:
    """Draw normal weights of deviation scale sqrt(2 / (fan in + fan out)). Source: Glorot and Bengio (2010)."""
    return _normal(numpy_rng, shape, scale * math.sqrt(2.0 / sum(_fans(shape))))


def he_uniform(numpy_rng: Seed, shape: Sequence[int], scale: float = 1.0) -> np.ndarray:
    """Draw weights uniform in ±scale sqrt(6 / fan in). Source: He, Zhang, Ren and Sun (2015)."""
    return _uniform(numpy_rng, shape, scale * math.sqrt(6.0 / _fans(shape)[0]))


def he_normal(numpy_rng: Seed, shape: Sequence[int], scale: float = 1.0) -> np.ndarray:
    """Draw normal weights of deviation scale sqrt(2 / fan in). Source: He, Zhang, Ren and Sun (2015)."""
    return _normal(numpy_rng, shape, scale * math.sqrt(2.0 / _fans(shape)[0]))


def tutorial_weights(numpy_rng: Seed, n_in: int, n_out: int) -> np.ndarray:
    """Draw the initial weights (n_in, n_out) of a sigmoid layer: uniform in ±4 sqrt(6 / (n_in + n_out)).

    Source: Glorot and Bengio (2010), times 4 for the sigmoid, as the Theano tutorials have it.
    """
    return glorot_uniform(numpy_rng, (n_in, n_out), 4)


def _fans(shape: Sequence[int]) -> tuple[int, int]:
    if len(shape) == 2:
        return shape[0], shape[1]
    if len(shape) == 4:
        maps, channels, height, width = shape
        return channels * height * width, maps * height * width
    raise InputError("shape of weights", str(tuple(shape)), "(n_in, n_out) or (maps, channels, height, width)")


def _uniform(numpy_rng: Seed, shape: Sequence[int], limit: float) -> np.ndarray:
    values = check_random_state(numpy_rng).uniform(low=-limit, high=limit, size=tuple(shape))
    return np.asarray(values, dtype=pytensor.config.floatX)


def _normal(numpy_rng: Seed, shape: Sequence[int], deviation: float) -> np.ndarray:
    values = check_random_state(numpy_rng).normal(scale=deviation, size=tuple(shape))
    return np.asarray(values, dtype=pytensor.config.floatX)
