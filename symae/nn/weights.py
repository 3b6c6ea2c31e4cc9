"""Initial weights, in floatX.

A matrix of weights has the shape (n_in, n_out), filters (maps, channels, height, width). A place of the output hangs on
*fan in* numbers, n_in or channels * height * width, and a number of the input goes to *fan out* places, n_out or
maps * height * width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytensor

from symae.errors import InputError

__all__ = ["glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "tutorial_weights"]


def glorot_uniform(numpy_rng: np.random.RandomState, shape: Sequence[int], scale: float = 1.0) -> np.ndarray:
    """Uniform in ±scale sqrt(6 / (fan in + fan out)). Source: Glorot and Bengio (2010)."""
    return _uniform(numpy_rng, shape, scale * math.sqrt(6.0 / sum(_fans(shape))))


def glorot_normal(numpy_rng: np.random.RandomState, shape: Sequence[int], scale: float = 1.0) -> np.ndarray:
    """Normal with deviation scale sqrt(2 / (fan in + fan out)). Source: Glorot and Bengio (2010)."""
    return _normal(numpy_rng, shape, scale * math.sqrt(2.0 / sum(_fans(shape))))


def he_uniform(numpy_rng: np.random.RandomState, shape: Sequence[int], scale: float = 1.0) -> np.ndarray:
    """Uniform in ±scale sqrt(6 / fan in). Source: He, Zhang, Ren and Sun (2015)."""
    return _uniform(numpy_rng, shape, scale * math.sqrt(6.0 / _fans(shape)[0]))


def he_normal(numpy_rng: np.random.RandomState, shape: Sequence[int], scale: float = 1.0) -> np.ndarray:
    """Normal with deviation scale sqrt(2 / fan in). Source: He, Zhang, Ren and Sun (2015)."""
    return _normal(numpy_rng, shape, scale * math.sqrt(2.0 / _fans(shape)[0]))


def tutorial_weights(numpy_rng: np.random.RandomState, n_in: int, n_out: int) -> np.ndarray:
    """Initial weights (n_in, n_out) of a sigmoid layer: uniform in ±4 sqrt(6 / (n_in + n_out)).

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


def _uniform(numpy_rng: np.random.RandomState, shape: Sequence[int], limit: float) -> np.ndarray:
    return np.asarray(numpy_rng.uniform(low=-limit, high=limit, size=tuple(shape)), dtype=pytensor.config.floatX)


def _normal(numpy_rng: np.random.RandomState, shape: Sequence[int], deviation: float) -> np.ndarray:
    return np.asarray(numpy_rng.normal(scale=deviation, size=tuple(shape)), dtype=pytensor.config.floatX)
