"""The order of the examples, another one in each epoch."""

from __future__ import annotations

import numpy as np
import pytensor

from symae.training.engine import Callback, TrainingState


class Shuffling(Callback):
    """Draws a new `order` of `n` examples before each epoch, a shared vector of their positions."""

    def __init__(self, n: int, rng: np.random.RandomState):
        self.n = n
        self.rng = rng
        self.order = pytensor.shared(np.arange(n), name="order")

    def on_epoch_begin(self, state: TrainingState) -> None:
        self.order.set_value(self.rng.permutation(self.n), borrow=True)
