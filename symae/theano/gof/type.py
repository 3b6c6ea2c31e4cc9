"""``theano.gof.type``."""

from pytensor.graph.type import Type
from pytensor.link.c.type import CType, Generic, generic

from symae.theano._impl.absent import getter

__all__ = ["CType", "Generic", "Type", "generic"]

__getattr__ = getter(__name__, pytensor=["pytensor.graph.type", "pytensor.link.c.type"])
