"""``theano.configdefaults``."""

from symae.theano._impl.absent import getter
from symae.theano._impl.configuration import config

__all__ = ["config"]

__getattr__ = getter(__name__, pytensor=["pytensor.configdefaults"])
