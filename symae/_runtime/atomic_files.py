"""Writing files so that a good one is never replaced by half of a new one, and reading those that are files."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import reprlib
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from symae.errors import InputError, MissingFileError, UnwritableError

# what file systems answer that have no such thing for folders
UNSYNCED = {errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EROFS}


@contextmanager
def open_regular(path: str | os.PathLike[str], expected: str = "a readable file") -> Iterator[IO[bytes]]:
    """Yield the regular file `path`, open for reading, or raise MissingFileError.

    InputError is raised for anything else, and for what may not be read: opening a pipe waits for somebody who writes, and a
    device may have no end.
    """
    try:
        file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115 (closed below)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingFileError(path, expected=expected) from error
    except IsADirectoryError as error:
        raise InputError(path, "a folder", "a file") from error
    except OSError as error:
        raise InputError(path, (error.strerror or str(error)).lower(), expected) from error
    except ValueError as error:  # a NUL in the name
        raise InputError(reprlib.repr(str(path)), str(error), "a file name") from error
    with file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise InputError(path, "a device or a pipe", "a file")
        yield file


def read_regular(path: str | os.PathLike[str], expected: str = "a readable file") -> bytes:
    """Return the bytes of the regular file `path`; the errors are those of `open_regular`."""
    with open_regular(path, expected) as file:
        try:
            return file.read()
        except OSError as error:
            raise InputError(path, (error.strerror or str(error)).lower(), expected) from error


def append_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 at the end of the regular file `path`, made if it is not there, or raise UnwritableError."""
    with _named(path), open(path, "ab", opener=_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise UnwritableError(path, "a device or a pipe", "a file")
        file.write(text.encode())


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Yield a binary file that becomes `path` when the block ends without an error.

    The bytes go to a temporary file in the same folder, are flushed to the disk and renamed over `path`. If anything fails, the
    temporary file is removed and `path` keeps what it held; what the system refuses is an UnwritableError.
    """
    with _beside(Path(path)) as (file, temporary):
        yield file
        _finish(Path(path), file, temporary)
        move(temporary, Path(path))


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Write several files that belong together: none is renamed into its place before all are safe on the disk.

    They get their names in the order of `contents`, one after the other also where power is lost. After an UnwritableError all
    keep what they held.
    """
    with ExitStack() as stack:
        parts = [(path, *stack.enter_context(_beside(path))) for path in contents]
        for path, file, temporary in parts:
            with _named(path):
                file.write(contents[path])
            _finish(path, file, temporary)
        for path, _, temporary in parts:
            move(temporary, path)


def sweep(path: Path) -> None:
    """Remove what a process that was killed while it wrote `path` has left beside it."""
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with _named(part):
            part.unlink(missing_ok=True)


@contextmanager
def _beside(path: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """Yield a temporary file in the folder of `path`, which is gone after the block unless it was renamed."""
    if path.is_dir():
        raise UnwritableError(path, "a folder", "a file name")
    with _named(path):
        descriptor, temporary = _new_part(path)
    try:
        with _named(path), os.fdopen(descriptor, "wb") as file:
            yield file, temporary
    finally:
        temporary.unlink(missing_ok=True)


def _new_part(path: Path) -> tuple[int, Path]:
    """Create a file with a new name beside `path`, as readable as any other file of this user; mkstemp makes them private."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    while True:
        temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.part"
        with contextlib.suppress(FileExistsError):
            return os.open(temporary, flags, 0o666), temporary


def _finish(path: Path, file: IO[bytes], temporary: Path) -> None:
    with _named(path):
        file.flush()
        os.fsync(file.fileno())


def move(path: Path, new: Path) -> None:
    """Rename the file `path` to `new` in its folder, whatever has it, also if power is lost; or raise UnwritableError."""
    with _named(new):
        path.replace(new)
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Bring the names in `folder` to the disk: a file may be safe there and its name not yet."""
    if os.name != "posix":
        return  # folders cannot be opened there
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in UNSYNCED:
            raise
    finally:
        os.close(descriptor)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name `path` in the error when the system refuses something."""
    try:
        yield
    except UnwritableError:
        raise
    except OSError as error:
        raise UnwritableError(path, error.strerror or str(error)) from error


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with replacing(path) as file:
        file.write(text.encode())


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Make the folder `path` and its parents, if they are not there, and return it; or raise UnwritableError."""
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
