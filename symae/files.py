"""Writing files so that a good one is never replaced by half of a new one."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from symae.errors import UnwritableError

__all__ = ["make_folder", "replacing", "write_json", "write_text"]


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Yield a binary file that becomes `path` when the block ends without an error.

    The bytes go to a temporary file in the same folder, are flushed to the disk and renamed over `path`; if anything fails, the
    temporary file is removed and `path` keeps what it held.

    Raises
    ------
    UnwritableError
        The folder is missing or read-only, `path` is a folder, or the disk is full.
    """
    path = Path(path)
    if path.is_dir():
        raise UnwritableError(path, "a folder", "a file name")
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise UnwritableError(path, error.strerror or str(error)) from error
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files private; a result is as readable as any other file of this user.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        if isinstance(error, UnwritableError):
            raise
        raise UnwritableError(path, error.strerror or str(error)) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with replacing(path) as file:
        file.write(text.encode())


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Make the folder `path` and its parents, and return it; an existing folder is fine.

    Raises
    ------
    UnwritableError
        `path` or one of its parents is a file, or the folder cannot be made or written.
    """
    path = Path(path)
    for part in (path, *path.parents):
        if part.exists() and not part.is_dir():
            raise UnwritableError(part, "a file", "a folder, or a name that is free")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableError(path, error.strerror or str(error), "a folder that can be made") from error
    if not os.access(path, os.W_OK):
        raise UnwritableError(path, "a read-only folder", "a folder that can be written")
    return path


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
