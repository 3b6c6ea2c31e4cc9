"""The history of a training, under Keras's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symae.training.history import History


class KerasHistory(History):
    """Record what happened in each finished epoch, under Keras's names too.

    Attributes
    ----------
    history : dict of lists of float
        By name, one for each epoch: ``loss``, metrics, and with validation data ``val_loss`` and ``val_<metric>``.
    epoch : list of int
        The numbers of the epochs; the first is 0.
    """

    @property
    def history(self) -> dict[str, list[float]]:
        return in_keras_names({"cost": self.costs, **self.measures})

    @property
    def epoch(self) -> list[int]:
        return list(range(len(self)))


def in_keras_names(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {{"cost": "loss", "val_cost": "val_loss"}.get(name, name): figure for name, figure in figures.items()}
