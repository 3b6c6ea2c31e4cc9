"""``theano.configdefaults``."""

from symae.theano.absent import getter
from symae.theano.configuration import config

__all__ = ["config"]

__getattr__ = getter(__name__, pytensor=["pytensor.configdefaults"])
