"""How many threads BLAS has: ``symae.threads.blas_threads``."""

from symae._runtime.blas_threads import blas_threads

__all__ = ["blas_threads"]
