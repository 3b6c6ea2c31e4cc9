"""What a process that trains may ask for, `tune_process`; and compiling seldom looks for garbage all over, meanwhile.

A training step allocates the results of its layers, megabytes each, and frees them. By default glibc hands such memory back to
the system at once, and at the next call the system clears it again, page by page. A process that is tuned keeps what its
largest step needed. (On Numba arrays that large have memory of their own, `symae.kernels.kept_memory`.)
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import math
import os
import platform
from collections.abc import Iterator
from pathlib import Path

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # <malloc.h>
KEPT = 2**30  # bytes
# Collections of younger objects before one of all; Python has 10. Compiled functions that are read from the disk need 23 to 34,
# a convolutional step that is compiled 170, and without any its garbage is 200 MB.
SELDOM = 40
# The same once machine code is made anew: worksheet 01 has 260 MB at most, with 40 it had 267.
LESS_SELDOM = 10


def physical_memory() -> float:
    """Return how many bytes of memory the machine has; infinity where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return math.inf


def memory_limit() -> float:
    """Return how many bytes this process may have: those of the machine, or fewer by ``ulimit -v`` or its control group."""
    limits = [physical_memory()]
    with contextlib.suppress(ImportError, OSError):  # there are none on Windows
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        limits += [] if soft == resource.RLIM_INFINITY else [soft]
    for group in ("", *_control_groups()):
        with contextlib.suppress(OSError, ValueError):  # there is no such file, or it says "max"
            limits.append(int(Path(f"/sys/fs/cgroup{group}/memory.max").read_text(encoding="ascii")))
    return min(limits)


def _control_groups() -> list[str]:
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return [line.removeprefix("0::").rstrip("/") for line in lines if line.startswith("0::/")]


@functools.cache
def tune_process() -> None:
    """Set this process up for training: let it keep up to 1 GiB of memory that is free, where malloc is glibc's.

    Worksheets and the commands of symae ask for it. A script that trains large models on the C backend, or makes large arrays
    of NumPy's again and again, may, too; Numba's arrays are kept in any case. symae does not do so by itself, because it is for
    the whole process and cannot be taken back; calling it again does nothing. Large arrays come from the heap then, instead of
    being mapped and unmapped one by one. The user's own settings, ``MALLOC_TRIM_THRESHOLD_`` and its like or
    ``GLIBC_TUNABLES``, take precedence. What is free at the time of the call goes back to the system: call it when the data is
    read and the steps are compiled.

    Examples
    --------
    >>> import symae
    >>> symae.tune_process()
    """
    chosen_by_user = {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_MMAP_MAX_", "GLIBC_TUNABLES"}
    if chosen_by_user & os.environ.keys() or platform.libc_ver()[0] != "glibc":
        return
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, KEPT)
        libc.malloc_trim(0)


@contextlib.contextmanager
def collect_young() -> Iterator[None]:
    """Let Python look for garbage mostly among recent objects.

    Importing and compiling make hundreds of thousands of objects that stay, and Python would go through all of them several
    times, for a tenth of a second or two. What a compiler leaves behind is freed all the same, if there is much of it.
    """
    *young, old = gc.get_threshold()
    if old >= SELDOM:  # within another, or as the user has it
        yield
        return
    gc.set_threshold(young[0], young[1], SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(young[0], young[1], old)


def collect_less_seldom() -> None:
    """Let Python look for garbage all over more often until `collect_young` ends: the compiler has begun to leave much."""
    *young, old = gc.get_threshold()
    if old == SELDOM:
        gc.set_threshold(young[0], young[1], LESS_SELDOM)


def end_quickly() -> None:
    """Let this process, whose work is done, end without taking libraries to pieces: Numba's takes half a second.

    What a program has left behind has been collected before: it would not be any more.
    """
    gc.freeze()
