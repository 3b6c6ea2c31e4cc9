"""What the contenders of `autoencoder_epoch.py` are told, and what they begin with; Python 3.8 reads it too."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

VISIBLE, LEARNING_RATE, SEED = 784, 0.1, 123


@dataclass(frozen=True)
class Settings:
    """What a contender is told.

    Attributes
    ----------
    images : array (n, 784) of floatX, from 0 to 1
        As many of them as whole minibatches take.
    floatX : str
    level : float
        The share of pixels that is hidden from the encoder; 0 in worksheet 01.
    batch, hidden : int
    way : str
        How to do it: symae's backend, a library, a variant.
    threads : int
    """

    images: np.ndarray
    floatX: str
    level: float
    batch: int
    hidden: int
    way: str
    threads: int

    @property
    def n_batches(self) -> int:
        return len(self.images) // self.batch

    def parameters(self) -> list[np.ndarray]:
        """Return the first W (784, hidden), b (hidden,) and b' (784,): those that the worksheets' models have."""
        rng = np.random.RandomState(SEED)
        rng.randint(2**30)  # the worksheets' seed of the corruption
        limit = 4 * np.sqrt(6.0 / (VISIBLE + self.hidden))
        shape = VISIBLE, self.hidden
        values = [rng.uniform(-limit, limit, shape), np.zeros(self.hidden), np.zeros(VISIBLE)]
        return [value.astype(self.floatX) for value in values]


def settings() -> Settings:
    """Return what the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", required=True)
    parser.add_argument("--floatX", choices=["float32", "float64"], required=True)
    parser.add_argument("--level", type=float, required=True)
    for name in ("--batch", "--hidden", "--threads"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--way", default="")
    given = parser.parse_args()
    images = np.load(given.images)
    whole = images[: len(images) // given.batch * given.batch].astype(given.floatX)
    return Settings(whole, given.floatX, given.level, given.batch, given.hidden, given.way, given.threads)
