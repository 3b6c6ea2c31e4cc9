"""Writing files so that a good one is never replaced by half of a new one."""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from symae.errors import UnwritableError

__all__ = ["make_folder", "replacing", "sweep", "write_text", "write_together"]


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
    with _beside(Path(path)) as (file, temporary):
        yield file
        _finish(Path(path), file, temporary)
        _rename(temporary, Path(path))


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Write several files that belong together: none is renamed into its place before all are safe on the disk.

    Raises
    ------
    UnwritableError
        As in `replacing`; all files keep what they held.
    """
    with ExitStack() as stack:
        parts = [(path, *stack.enter_context(_beside(path))) for path in contents]
        for path, file, temporary in parts:
            with _named(path):
                file.write(contents[path])
            _finish(path, file, temporary)
        for path, _, temporary in parts:
            _rename(temporary, path)


def sweep(path: Path) -> None:
    """Remove what a process that was killed while it wrote `path` has left beside it."""
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with _named(part):
            part.unlink(missing_ok=True)


@contextmanager
def _beside(path: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """A temporary file in the folder of `path`, gone after the block unless it was renamed."""
    if path.is_dir():
        raise UnwritableError(path, "a folder", "a file name")
    with _named(path):
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    temporary = Path(name)
    try:
        with _named(path), os.fdopen(descriptor, "wb") as file:
            yield file, temporary
    finally:
        temporary.unlink(missing_ok=True)


def _finish(path: Path, file: IO[bytes], temporary: Path) -> None:
    with _named(path):
        file.flush()
        os.fsync(file.fileno())
        # mkstemp makes files private; a result is as readable as any other file of this user.
        temporary.chmod(0o666 & ~_umask())


def _rename(temporary: Path, path: Path) -> None:
    with _named(path):
        temporary.replace(path)


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
