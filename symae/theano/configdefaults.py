"""``theano.configdefaults``."""

from pytensor.utils import PYTHON_INT_BITWIDTH

from symae.theano._impl.absent import getter
from symae.theano._impl.configuration import config

__all__ = ["config", "local_bitwidth", "python_int_bitwidth"]

__getattr__ = getter(__name__, pytensor=["pytensor.configdefaults"])


def python_int_bitwidth() -> int:
    """Return the number of bits of NumPy's default integer."""
    return int(PYTHON_INT_BITWIDTH)


local_bitwidth = python_int_bitwidth
