"""Large arrays of Numba's functions take memory that others have freed, instead of the system's."""

from __future__ import annotations

from typing import Any

from symae.patches.changes import Changes
from symae.patches.patch import Expected, Patch


def apply(numba_: Any, changes: Changes) -> None:
    from symae.kernels.kept_memory import address

    changes.link("NRT_MemInfo_alloc_aligned", address())


PATCH = Patch(
    module="pytensor.link.numba.dispatch",
    replaces="the function that Numba's machine code takes memory of arrays by, from 128 KB on",
    why="glibc hands memory of megabytes back to the system, which clears it again at the next step: a third of the time of a "
    "convolutional autoencoder's",
    upstream="not proposed: Numba has ExternalMemAllocator, but only the debugging API takes one; "
    "NRT_MemInfo_alloc_aligned could ask a process-wide one for large arrays",
    delete_when="Numba lets a program choose the memory of its arrays",
    apply=apply,
    expects=(Expected("numba.core.runtime.nrt", "rtsys"),),
)
