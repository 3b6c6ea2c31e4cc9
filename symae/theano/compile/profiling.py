"""``theano.compile.profiling``."""

from pytensor.compile.debug.profiling import ProfileStats

from symae.theano.absent import getter

__all__ = ["ProfileStats"]

__getattr__ = getter(__name__, pytensor=["pytensor.compile.debug.profiling"])
