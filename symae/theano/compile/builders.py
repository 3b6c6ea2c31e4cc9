"""``theano.compile.builders``."""

from pytensor.compile.builders import OpFromGraph

from symae.theano.absent import getter

__all__ = ["OpFromGraph"]

__getattr__ = getter(__name__, pytensor=["pytensor.compile.builders"])
