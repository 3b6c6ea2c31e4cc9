"""What a training of several processes has beside one of one: what all have to have the same, and what they agree on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symae.training.checkpoints import Checkpoint
from symae.training.engine import Callback, Callbacks, TrainingState
from symae.training.identity import Identity
from symae.training.processes import Processes


class Together(Callback):
    """Lets Ctrl-C and a callback that ends the training in one process do so in all, and no process be waited for in vain.

    It is the last callback: what the others have said is what the processes agree on.
    """

    def __init__(self, processes: Processes):
        self.processes = processes
        self._outer: TrainingState | None = None  # of a training within which this one was begun

    def on_train_begin(self, state: TrainingState) -> None:
        self._outer, self.processes.state = self.processes.state, state
        state.alone = False
        self.on_epoch_end(state)

    def on_epoch_end(self, state: TrainingState) -> None:
        (stop,) = self.processes.agree(int(state.stop))
        state.stop = bool(stop)

    on_pause = on_epoch_end

    def on_train_end(self, state: TrainingState) -> None:
        self.processes.state = self._outer
        if state.history.interrupted and not state.interrupting:
            raise KeyboardInterrupt  # a second Ctrl-C: the others are at a step


def compared(
    settings: Mapping[str, Any],
    n_epochs: int,
    devices: Any,
    shard: Mapping[str, Any] | None,
    identity: Identity,
    resumed: Checkpoint | None,
) -> dict[str, Any]:
    """Return what has to be the same in all processes of a training, each entry by the name that errors have."""
    described = identity.description()
    return {
        **settings,
        "n_epochs": int(n_epochs),
        "devices": str(devices),
        "shard": {name: str(spec) for name, spec in sorted((shard or {}).items())},
        "updates": described["graph"],
        **{f"value of {name}": digest for name, digest in described["read"].items()},
        # a model whose weights were drawn without a seed
        **({} if resumed else {f"first value of {name}": digest for name, digest in described["began with"].items()}),
        "checkpoint": "none" if resumed is None else f"epoch {resumed.epoch} of the training {resumed.training.get('id')}",
    }


def callbacks_here(callbacks: Callbacks, writes: bool) -> Callbacks:
    """Return those callbacks that are called in this process."""
    return [c for c in callbacks if writes or not getattr(c, "first_process_only", False)]


def no_line(line: str) -> None:
    """Print nothing: the first process prints."""
