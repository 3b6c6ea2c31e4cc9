"""``theano.gof.destroyhandler``."""

from pytensor.graph.destroyhandler import DestroyHandler

from symae.theano._impl.absent import getter

__all__ = ["DestroyHandler"]

__getattr__ = getter(__name__, pytensor=["pytensor.graph.destroyhandler"])
