"""``theano.compile.profiling``."""

from pytensor.compile.debug.profiling import ProfileStats

from symae.theano._impl.absent import getter

__all__ = ["ProfileStats"]

__getattr__ = getter(__name__, pytensor=["pytensor.compile.debug.profiling"])
