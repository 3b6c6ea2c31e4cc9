"""``theano.compile.debugmode``."""

from pytensor.compile.debug.debugmode import (
    BadDestroyMap,
    BadOptimization,
    BadThunkOutput,
    BadViewMap,
    DebugModeError,
    InvalidValueError,
    StochasticOrder,
)

from symae.theano._impl.absent import getter
from symae.theano.compile.mode import DebugMode

__all__ = [
    "BadDestroyMap",
    "BadOptimization",
    "BadThunkOutput",
    "BadViewMap",
    "DebugMode",
    "DebugModeError",
    "InvalidValueError",
    "StochasticOrder",
]

__getattr__ = getter(__name__, pytensor=["pytensor.compile.debug.debugmode"])
