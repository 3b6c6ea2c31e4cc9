"""Training in epochs: `fit`, `train_epochs`, and the callbacks of what happens between epochs."""

from symae.training.callbacks import LambdaCallback, print_line
from symae.training.early_stopping import BestParameters, EarlyStopping
from symae.training.engine import Callback, Callbacks, Step, TrainingState, check_minibatches
from symae.training.epochs import train_epochs
from symae.training.fitting import fit
from symae.training.history import EpochLog, History
from symae.training.logs import JSONLines, TensorBoard

__all__ = [
    "BestParameters",
    "Callback",
    "Callbacks",
    "EarlyStopping",
    "EpochLog",
    "History",
    "JSONLines",
    "LambdaCallback",
    "Step",
    "TensorBoard",
    "TrainingState",
    "check_minibatches",
    "fit",
    "print_line",
    "train_epochs",
]
