"""Training in epochs: `fit`, `train_epochs`, and the callbacks of what happens between epochs."""

from symae.training.callbacks import LambdaCallback, print_line
from symae.training.early_stopping import BestParameters, EarlyStopping
from symae.training.engine import Callback, Step, TrainingState, check_minibatches
from symae.training.epochs import train_epochs
from symae.training.fitting import fit
from symae.training.history import EpochLog, History

__all__ = [
    "BestParameters",
    "Callback",
    "EarlyStopping",
    "EpochLog",
    "History",
    "LambdaCallback",
    "Step",
    "TrainingState",
    "check_minibatches",
    "fit",
    "print_line",
    "train_epochs",
]
