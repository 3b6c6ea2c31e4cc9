"""``theano.compile.monitormode``: functions that are called before and after each node."""

from pytensor.compile.debug.monitormode import MonitorMode
from pytensor.compile.debug.monitormode import detect_nan as _detect_nan

from symae.theano._impl.absent import getter

__all__ = ["MonitorMode", "detect_nan"]

__getattr__ = getter(__name__, pytensor=["pytensor.compile.debug.monitormode"])

detect_nan = _detect_nan
