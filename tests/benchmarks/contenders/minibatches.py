"""What the contenders of `convolutional_step.py`, `coordinate_vae_step.py` and `first_epochs.py` are told, and do alike."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

RHO, EPSILON = 0.95, 1e-7  # Adadelta's, with a rate of 1
CHUNK = 250  # test images that are looked at together


@dataclass(frozen=True)
class Settings:
    """What a contender is told.

    Attributes
    ----------
    model : str
        The name of symae's class.
    images : array (n, ...) of float32, from 0 to 1
    test : array of the same kind, or None
        If there are any, a round's cost is theirs after its minibatches, otherwise the mean of the minibatches' own.
    weights : dict from name to array
        The first values of the parameters.
    batch, minibatches : int
        Images in a minibatch, and minibatches in a round.
    way : str
        How to do it: symae's backend, a variant of PyTorch's.
    threads : int
    compiled : bool
        Let PyTorch compile.
    next_round : callable
        Gives the places of the next round's images, (minibatches, batch) of int64: the same for all who have the same seed.
    """

    model: str
    images: np.ndarray
    test: np.ndarray | None
    weights: dict[str, np.ndarray]
    batch: int
    minibatches: int
    way: str
    threads: int
    compiled: bool
    next_round: Callable[[], np.ndarray]

    @property
    def encoder(self) -> list[str]:
        """The names of the layers of Keras's plain model, or of the one for denoising, that are pooled."""
        return [f"conv{number}" for number in range(1, self._convolutions // 2 + 1)]

    @property
    def decoder(self) -> list[str]:
        """Those whose pixels are repeated."""
        return [f"conv{number}" for number in range(self._convolutions // 2 + 1, self._convolutions + 1)]

    @property
    def _convolutions(self) -> int:
        return sum(name.startswith("conv") and name.endswith("_W") for name in self.weights)


def settings() -> Settings:
    """Return what the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    for name in ("--images", "--weights"):
        parser.add_argument(name, required=True)
    for name in ("--batch", "--minibatches"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--test")
    parser.add_argument("--way", default="")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--compiled", action="store_true")
    given = parser.parse_args()
    images = np.load(given.images)
    with np.load(given.weights) as file:
        weights = {name: file[name] for name in file.files}
    stream = _minibatches(len(images), given.batch, np.random.RandomState(given.seed))
    return Settings(
        model=given.model,
        images=images,
        test=None if given.test is None else np.load(given.test),
        weights=weights,
        batch=given.batch,
        minibatches=given.minibatches,
        way=given.way,
        threads=given.threads,
        compiled=given.compiled,
        next_round=lambda: np.stack(list(islice(stream, given.minibatches))),
    )


def _minibatches(n: int, batch: int, rng: np.random.RandomState) -> Iterator[np.ndarray]:
    """Epoch after epoch, each in an order of its own."""
    while True:
        yield from rng.permutation(n)[: n // batch * batch].reshape(-1, batch)
