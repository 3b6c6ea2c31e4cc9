"""``theano.gof.fg``."""

from pytensor.graph.utils import InconsistencyError, MissingInputError

from symae.theano._impl.absent import getter
from symae.theano._impl.nodes import FunctionGraph

__all__ = ["FunctionGraph", "InconsistencyError", "MissingInputError"]

__getattr__ = getter(__name__, pytensor=["pytensor.graph.fg"])
