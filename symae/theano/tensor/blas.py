"""``theano.tensor.blas``: PyTensor's rewrites put products into BLAS by themselves."""

from pytensor.tensor.blas import Dot22

from symae.theano._impl.absent import getter
from symae.theano._impl.variables import as_theano

__all__ = ["Dot22"]

_dot22 = as_theano(Dot22(), "_dot22", __name__)

__getattr__ = getter(
    __name__,
    elsewhere={"batched_dot": "tensor", "batched_tensordot": "tensor"},
    pytensor=["pytensor.tensor.blas"],
)
