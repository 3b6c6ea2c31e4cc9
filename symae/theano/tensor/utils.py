"""``theano.tensor.utils``."""

from pytensor.tensor.utils import hash_from_ndarray, shape_of_variables

from symae.theano._impl.absent import getter

__all__ = ["hash_from_ndarray", "shape_of_variables"]

__getattr__ = getter(__name__, pytensor=["pytensor.tensor.utils"])
