"""The lines that a training prints."""

from __future__ import annotations

from collections.abc import Callable

from tqdm import tqdm

from symae._runtime.decimals import fixed
from symae.training.engine import Callback, TrainingState


class LogLines(Callback):
    """Prints ``Training epoch 0, cost 132.518026`` as the tutorials do, and why a training ended before its last epoch.

    `log` gets the lines instead of standard output, `log_every` is as in `symae.training.train_epochs`, and `monitor` is what
    the best epoch is the best in.
    """

    def __init__(self, log: Callable[[str], None] | None = None, log_every: int | None = None, monitor: str = "cost"):
        self.log = log or print_line
        self.log_every = log_every
        self.monitor = monitor

    def on_epoch_end(self, state: TrainingState) -> None:
        every = (1 if state.n_epochs <= 20 else 10) if self.log_every is None else self.log_every
        if every and state.epoch % every == 0:
            with tqdm.external_write_mode():
                figures = "".join(f", {name} {fixed(figure)}" for name, figure in state.metrics.items())
                self.log(f"Training epoch {state.epoch}, cost {fixed(state.cost)}{figures}")

    def on_train_end(self, state: TrainingState) -> None:
        history = state.history
        if state.error is not None:
            return
        if history.interrupted:
            self.log(f"Training interrupted after {len(history)} of {state.n_epochs} epochs")
        if history.stopped_early and history.best_epoch is not None:
            lowest = history.figures(self.monitor)[history.best_epoch]
            best = f"{self.monitor} was lowest in epoch {history.best_epoch}, {fixed(lowest)}"
            self.log(f"Training stopped after {len(history)} of {state.n_epochs} epochs: {best}")


def print_line(line: str) -> None:
    """Print `line` to standard output at once."""
    print(line, flush=True)
