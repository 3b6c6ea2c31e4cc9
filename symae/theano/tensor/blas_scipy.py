"""``theano.tensor.blas_scipy``: the class of the Op that called BLAS from SciPy."""

from symae.theano._impl.absent import getter
from symae.theano.tensor.blas import ger, ger_destructive

__all__ = ["ger", "ger_destructive", "have_fblas"]

have_fblas = True

__getattr__ = getter(__name__, ops="tensor.blas_scipy")
