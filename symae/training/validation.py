"""What is measured after each epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symae.training.engine import Callback, TrainingState


class Validation(Callback):
    """Measures after each epoch: the figures that `measure` returns are printed beside the cost and kept by their names."""

    def __init__(self, measure: Callable[[], Mapping[str, float]]):
        self.measure = measure

    def on_measure(self, state: TrainingState) -> None:
        state.metrics |= self.measure()
