"""Threads of Numba's kernels: when to use them, and how they wait.

A thread that has nothing to do must soon sleep. GNU's OpenMP, which Numba uses, lets it spin, and where another process wants
the cores that is ruinous: an epoch of the image autoencoder took 61 s beside two busy processes, and 4 s with threads that
sleep. Waking up takes 30 us, though, which is as long as a product of a small model's matrices, so they spin for a while.
"""

from __future__ import annotations

import contextlib
import importlib
import math
import os
from collections.abc import Sequence
from typing import Any, Literal

import numba

__all__ = ["THREADS", "Threads", "jit", "parts_for", "threaded", "threads_for"]

Threads = Literal["never", "always", "large"]

# of a waiting thread, before it sleeps: some 50 us, longer than what lies between two products of a training step
SPINS = "5000"


def _sleep_when_idle() -> None:
    """Load Numba's OpenMP layer with waiting threads soon asleep, unless the user says otherwise.

    OpenMP reads the environment once, when it is loaded; other libraries of this process, and its children, are left alone.
    """
    if {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
        return
    os.environ["GOMP_SPINCOUNT"] = SPINS
    try:
        with contextlib.suppress(ImportError):  # a Numba without OpenMP has threads of its own, which sleep
            importlib.import_module("numba.np.ufunc.omppool")
    finally:
        del os.environ["GOMP_SPINCOUNT"]


_sleep_when_idle()

# A constant of the machine code: Numba's own function for it is called through a pointer, and what holds one cannot be cached.
THREADS = numba.get_num_threads()

jit: Any = numba.njit(error_model="numpy", fastmath=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)
threaded: Any = numba.njit(error_model="numpy", fastmath=False, no_cpython_wrapper=True, no_cfunc_wrapper=True, parallel=True)


def threads_for(sizes: Sequence[int | None], enough: int) -> Threads:
    """When to use threads for work that is the product of `sizes`; None is one that is not known before the function runs.

    Then machine code is needed for both ways. Otherwise one is enough, and the threaded one takes seconds to compile.
    """
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes):
        return "large"
    return "always" if math.prod(known) >= enough and THREADS > 1 else "never"


def parts_for(threads: Threads) -> int:
    """The most parts that work is divided into; each adds up sums of its own."""
    return 1 if threads == "never" else THREADS
