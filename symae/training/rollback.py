"""What a training changes goes back to the end of the last finished epoch where an epoch is broken off."""

from __future__ import annotations

from collections.abc import Sequence

from pytensor.compile.sharedvalue import SharedVariable

from symae.errors import DivergedError
from symae.training.engine import Callback, TrainingState


class Rollback(Callback):
    """Gives `variables` back the values of the last finished epoch after Ctrl-C and where the cost is not finite."""

    def __init__(self, variables: Sequence[SharedVariable]):
        self.variables = variables

    def on_train_begin(self, state: TrainingState) -> None:
        self._finished = [v.get_value() for v in self.variables]

    on_epoch_end = on_train_begin

    def on_exception(self, state: TrainingState) -> None:
        if isinstance(state.error, KeyboardInterrupt | DivergedError):
            for v, value in zip(self.variables, self._finished, strict=True):
                v.set_value(value)
