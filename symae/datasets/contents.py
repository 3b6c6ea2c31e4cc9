"""A file's bytes, unpacked where gzip or bzip2 packed them, and no more of them than a reader asks for."""

from __future__ import annotations

import bz2
import gzip
import io
import re
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import IO, Any

from symae._runtime.atomic_files import open_regular
from symae.errors import InputError

# MNIST as float64 text is far below; what unpacks to more is a mistake or an attack.
LARGEST = 2 << 30
CHUNK = 1 << 20
# MNIST's own files unpack to 5 to 60 times their length; a file that is made to fill memory to 1000 times.
UNSUSPICIOUS = 256 << 20
MOST_TIMES = 200
BZIP2 = re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)")  # the numbers of a block, or of the end


class Contents:
    """Read the bytes of a file, from its beginning to its end.

    Reading raises InputError where there are more than 2 GiB, where packed data is broken, or where it unpacks to more than 256
    MiB and 200 times its length.
    """

    def __init__(self, path: Path, file: IO[bytes]):
        self._path, self._packed = path, file
        begin = file.read(10)
        file.seek(0)
        self._file: Any = file
        self._kind = "gzip" if begin[:2] == b"\x1f\x8b" else "bzip2" if BZIP2.match(begin) else None
        if self._kind:
            self._file = gzip.GzipFile(fileobj=file) if self._kind == "gzip" else bz2.BZ2File(file)
        self._length = 0

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes, fewer only at the end; they are read in chunks, so memory follows the data there is."""
        gathered = io.BytesIO()
        while (missing := size - gathered.tell()) > 0 and (chunk := self._chunk(missing)):
            gathered.write(chunk)
        return gathered.getvalue()

    def read_writable(self, size: int) -> bytearray:
        """Return what `read` does in memory that an array can have for its own."""
        gathered = bytearray()
        while (missing := size - len(gathered)) > 0 and (chunk := self._chunk(missing)):
            gathered += chunk
        return gathered

    def rest(self) -> bytes:
        """Return all bytes up to the end."""
        return self.read(LARGEST + 1)

    def lines(self, longest: int) -> Iterator[bytes]:
        """Yield the lines, each with its end; a line of more than `longest` bytes raises InputError."""
        left = b""
        while chunk := self._chunk(CHUNK):
            *lines, left = (left + chunk).split(b"\n")
            yield from (line + b"\n" for line in lines)
            if len(left) > longest:
                raise InputError(self._path, f"a line of more than {longest} bytes", "shorter lines")
        if left:
            yield left

    def _chunk(self, size: int) -> bytes:
        try:
            chunk = self._file.read(min(size, CHUNK))
        except EOFError as error:
            raise InputError(self._path, f"{self._kind} data that is cut off", "a whole file") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise InputError(self._path, f"broken gzip data ({error})", "a file as it was packed") from error
        except OSError as error:
            if self._kind == "bzip2" and error.errno is None:
                raise InputError(self._path, f"broken bzip2 data ({error})", "a file as it was packed") from error
            raise InputError(self._path, (error.strerror or str(error)).lower(), "a readable file") from error
        self._length += len(chunk)
        if self._length > LARGEST:
            raise InputError(self._path, f"more than {LARGEST >> 20} MiB", "a smaller file")
        if self._kind and self._length > max(UNSUSPICIOUS, MOST_TIMES * self._packed.tell()):
            raise InputError(self._path, f"{self._kind} data that unpacks to more than {MOST_TIMES} times its length", "images")
        return chunk


@contextmanager
def open_contents(path: str | PathLike[str]) -> Iterator[Contents]:
    """Yield the contents of a file; what packed it is known by its first bytes, as browsers unpack downloads and keep the name.

    Raises MissingFileError, or InputError for a folder or a device, and for what may not be read or is empty.
    """
    with open_regular(path) as file:
        if not file.seek(0, io.SEEK_END):
            raise InputError(path, "an empty file", "data")
        file.seek(0)
        yield Contents(Path(path), file)


def read_contents(path: str | PathLike[str]) -> bytes:
    """Read a file; the errors are those of `open_contents` and of `Contents`."""
    with open_contents(path) as contents:
        data = contents.rest()
    if not data:
        raise InputError(path, "an empty file", "data")
    return data


def is_file(path: Path) -> bool:
    """Return True if a regular file is at `path`; False also where that cannot be found out."""
    return stat.S_ISREG(_mode(path))


def is_folder(path: Path) -> bool:
    """Return True if a folder is at `path`; False also where that cannot be found out."""
    return stat.S_ISDIR(_mode(path))


def excerpt(value: object) -> str:
    r"""Return at most 40 characters of the repr of `value`, fit for one line of an error.

    Bytes of a file are shown as the text that they are in UTF-8, others among them as ``\xff``.
    """
    text = repr(value.decode(errors="surrogateescape") if isinstance(value, bytes) else value)
    if isinstance(value, bytes):  # repr has written what is no UTF-8 as \udcff
        text = text.replace(r"\udc", r"\x")
    return text if len(text) <= 40 else text[:37] + "..."


def _mode(path: Path) -> int:
    # Path.is_file raises for some names on Python 3.11 (too long, forbidden folder) and not on 3.13.
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return 0
