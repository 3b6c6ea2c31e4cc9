"""``theano.compile.sharedvalue``."""

from pytensor.link.c.type import generic

from symae.theano._impl.absent import getter
from symae.theano.shared import SharedVariable, shared, shared_constructor

__all__ = ["SharedVariable", "generic", "shared", "shared_constructor"]

__getattr__ = getter(__name__, pytensor=["pytensor.compile.sharedvalue"])
