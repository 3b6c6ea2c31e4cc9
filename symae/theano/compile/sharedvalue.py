"""``theano.compile.sharedvalue``."""

from symae.theano._impl.absent import getter
from symae.theano.shared import SharedVariable, shared, shared_constructor

__all__ = ["SharedVariable", "shared", "shared_constructor"]

__getattr__ = getter(__name__, pytensor=["pytensor.compile.sharedvalue"])
