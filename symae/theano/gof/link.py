"""``theano.gof.link``."""

from pytensor.link.basic import Container, Linker, LocalLinker, PerformLinker, WrapLinker, WrapLinkerMany
from pytensor.link.utils import raise_with_op

from symae.theano._impl.absent import getter

__all__ = ["Container", "Linker", "LocalLinker", "PerformLinker", "WrapLinker", "WrapLinkerMany", "raise_with_op"]

__getattr__ = getter(__name__, pytensor=["pytensor.link.basic", "pytensor.link.utils"])
