"""Functions as a callback."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symae.training.engine import Callback, TrainingState


class LambdaCallback(Callback):
    """Calls functions, for those who need no class.

    Parameters
    ----------
    before_epoch : callable, optional
        Called with the number of each epoch before it begins.
    on_epoch : callable, optional
        Called with (epoch, cost, seconds, measures) when an epoch has ended and counts.
    """

    def __init__(
        self,
        before_epoch: Callable[[int], None] | None = None,
        on_epoch: Callable[[int, float, float, Mapping[str, float]], None] | None = None,
    ):
        self.before_epoch = before_epoch
        self.on_epoch = on_epoch

    def on_epoch_begin(self, state: TrainingState) -> None:
        if self.before_epoch is not None:
            self.before_epoch(state.epoch)

    def on_epoch_end(self, state: TrainingState) -> None:
        if self.on_epoch is not None:
            self.on_epoch(state.epoch, state.cost, state.seconds, state.metrics)
