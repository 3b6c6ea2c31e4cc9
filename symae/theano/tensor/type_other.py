"""``theano.tensor.type_other``."""

from pytensor.tensor.type_other import NoneConst, NoneTypeT

from symae.theano._impl.absent import getter

__all__ = ["NoneConst", "NoneTypeT"]

__getattr__ = getter(__name__, pytensor=["pytensor.tensor.type_other"])
