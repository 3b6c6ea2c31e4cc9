"""``theano.compile.nanguardmode``: functions that stop at the first NaN."""

from pytensor.compile.debug.nanguardmode import NanGuardMode

from symae.theano._impl.absent import getter

__all__ = ["NanGuardMode"]

__getattr__ = getter(__name__, pytensor=["pytensor.compile.debug.nanguardmode"])
