"""How many threads BLAS may use.

The products of these models are small (a minibatch of 20 by 784 by 100), and OpenBLAS's idle threads spin: with another
busy process on the machine, a training step then takes 20 to 80 times as long. One thread is both the fast and the safe
choice for them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

from symae.errors import InputError

__all__ = ["blas_threads"]

_CHOSEN_BY_USER = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")


@contextmanager
def blas_threads(count: int | None = None) -> Iterator[None]:
    """Let the BLAS libraries loaded so far use `count` threads inside the block.

    Parameters
    ----------
    count : int >= 1, optional
        None means one thread, unless an environment variable such as ``OPENBLAS_NUM_THREADS`` says what the user wants.

    Raises
    ------
    InputError
        `count` is less than 1.
    """
    if count is None:
        if any(os.environ.get(name) for name in _CHOSEN_BY_USER):
            yield
            return
        count = 1
    if count < 1:
        raise InputError("threads", str(count), "at least 1")
    with threadpool_limits(limits=count, user_api="blas"):
        yield
