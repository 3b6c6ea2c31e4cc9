"""Files that can be made again: with a SHA-256 of all that is in them, and removed when nobody has read them for a month."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

from symae._runtime.atomic_files import replacing
from symae.errors import UnwritableError

UNREAD = 30 * 86400.0  # seconds after which a file is removed
_DAY = 86400.0


def read_checked(file: Path) -> memoryview | None:
    """Return what `write_checked` has written; None if the file is not there, or damaged."""
    try:
        content = memoryview(file.read_bytes())
    except OSError:
        return None
    with contextlib.suppress(OSError):  # it may lie where nothing can be written
        if file.stat().st_mtime < time.time() - _DAY:
            os.utime(file)  # it is still of use
    return content[32:] if hashlib.sha256(content[32:]).digest() == content[:32] else None


def write_checked(file: Path, content: bytes | memoryview) -> bool:
    """Write a file that `read_checked` reads. Of a disk that is full or read-only only the next start has to know."""
    with contextlib.suppress(UnwritableError, OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as opened:
            opened.write(hashlib.sha256(content).digest())
            opened.write(content)
        return True
    return False


def remove_unread(files: Iterable[Path]) -> None:
    """Remove those of `files` that nobody has read for long; another process may do the same."""
    before = time.time() - UNREAD
    for file in files:
        with contextlib.suppress(OSError):
            if file.lstat().st_mtime < before:
                file.unlink()
