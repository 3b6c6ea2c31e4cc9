"""A small part of large packed files, kept unpacked in the user's cache folder.

mini-MNIST, 5 MB, lies up to the 51,000th image of a stream that can only be unpacked from its beginning: a quarter of a second
in each start. What was read is kept under a digest of the files' paths, sizes and times; other files, or the same ones written
again, are read as if nothing was kept.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from symae._runtime.checked_files import read_checked, remove_unread, write_checked
from symae.datasets.dataset import Pair
from symae.datasets.folders import cache_folder

_FORM = 2  # of what is kept


def kept_pairs(name: str, files: Sequence[Path], make: Callable[[], list[Pair]]) -> list[Pair]:
    """Return what `make` makes of `files`, images and labels: as it is kept, if it was made of the same files before."""
    try:
        seen = [(str(file.resolve()), s.st_size, s.st_mtime_ns, s.st_ctime_ns) for file in files for s in [file.stat()]]
    except OSError:
        return make()  # says what is wrong
    digest = hashlib.sha256(repr((_FORM, seen)).encode()).hexdigest()[:32]
    kept = cache_folder() / "unpacked" / f"{name}-{digest}.kept"
    if (archive := read_checked(kept)) is not None:
        with np.load(io.BytesIO(archive), allow_pickle=False) as stored:
            return [(stored[f"x{i}"], stored.get(f"y{i}")) for i in range(int(stored["parts"]))]
    pairs = make()
    arrays: dict[str, Any] = {
        f"{key}{i}": array for i, pair in enumerate(pairs) for key, array in zip("xy", pair, strict=True) if array is not None
    }
    made = io.BytesIO()
    np.savez(made, parts=len(pairs), **arrays)
    if write_checked(kept, made.getbuffer()):
        remove_unread(kept.parent.glob(f"{name}-*"))
    return pairs
