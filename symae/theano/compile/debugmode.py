"""``theano.compile.debugmode``."""

from symae.theano._impl.absent import getter
from symae.theano.compile.mode import DebugMode

__all__ = ["DebugMode"]

__getattr__ = getter(__name__, pytensor=["pytensor.compile.debug.debugmode"])
