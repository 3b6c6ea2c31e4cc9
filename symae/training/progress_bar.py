"""The progress bar of a training."""

from __future__ import annotations

from contextlib import ExitStack

from tqdm import tqdm

from symae.training.engine import Callback, TrainingState


class ProgressBar(Callback):
    """Shows on a terminal, and nowhere else, how many epochs are done and how long the others will take."""

    def __init__(self) -> None:
        self._shown = 0  # steps of the present epoch that the bar has
        self._open = ExitStack()

    def on_train_begin(self, state: TrainingState) -> None:
        bar = tqdm(
            total=state.n_epochs,
            initial=len(state.history),
            desc="Training",
            disable=None,  # silent when not a terminal
            leave=False,
            bar_format="{desc} {percentage:3.0f}% |{bar}| epoch {n:.1f} of {total}  {rate_noinv_fmt}  {remaining} left",
            unit=" epochs",
        )
        self._bar = self._open.enter_context(bar)

    def on_epoch_begin(self, state: TrainingState) -> None:
        self._shown = 0

    def on_progress(self, state: TrainingState) -> None:
        self._bar.update((len(state.rows) - self._shown) / state.n_batches)
        self._shown = len(state.rows)

    def on_train_end(self, state: TrainingState) -> None:
        self._open.close()
