"""``theano.compile.io``."""

from pytensor.compile.io import SymbolicInput, SymbolicOutput

from symae.theano._impl.absent import getter
from symae.theano._impl.functions import In, Out

__all__ = ["In", "Out", "SymbolicInput", "SymbolicOutput"]

__getattr__ = getter(__name__, pytensor=["pytensor.compile.io"])
