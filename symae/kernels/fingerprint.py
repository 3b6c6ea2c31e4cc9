"""What machine code depends on beside the graph: the sources that it is made of, which patches are applied, and threads."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path

FOLDERS = ("geometry", "kernels", "patches")

# Names of the patches of Numba that are applied: `symae.patches.registry` adds them. Machine code differs by them.
APPLIED: set[str] = set()


def fingerprint(files: Sequence[str] = ()) -> str:
    """Return the SHA-256 of the sources of kernels and patches, of `files`, of which patches are on, and of how many threads.

    Whatever keeps machine code on the disk has it in the key: an edited kernel would keep running its old machine code, and
    what a process with one thread has compiled would leave all but one idle in those after it, and round as with one.
    """
    from numba import config

    described = [str(config.NUMBA_NUM_THREADS), *sorted(APPLIED), sources(tuple(files))]
    return hashlib.sha256(" ".join(described).encode()).hexdigest()


@functools.cache
def sources(files: tuple[str, ...] = ()) -> str:
    """Return the same without the patches that are on, and the threads."""
    package = Path(__file__).parents[1]
    shared = (path for folder in FOLDERS for path in (package / folder).rglob("*"))
    digest = hashlib.sha256()
    for file in [*map(Path, files), *sorted(path for path in shared if path.suffix in {".py", ".h"})]:
        digest.update(file.read_bytes())
    return digest.hexdigest()
