"""``theano.tensor.type_other``."""

from pytensor.tensor.type_other import MakeSlice, NoneConst, NoneTypeT, SliceConstant, SliceType, make_slice, slicetype

from symae.theano._impl.absent import getter

__all__ = ["MakeSlice", "NoneConst", "NoneTypeT", "SliceConstant", "SliceType", "make_slice", "slicetype"]

__getattr__ = getter(__name__, pytensor=["pytensor.tensor.type_other"])
