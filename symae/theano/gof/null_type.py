"""``theano.gof.null_type``."""

from pytensor.graph.null_type import NullType, null_type

from symae.theano._impl.absent import getter

__all__ = ["NullType", "null_type"]

__getattr__ = getter(__name__, pytensor=["pytensor.graph.null_type"])
