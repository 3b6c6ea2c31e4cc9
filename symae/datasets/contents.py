"""A file's bytes, unpacked where gzip packed them."""

from __future__ import annotations

import gzip
import io
import stat
import zlib
from os import PathLike
from pathlib import Path
from typing import IO

from symae.errors import InputError, MissingFileError

__all__ = ["LARGEST", "excerpt", "is_file", "is_folder", "read_contents"]

# MNIST as float64 text is far below; what unpacks to more is a mistake or an attack.
LARGEST = 2 << 30
CHUNK = 1 << 20


def read_contents(path: str | PathLike[str]) -> bytes:
    """Read a file; gzip is recognised by its first two bytes, because browsers unpack downloads and leave the name.

    Raises
    ------
    MissingFileError
        There is no such file.
    InputError
        It is a folder or a device, may not be read, is empty, is longer than 2 GiB once unpacked, or is broken gzip: cut off,
        corrupt (checksum), or with something else after its end.
    """
    path = Path(path)
    try:
        # Before opening, because opening a pipe waits for a writer.
        kind = path.stat().st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            raise InputError(path, "a device or a pipe", "a file")
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            data = _unpacked(path, file) if packed else _bounded(path, file)
    except InputError:
        raise
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingFileError(path) from error
    except IsADirectoryError as error:
        raise InputError(path, "a folder", "a file") from error
    except OSError as error:
        raise InputError(path, (error.strerror or str(error)).lower(), "a readable file") from error
    except ValueError as error:  # a NUL in the name
        raise InputError(excerpt(str(path)), str(error), "a file name") from error
    if not data:
        raise InputError(path, "an empty file", "data")
    return data


def is_file(path: Path) -> bool:
    """Whether a regular file is there; False where it cannot be told."""
    return stat.S_ISREG(_mode(path))


def is_folder(path: Path) -> bool:
    """Whether a folder is there; False where it cannot be told."""
    return stat.S_ISDIR(_mode(path))


def excerpt(value: object) -> str:
    """At most 40 characters of something strange, fit for one line of an error."""
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _mode(path: Path) -> int:
    # Path.is_file raises for some names on Python 3.11 (too long, forbidden folder) and not on 3.13.
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return 0


def _bounded(path: Path, file: IO[bytes] | gzip.GzipFile) -> bytes:
    """Everything in `file`, a chunk at a time, so that memory follows the data there is and not what a header claims."""
    gathered = io.BytesIO()
    while chunk := file.read(CHUNK):
        if gathered.tell() + len(chunk) > LARGEST:
            raise InputError(path, f"more than {LARGEST >> 20} MiB", "a smaller file")
        gathered.write(chunk)
    return gathered.getvalue()


def _unpacked(path: Path, file: IO[bytes]) -> bytes:
    try:
        with gzip.GzipFile(fileobj=file) as unpacking:
            return _bounded(path, unpacking)
    except EOFError as error:
        raise InputError(path, "gzip data that is cut off", "a whole file") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InputError(path, f"broken gzip data ({error})", "a file as it was packed") from error
