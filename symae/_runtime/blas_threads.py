"""How many threads BLAS may use.

The products of these models are small (a minibatch of 20 by 784 by 100), and OpenBLAS's idle threads spin: with another
busy process on the machine, a training step then takes 20 to 80 times as long. One thread is both the fast and the safe
choice for them. Kernels on Numba see to that themselves (`symae.kernels.parallel.blas_alone`); other backends need this.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from threadpoolctl import get_cached_controller

from symae._runtime.locks import Lock
from symae.errors import InputError

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
    block = _Block()
    with _lock:
        # not `threadpool_limits`, which looks for libraries anew: milliseconds, where an epoch may take 20
        block.before = get_cached_controller().limit(limits=count, user_api="blas")
        _blocks.append(block)
    try:
        yield
    finally:
        with _lock:
            _end(block)


class _Block:
    """Remember the BLAS limits `before` a block that has not ended."""

    before: Any


_lock = Lock()
_blocks: list[_Block] = []  # in the order in which they began


def _end(block: _Block) -> None:
    """Put back what was before `block`, or let the block that began after it, in another thread, do so."""
    position = _blocks.index(block)
    if position + 1 < len(_blocks):
        _blocks[position + 1].before = block.before
    else:
        block.before.restore_original_limits()
    del _blocks[position]
