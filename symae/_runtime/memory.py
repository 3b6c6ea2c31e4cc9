"""Memory that compiled functions free is kept for their next call, and compiling them does not look for garbage all over.

A training step allocates the results of its layers, megabytes each, and frees them. By default glibc hands such memory back to
the system at once, and at the next call the system clears it again, page by page: half of the time of a convolutional
autoencoder's step, a quarter of the coordinate network's. So the process keeps what its largest step needed.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import os
import platform
from collections.abc import Iterator

__all__ = ["collect_young", "keep_freed_memory"]

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # <malloc.h>
KEPT = 2**30  # bytes
NEVER = 2**30  # collections of younger objects before one of all


@functools.cache
def keep_freed_memory() -> None:
    """Let malloc keep up to 1 GiB that is free, where malloc is glibc's; once in a process.

    Large arrays come from the heap too, instead of being mapped and unmapped one by one. The user's own settings,
    ``MALLOC_TRIM_THRESHOLD_`` and its like or ``GLIBC_TUNABLES``, have the say.
    """
    chosen_by_user = {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_MMAP_MAX_", "GLIBC_TUNABLES"}
    if chosen_by_user & os.environ.keys() or platform.libc_ver()[0] != "glibc":
        return
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, KEPT)


@contextlib.contextmanager
def collect_young() -> Iterator[None]:
    """Let Python look for garbage among recent objects only.

    Importing and compiling make hundreds of thousands of objects that stay, and Python would go through all of them several
    times, for a tenth of a second or two.
    """
    *young, old = gc.get_threshold()
    if old == NEVER:  # within another
        yield
        return
    gc.set_threshold(young[0], young[1], NEVER)
    try:
        yield
    finally:
        gc.set_threshold(young[0], young[1], old)
