"""A small part of large packed files, kept unpacked in the user's cache folder.

mini-MNIST, 5 MB, lies up to the 51,000th image of a stream that can only be unpacked from its beginning: a quarter of a second
in each start. What was read is kept under a digest of the files' paths, sizes and times; other files, or the same ones written
again, are read as if nothing was kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from symae._runtime.atomic_files import replacing
from symae.datasets.dataset import Pair
from symae.datasets.folders import cache_folder
from symae.errors import UnwritableError

_FORM = 2  # of what is kept: a SHA-256, and the archive that it is of
_UNREAD = 30 * 86400.0  # seconds after which what was made of other files is removed


def kept_pairs(name: str, files: Sequence[Path], make: Callable[[], list[Pair]]) -> list[Pair]:
    """Return what `make` makes of `files`, images and labels: as it is kept, if it was made of the same files before."""
    try:
        seen = [(str(file.resolve()), s.st_size, s.st_mtime_ns, s.st_ctime_ns) for file in files for s in [file.stat()]]
    except OSError:
        return make()  # says what is wrong
    digest = hashlib.sha256(repr((_FORM, seen)).encode()).hexdigest()[:32]
    kept = cache_folder() / "unpacked" / f"{name}-{digest}.kept"
    if (archive := _read(kept)) is not None:
        with np.load(io.BytesIO(archive), allow_pickle=False) as stored:
            return [(stored[f"x{i}"], stored.get(f"y{i}")) for i in range(int(stored["parts"]))]
    pairs = make()
    arrays: dict[str, Any] = {
        f"{key}{i}": array for i, pair in enumerate(pairs) for key, array in zip("xy", pair, strict=True) if array is not None
    }
    made = io.BytesIO()
    np.savez(made, parts=len(pairs), **arrays)
    with contextlib.suppress(UnwritableError, OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        _remove_unread(kept.parent.glob(f"{name}-*"))
        with replacing(kept) as opened:
            opened.write(hashlib.sha256(made.getbuffer()).digest())
            opened.write(made.getbuffer())
    return pairs


def _read(kept: Path) -> memoryview | None:
    """Return the archive that is kept; None if there is none, or another one than was written."""
    try:
        content = memoryview(kept.read_bytes())
    except OSError:
        return None
    return content[32:] if hashlib.sha256(content[32:]).digest() == content[:32] else None


def _remove_unread(files: Iterable[Path]) -> None:
    for file in files:
        with contextlib.suppress(OSError):
            seen = file.stat()
            if time.time() - max(seen.st_atime, seen.st_mtime) > _UNREAD:
                file.unlink()
