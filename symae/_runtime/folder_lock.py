"""One training at a time in a folder: two would write into the same history and sweep each other's files."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from symae.errors import InputError, UnwritableError

FILE = ".training.lock"


@dataclass
class _Held:
    descriptor: int
    process: int
    thread: int
    count: int = 1


_held: dict[str, _Held] = {}
_guard = threading.Lock()


class FolderLock:
    """Hold the right to train in `folder`, which exists, until `release` or the end of the process, however it ends.

    The system's lock on the file ``.training.lock``, which goes with the process; a file that is left says nothing. Whoever has
    it can take it again in the same thread; for others it is an InputError. Where a file system has no locks, there is none.
    """

    def __init__(self, folder: Path):
        self.path = folder.resolve() / FILE
        self._released = False
        with _guard:
            held = _held.get(str(self.path))
            if held is not None and held.process == os.getpid():
                if held.thread != threading.get_ident():
                    raise self._refusal("another thread of this process")
                held.count += 1
            else:
                _held[str(self.path)] = _Held(self._taken(folder), os.getpid(), threading.get_ident())

    def release(self) -> None:
        """Let others train in the folder; a second call does nothing."""
        with _guard:
            held = _held.get(str(self.path))
            if self._released or held is None or held.process != os.getpid():
                return
            self._released = True
            held.count -= 1
            if not held.count:
                del _held[str(self.path)]
                with suppress(OSError):  # Windows removes no file that is open
                    self.path.unlink()
                os.close(held.descriptor)

    def _taken(self, folder: Path) -> int:
        while True:
            try:
                descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NONBLOCK", 0), 0o666)
            except OSError as error:
                raise UnwritableError(self.path, error.strerror or str(error), "a file of symae's own") from error
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise UnwritableError(self.path, "a device or a pipe", "a file of symae's own")
                if not _lock(descriptor):
                    raise self._refusal(_holder(descriptor))
                # whoever had it before may have removed the file after this one was opened
                if self._is_there(descriptor):
                    os.ftruncate(descriptor, 0)
                    os.write(descriptor, f"{os.getpid()}\n".encode())
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    def _is_there(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.stat())
        except OSError:
            return False

    def _refusal(self, holder: str) -> InputError:
        return InputError(self.path.parent, f"a training by {holder}, which goes on", "one training at a time in a folder")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the `FolderLock` of `folder` as long as the block lasts."""
    lock = FolderLock(folder)
    try:
        yield
    finally:
        lock.release()


def _holder(descriptor: int) -> str:
    number = os.pread(descriptor, 20, 0).strip() if hasattr(os, "pread") else b""
    return f"process {number.decode()}" if number.isdigit() else "another process"


if os.name == "nt":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        """Lock the open file, if nobody has."""
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True

else:
    import errno
    import fcntl

    def _lock(descriptor: int) -> bool:
        """Lock the open file, if nobody has."""
        try:
            # a process's own: children that are forked do not keep it when their parent is killed
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in (errno.EACCES, errno.EAGAIN)
        return True
