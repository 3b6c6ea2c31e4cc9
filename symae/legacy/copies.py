"""Copies of the user's files in the output folder, made when a script goes on with one."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import nullcontext, suppress
from typing import Any

from symae.legacy.owners import is_there
from symae.legacy.path_mapping import REAL, REAL_OPEN, Places, name_of

__all__ = ["Copies"]


class Copies(Places):
    """Map a script's file names, and copy what is in a file when the script opens or changes it."""

    def opened(self, file: Any, mode: Any) -> Any:
        """Return the path to open for `file` in this mode of the built-in `open`."""
        if not (isinstance(mode, str) and set(mode) & set("wax+")):
            return self.for_reading(file)
        if "x" in mode:
            self.must_be_new(file)
        return self.continued(file, keeps="w" not in mode)

    def must_be_new(self, path: Any) -> None:
        """Raise `FileExistsError` if the script sees something there."""
        with self.quietly():
            seen = self.for_reading(path, follows=False)
        if name_of(path) is not None and is_there(os.fsdecode(seen)):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)

    def continued(self, path: Any, keeps: bool, exists: bool = False, follows: bool = True) -> Any:
        """Return the path to write `path` at; where the script goes on with a file of the user's, that is a copy of it.

        Parameters
        ----------
        keeps : bool
            Whether the file's contents are wanted.
        exists : bool
            Whether there has to be a file, be it empty.
        follows : bool
            Whether a link's target is meant, and not the link.
        """
        with nullcontext() if keeps else self.quietly():  # only what is kept is read
            source = self.for_reading(path, follows)
        target = self.for_writing(path, follows)
        if name_of(target) is None:
            return target
        with self._once():
            old, new = os.fsdecode(source), os.fsdecode(target)
            if self.real(old, follows) == self.real(new, follows):
                self._part(new, keeps)
            elif not is_there(new) and is_there(old):
                self._copy(old, new, keeps, exists, follows)
        return target

    def _copy(self, old: str, new: str, keeps: bool, exists: bool, follows: bool) -> None:
        self.make(os.path.dirname(new))
        if os.path.islink(old) and not follows:
            os.symlink(os.readlink(old), new)
        elif os.path.isdir(old):
            if follows:
                self.make(new)
            else:  # moved, with all that is in it
                shutil.copytree(old, new, symlinks=True)
        elif os.path.isfile(old) and (keeps or exists):
            with REAL_OPEN(old, "rb") as source, REAL_OPEN(new, "wb") as target:
                if keeps:
                    shutil.copyfileobj(source, target)
            with suppress(OSError):
                shutil.copymode(old, new)

    def _part(self, place: str, keeps: bool) -> None:
        """Give a file a life of its own if another name, which the run has not made, is for the same contents."""
        try:
            found = REAL["stat"](place)
        except OSError:
            return
        if not self.is_shared(found) or self.owners.of(os.path.realpath(place)) == "free":
            return
        kept = f"{place}.of_symae"
        if keeps:
            shutil.copy2(place, kept)
        else:
            with REAL_OPEN(kept, "wb"):
                pass
        os.replace(kept, os.path.realpath(place))

    def is_shared(self, found: os.stat_result) -> bool:
        """Return True if a file has names that the run has not given it."""
        return stat.S_ISREG(found.st_mode) and found.st_nlink > 1 and (found.st_dev, found.st_ino) not in self.linked
