"""Optimizers: from a cost and its parameters to updates, which a compiled function applies at each call.

What an optimizer remembers between steps is in shared variables named after their parameter. In the formulas g is the gradient
of the cost with respect to the parameter p and η the learning rate: a number, a symbolic scalar, or a schedule, a function of
the step.
"""

from symae.optimizers.adaptive import adadelta, adagrad, adam, adamw, rmsprop
from symae.optimizers.base import Rate, Updates, WeightDecay, clipped, scheduled
from symae.optimizers.descent import momentum, sgd
from symae.optimizers.schedules import CosineDecay, InverseTimeDecay, Schedule, StepDecay, WarmUp, inverse_time_decay

__all__ = [
    "CosineDecay",
    "InverseTimeDecay",
    "Rate",
    "Schedule",
    "StepDecay",
    "Updates",
    "WarmUp",
    "WeightDecay",
    "adadelta",
    "adagrad",
    "adam",
    "adamw",
    "clipped",
    "inverse_time_decay",
    "momentum",
    "rmsprop",
    "scheduled",
    "sgd",
]
