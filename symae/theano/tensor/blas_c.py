"""``theano.tensor.blas_c``: the classes of Ops that called BLAS from C."""

from __future__ import annotations

from symae.theano._impl.absent import getter

__all__ = ["check_force_gemv_init"]


def check_force_gemv_init() -> bool:
    """Return False: `symae.theano.tensor.blas.gemv` does not read what it multiplies by 0."""
    return False


__getattr__ = getter(__name__, pytensor=["pytensor.tensor.blas_c"], ops="tensor.blas_c")
