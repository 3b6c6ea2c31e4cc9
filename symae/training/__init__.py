"""Training in epochs: `fit`, `train_epochs`, and what happens between epochs."""

from symae.training.fitting import EpochLog, History, Step, check_minibatches, fit, print_line, train_epochs

__all__ = ["EpochLog", "History", "Step", "check_minibatches", "fit", "print_line", "train_epochs"]
