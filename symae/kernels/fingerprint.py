"""What machine code depends on beside the graph: the sources that it is made of, and which patches are applied."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path

FOLDERS = ("geometry", "kernels", "patches")

# Names of the patches of Numba that are applied: `symae.patches.registry` adds them. Machine code differs by them.
APPLIED: set[str] = set()


def fingerprint(files: Sequence[str] = ()) -> str:
    """Return the SHA-256 of the sources of kernels and patches, of `files`, and of which patches are on.

    Whatever keeps machine code on the disk has it in the key: an edited kernel would keep running its old machine code.
    """
    return hashlib.sha256(" ".join([*sorted(APPLIED), sources(tuple(files))]).encode()).hexdigest()


@functools.cache
def sources(files: tuple[str, ...] = ()) -> str:
    """Return the same without the patches that are on."""
    package = Path(__file__).parents[1]
    shared = (path for folder in FOLDERS for path in (package / folder).rglob("*"))
    digest = hashlib.sha256()
    for file in [*map(Path, files), *sorted(path for path in shared if path.suffix in {".py", ".h"})]:
        digest.update(file.read_bytes())
    return digest.hexdigest()
