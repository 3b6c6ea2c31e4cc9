"""``theano.tensor.xlogx``: products with logarithms that are 0 at 0."""

from pytensor.tensor.xlogx import xlogx as _xlogx
from pytensor.tensor.xlogx import xlogy0 as _xlogy0

from symae.theano._impl.absent import getter
from symae.theano._impl.variables import as_theano

__all__ = ["xlogx", "xlogy0"]

__getattr__ = getter(__name__, pytensor=["pytensor.tensor.xlogx"])

xlogx = as_theano(_xlogx, "xlogx", __name__)
xlogy0 = as_theano(_xlogy0, "xlogy0", __name__)
