"""`open` and the functions of `os` that take names, for the time of a run: they go by `symae.legacy.path_mapping`.

Names may be texts, bytes or paths, relative to a folder's descriptor too. What these functions do not see, an audit hook does.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from weakref import WeakValueDictionary

from symae.errors import UnwritableError
from symae.legacy.audit import WRITES, Change, watched
from symae.legacy.folders import Folders
from symae.legacy.libraries import libraries_redirected
from symae.legacy.owners import is_inside, is_there
from symae.legacy.path_mapping import REAL, REAL_OPEN, name_of
from symae.legacy.programs import Programs
from symae.legacy.replacements import replaced

__all__ = ["Files"]

# A temporary file without a name, in the folder that is given.
UNNAMED = getattr(os, "O_TMPFILE", -1)


class Files(Programs, Folders):
    """Map a script's file names, and provide the functions that the script uses on them."""

    started: Callable[[], None] = staticmethod(lambda: None)  # what is done before other programs are started

    def __init__(self, *arguments: Any, **keywords: Any):
        super().__init__(*arguments, **keywords)
        self._opened: WeakValueDictionary[int, Any] = WeakValueDictionary()

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Redirect the functions of `os` and `open` to these names as long as the block lasts, in the output folder."""
        before = REAL["getcwd"]()
        with ExitStack() as stack:
            stack.callback(self.tidy)
            stack.enter_context(replaced(self._functions()))
            stack.enter_context(libraries_redirected(self))
            stack.enter_context(self.programs_redirected())
            stack.enter_context(watched(self._judge, self._programs))
            REAL["chdir"](self.out)
            try:
                yield
            finally:
                REAL["chdir"](before)

    def _functions(self) -> dict[str, Callable[..., Any]]:
        """Return what replaces functions of `os`, and `open`, `io.FileIO` and `shutil.rmtree`."""
        reading = ("stat", "lstat", "access", "readlink", "statvfs", "getxattr", "listxattr")
        writing = ("chmod", "lchmod", "chown", "lchown", "chflags", "lchflags", "utime", "truncate", "setxattr", "removexattr")
        wanted: dict[str, Callable[[Any], Callable[..., Any]]] = {
            **dict.fromkeys(reading, self._reading),
            **dict.fromkeys(writing, self._writing),
            **dict.fromkeys(("fchmod", "fchown"), self._writing),
            **dict.fromkeys(("remove", "unlink", "rmdir"), self._removing),
            **dict.fromkeys(("rename", "replace"), self._renaming),
            **dict.fromkeys(("mkdir", "mkfifo", "mknod"), self._making),
            "link": self._linking,
            "symlink": self._pointing,
            **dict.fromkeys(("system", "execv", "execve", "posix_spawn", "posix_spawnp"), self.starter),
        }
        functions = {name: make(getattr(os, name)) for name, make in wanted.items() if hasattr(os, name)}
        own = {name: getattr(self, name) for name in ("listdir", "scandir", "chdir")}
        more = {"builtins.open": self.open, "FileIO": self.opened, "rmtree": self._removing(shutil.rmtree)}
        return {**functions, **own, "open": self._os_open, **more}

    # -- opening ----------------------------------------------------------------------------------------------------------

    def open(self, file: Any, mode: Any = "r", *rest: Any, **more: Any) -> Any:
        """Open a file as the built-in function does."""
        if more.get("opener") is not None and not os.path.isabs(name_of(file) or ""):  # perhaps in a folder that it knows
            return REAL_OPEN(file, mode, *rest, **more)
        opened = REAL_OPEN(self.opened(file, mode), mode, *rest, **more)
        if opened.writable():
            self._opened[id(opened)] = opened
        return opened

    def flush(self) -> None:
        """Write what the files that are open have not written yet."""
        for reference in self._opened.valuerefs():  # a list, whatever threads open and close meanwhile
            with suppress(OSError, ValueError):  # it is closed, or cannot be written
                if (file := reference()) is not None:
                    file.flush()

    def _os_open(self, path: Any, flags: int, *rest: Any, dir_fd: int | None = None, **more: Any) -> int:
        path, dir_fd = self._joined(path, dir_fd)
        if dir_fd is not None:
            return int(REAL["open"](path, flags, *rest, dir_fd=dir_fd, **more))
        if flags & UNNAMED == UNNAMED:
            folder = os.path.dirname(os.fsdecode(self.for_writing(os.path.join(os.fsdecode(path), "x"))))
            return int(REAL["open"](folder, flags, *rest, **more))
        if not flags & WRITES:
            return int(REAL["open"](self.for_reading(path), flags, *rest, **more))
        if flags & os.O_CREAT and flags & os.O_EXCL:
            self.must_be_new(path)
        target = self.continued(path, keeps=not flags & os.O_TRUNC, exists=not flags & os.O_CREAT)
        return int(REAL["open"](target, flags, *rest, **more))

    # -- names, changes and removals --------------------------------------------------------------------------------------

    def _joined(self, path: Any, folder: int | None) -> tuple[Any, int | None]:
        """Return a path relative to a folder's descriptor as a full one, where the folder's name can be found."""
        name = name_of(path)
        if folder is None or name is None or os.path.isabs(name):
            return path, None
        where = _path_of(folder)
        return (path, folder) if where is None else (os.path.join(where, name), None)

    def _reading(self, function: Callable[..., Any]) -> Callable[..., Any]:
        never = function.__name__ in ("lstat", "readlink")

        def reading(path: Any, *rest: Any, dir_fd: int | None = None, **more: Any) -> Any:
            path, dir_fd = self._joined(path, dir_fd)
            if dir_fd is not None:
                return function(path, *rest, dir_fd=dir_fd, **more)
            with self.quietly():  # a look is not yet a use
                seen = self.for_reading(path, more.get("follow_symlinks", True) and not never)
            found = function(seen, *rest, **more)
            return os.fsencode(found) if isinstance(found, str) and isinstance(path, bytes) else found

        return reading

    def _writing(self, function: Callable[..., Any]) -> Callable[..., Any]:
        never = function.__name__.startswith("l")

        def writing(path: Any, *rest: Any, dir_fd: int | None = None, **more: Any) -> Any:
            path, dir_fd = self._joined(path, dir_fd)
            if dir_fd is not None:
                return function(path, *rest, dir_fd=dir_fd, **more)
            where = _path_of(path) if isinstance(path, int) else None
            if where is not None and function.__name__ != "truncate":
                with self._once():
                    may = self.owners.may_change(where)
                if not may:  # of a file that was opened for reading
                    by_name = getattr(os, function.__name__.removeprefix("f"))
                    return by_name(self.continued(where, True), *rest, **more)
            return function(self.continued(path, True, follows=more.get("follow_symlinks", True) and not never), *rest, **more)

        return writing

    def _removing(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Let what the run wrote be removed; what the user has stays, and for the script it is gone."""

        def removing(path: Any, *rest: Any, dir_fd: int | None = None, **more: Any) -> Any:
            path, dir_fd = self._joined(path, dir_fd)
            if dir_fd is not None:
                return function(path, *rest, dir_fd=dir_fd, **more)
            with self.quietly():
                target, source = self.for_writing(path, follows=False), self.for_reading(path, follows=False)
            place = name_of(target)
            if place is None:
                return function(target, *rest, **more)
            seen = os.fsdecode(source)
            if place != self.out and (is_there(place) or not is_there(seen)):
                result = function(target, *rest, **more)
            elif function.__name__ == "rmdir" and (is_inside(self.out, seen) or self.listdir(seen)):
                raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), path)
            else:
                self.say(f"{os.fsdecode(path)}: not removed; what was there before the run stays")
                result = None
            if place != self.out and is_inside(place, self.out):
                self.hide(path)
            return result

        return removing

    def _renaming(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def renaming(src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None) -> None:
            (src, src_dir_fd), (dst, dst_dir_fd) = self._joined(src, src_dir_fd), self._joined(dst, dst_dir_fd)
            if src_dir_fd is not None or dst_dir_fd is not None:
                function(src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
                return
            source = self.continued(src, True, follows=False)
            function(source, self.for_writing(dst, follows=False))
            if is_inside(os.fsdecode(source), self.out):
                self.hide(src)

        return renaming

    def _linking(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Copy a file of the user's instead of linking it: another name for it would be a way to change it."""

        def linking(src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None, **more: Any) -> Any:
            (src, _), (dst, _) = self._joined(src, src_dir_fd), self._joined(dst, dst_dir_fd)
            source, target = self.for_reading(src), self.for_writing(dst, follows=False)
            with self._once():
                owner = self.owners.of(os.path.realpath(source))
            if owner != "run" and os.path.isfile(source):
                self.must_be_new(dst)
                with self._once():
                    shutil.copy2(source, target)
                return
            function(source, target, **more)
            found = REAL["stat"](target, follow_symlinks=False)
            self.linked.add((found.st_dev, found.st_ino))

        return linking

    def _pointing(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def pointing(src: Any, dst: Any, *rest: Any, dir_fd: int | None = None, **more: Any) -> Any:
            dst, dir_fd = self._joined(dst, dir_fd)
            if dir_fd is not None:
                return function(src, dst, *rest, dir_fd=dir_fd, **more)
            return function(src, self.for_writing(dst, follows=False), *rest, **more)

        return pointing

    def _making(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def making(path: Any, *rest: Any, dir_fd: int | None = None, **more: Any) -> Any:
            path, dir_fd = self._joined(path, dir_fd)
            if dir_fd is not None:
                return function(path, *rest, dir_fd=dir_fd, **more)
            return function(self.for_writing(path, follows=False), *rest, **more)

        return making

    # -- what no function above has seen ----------------------------------------------------------------------------------

    def _judge(self, change: Change) -> None:
        """Forbid a change of what is the user's."""
        with self._once() as first:
            if not first:
                return
            folder = None if change.folder in (-1, None) else change.folder
            path, unknown = self._joined(change.path, folder)
            name = _path_of(path) if isinstance(path, int) and change.event != "open" else name_of(path)
            if name is None or unknown is not None:
                return
            real = self.real(os.path.join(REAL["getcwd"](), name), change.follows)
            if change.event == "open" and os.path.isdir(real):  # of a temporary file without a name
                return
            shared = change.follows and change.event != "os.link" and os.path.isfile(real) and self.is_shared(os.stat(real))
            if self.owners.may_change(real) and not (shared and self.owners.of(real) == "run"):
                return
        where = os.path.relpath(self.out, self.roots[0]) if is_inside(self.out, self.roots[0]) else self.out
        raise UnwritableError(
            name, f"{change.event} by a way that symae run cannot redirect", f"open() and its kin, or a path in {where}"
        )

    def _programs(self) -> None:
        with self._once() as first:
            if first:
                self.started()


def _path_of(descriptor: int) -> str | None:
    """Return the path of what is open, where the system can say."""
    try:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return None
    return path if os.path.isabs(path) else None
