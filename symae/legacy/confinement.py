"""How far the process of a run is kept from the user's files, beyond what Python's own functions do."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from symae.legacy.file_redirection import Files
from symae.legacy.landlock import confine
from symae.legacy.owners import COMPILED, is_inside
from symae.legacy.session import Session

__all__ = ["confined"]

OWN = Path(__file__).parents[1]
LIBRARIES = str(Path(os.__file__).parent)
# What is opened for writing outside of all folders: devices, and what a process says of itself.
DEVICES = ("/dev", "/dev/null", "/dev/tty", "/proc/self")


@contextmanager
def confined(session: Session, own_process: bool) -> Iterator[None]:
    """Confine this process, where it is there for the run alone and the system can, for good; say so when it matters.

    Afterwards it and all that it starts can write in the output folder, in the temporary folder and in the caches of libraries.
    Where the user's folders lie in the temporary one, the run gets a temporary folder of its own, which goes with the block.
    """
    files = session.files
    files.started = lambda: _warn(session)
    if not own_process:
        yield
        return
    with _temporary_folder(files) as temporary:
        files.is_confined = session.is_confined = confine([files.out, temporary, *_writable(files)])
        yield


@contextmanager
def _temporary_folder(files: Files) -> Iterator[str]:
    folder = files.owners.temporary
    if not _holds_the_users(files, folder):
        yield folder
        return
    before = tempfile.tempdir, os.environ.get("TMPDIR")
    with tempfile.TemporaryDirectory(dir=files.out, prefix=".tmp", ignore_cleanup_errors=True) as own:
        tempfile.tempdir = os.environ["TMPDIR"] = own
        files.owners.use_temporary(own)
        files.hidden.add(own)
        try:
            yield own
        finally:
            tempfile.tempdir = before[0]
            if before[1] is None:
                os.environ.pop("TMPDIR", None)
            else:
                os.environ["TMPDIR"] = before[1]


def _writable(files: Files) -> list[str]:
    """List devices, caches, and folders of compiled code beside symae's own modules and those of installed packages.

    A folder that holds one of the user's is none of them.
    """
    owners = files.owners
    for cache in owners.caches[:3]:
        with suppress(OSError):  # whoever needs it will say so
            Path(cache).mkdir(parents=True, exist_ok=True)
    folders = [folder for folder in (*DEVICES, *owners.caches, *owners.python) if not _holds_the_users(files, folder)]
    return [*folders, *(str(folder) for folder in OWN.rglob(COMPILED))]


def _holds_the_users(files: Files, folder: str) -> bool:
    return any(is_inside(root, folder) for root in files.roots)


def _warn(session: Session) -> None:
    """Print one line when the script starts another program, and none when a compiler is started for it."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code.co_filename not in session.sources:
        file = frame.f_code.co_filename
        if not file.startswith(("<", LIBRARIES, str(OWN))) or "-packages" in file:
            return
        frame = frame.f_back
    if frame is None:
        return
    if session.is_confined:
        session.say("the script starts another program: it can write in the output folder and temporary ones only")
    else:
        session.say("the script starts another program, which symae cannot keep from changing files of yours")
