"""Where a script's files go: what it writes into the output folder, what it reads there or where it always was.

The script runs with the output folder as its working directory, so whatever it writes by a relative path, through any library,
is there; `os.getcwd` says so, for what opens files in C. Names with ``..`` are taken as if it stood where the run was started,
also those that it makes of `os.getcwd`. Reading falls back to the folder that the run was started in and to the script's own.
Absolute paths into these two, and all others that are not the run's own or free, are written in the output folder as well: no
file of the user's is changed. Links are followed first: what counts is what a name leads to.
"""

from __future__ import annotations

import builtins
import os
import stat
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from symae.legacy.owners import Owners, is_inside, is_there

__all__ = ["REAL", "REAL_OPEN", "Places", "name_of"]

REPORT = "report.html"
ELSEWHERE = "elsewhere"
REAL = {
    name: getattr(os, name) for name in ("stat", "lstat", "mkdir", "listdir", "scandir", "open", "chdir", "access", "getcwd")
}
REAL_OPEN = builtins.open
DEEPEST = 40  # links to links


class Places:
    """Map both sides of a script's file names.

    Parameters
    ----------
    out : Path
        The output folder; it exists.
    caller, home : Path
        The folder that the run was started in, and the script's.
    known : callable
        Takes a path, and returns that of the data that the tutorials call so, or None.
    say : callable
        Takes a line for the user.
    """

    def __init__(
        self,
        out: Path,
        caller: Path,
        home: Path,
        known: Callable[[str], Path | None] = lambda name: None,
        say: Callable[[str], None] = print,
    ):
        self.out = os.path.realpath(out)
        self.roots = list(dict.fromkeys(os.path.realpath(folder) for folder in (caller, home)))
        self.owners = Owners(self.out, self.roots)
        self.known = known
        self.is_known_folder: Callable[[str], bool] = lambda name: False  # which need not make it
        self.say = say
        self.hidden = {os.path.join(self.out, ELSEWHERE)}
        # What the user has and the script has removed.
        self._gone: set[str] = set()
        # What the user has and a program was given a copy of, and that.
        self._given: dict[str, str] = {}
        self._perhaps_needed: list[str] = []
        # Files of the run's that it has given several names: device and number.
        self.linked: set[tuple[int, int]] = set()
        self._mentioned: set[str] = set()
        self._real_folders: dict[str, str] = {}
        self._changed = self._installed_folders()
        self._installed = tuple(self._changed)
        # The working directory, and where the script takes it to be: relative to the folders it started in, and in full.
        self._view = (self.out, ".", self.roots[0])
        self._here = threading.local()  # who asks here calls these functions again, and gets the real ones

    # -- what the script names --------------------------------------------------------------------------------------------

    def for_reading(self, path: Any, follows: bool = True) -> Any:
        """Return where to read what the script calls `path`: itself if it is nowhere, so that errors name what was asked."""
        name = name_of(path)
        if name is None or self._is_installed(name):
            return path
        with self._once() as first:
            return self._read_at(path, name, follows) if first else path

    def _is_installed(self, name: str) -> bool:
        """Return True if a name lies in Python's own folders, and the run has changed nothing there.

        Thousands of names are, while modules are imported: this is what can be said of them quickly.
        """
        if not name.startswith(self._installed) or os.pardir in name or self._gone or self._given:
            return False
        return not any(is_there(changed) for folder, changed in self._changed.items() if name.startswith(folder))

    def for_writing(self, path: Any, follows: bool = True) -> Any:
        """Return where to write `path`; the folder is made if the script can see one of that name."""
        name = name_of(path)
        if name is None:
            return path
        with self._once() as first:
            return self._write_at(path, name, follows) if first else path

    def _installed_folders(self) -> dict[str, str]:
        """Return Python's own folders, each with where what the run writes to it would be."""
        folders = {}
        for name in {sys.prefix, sys.base_prefix, *(sysconfig.get_path(which) for which in ("stdlib", "purelib", "platlib"))}:
            folder = os.path.realpath(name)
            if any(is_inside(place, folder) for place in (self.out, *self.roots)):
                continue  # the script is among what is installed
            of_root = (os.path.join(self.out, os.path.relpath(folder, root)) for root in self.roots if is_inside(folder, root))
            folders[folder + os.sep] = next(of_root, os.path.join(self.out, ELSEWHERE))
        return folders

    def _read_at(self, path: Any, name: str, follows: bool, depth: int = 0) -> Any:
        whole, places = self.places(name)
        for place in places:
            if self.is_seen(place):
                real = self.real(place, follows) if is_inside(place, self.out) or (follows and _is_link(place)) else place
                if real != place and depth < DEEPEST and not (is_inside(real, self.out) and is_there(real)):
                    return self._read_at(real, real, follows, depth + 1)  # a link: what it leads to may have a newer version
                return path if place == whole and self._names(name, whole) else place
        if any(map(is_there, places)):  # the script has removed it
            return places[0]
        for place in self._otherwise(name, whole):
            if self.is_seen(place):
                return place
        known = self.known(name)
        if known is not None:
            return str(known)
        if (left := self._of_another_run(places[0])) is not None:
            return left
        return path if is_inside(whole, self.out) or os.path.isabs(name) else whole

    def _write_at(self, path: Any, name: str, follows: bool) -> Any:
        asked = name
        for _ in range(DEEPEST):
            whole, places = self.places(name)
            if not is_inside(whole, self.out):
                owner = self.owners.of(self.real(whole, follows))
                itself = self._names(name, whole)
                if owner in ("run", "free") or (owner == "temporary" and itself):
                    return path if name is asked and itself else whole
            place = places[0]
            real = self.real(place, follows)
            if follows and not is_there(place) and (linked := self._linked_in_the_project(places[1:])):
                name = linked
                continue
            if is_inside(real, self.out) or self.owners.of(real) == "free":
                break
            name = real  # a link that leads out of the output folder
        if not is_inside(whole, self.out):
            self._tell(asked, place)
        for at in dict.fromkeys((place, real)):  # of a link, and of what it leads to
            folder = os.path.dirname(at)
            seen = self.is_folder(os.path.dirname(whole if at == place else real))
            seen = seen or (ELSEWHERE in os.path.relpath(at, self.out) and not self._is_quiet())
            if is_inside(at, self.out) and not is_there(folder) and seen:
                self.make(folder)
        return place

    def real(self, place: str, follows: bool = True) -> str:
        """Return the path without links; of a link itself, where it lies."""
        if is_inside(place, self.out) and not self._has_links(place, follows):
            return place
        if follows:
            return os.path.realpath(place)
        return os.path.join(os.path.realpath(os.path.dirname(place)), os.path.basename(place))

    def _linked_in_the_project(self, places: list[str]) -> str | None:
        """Return what a link of the user's leads to, if the output folder has a path for that."""
        link = next((place for place in places if self.is_seen(place)), None)
        if link is None or not _is_link(link):
            return None
        real = os.path.realpath(link)
        return real if any(is_inside(real, root) for root in self.roots) else None

    def _has_links(self, place: str, follows: bool) -> bool:
        """Return True if there may be a link on the way from the output folder: quicker than looking at every folder."""
        while len(place) > len(self.out):
            if follows and _is_link(place):
                return True
            place, follows = os.path.dirname(place), True
        return False

    def places(self, name: str) -> tuple[str, list[str]]:
        """Return the full path that `name` stands for, and where to look for it, the path in the output folder first."""
        here = REAL["getcwd"]()
        whole = os.path.normpath(os.path.join(here, name))
        if os.path.isabs(name) and self._is_beside(whole, name):
            beside = os.path.relpath(whole, self.out)
            made = self._places_of_relative(beside, os.path.join(self.roots[0], beside))
            if any(map(is_there, made[1])):
                return made
        if os.path.isabs(name) or not is_inside(here, self.out):
            if not is_inside(whole, self.out):
                return self._places_of_whole(whole)
            relative = os.path.relpath(whole, self.out)
            found = [whole, *(os.path.join(root, relative) for root in self.roots)]
            return whole, list(dict.fromkeys([*found, *self._elsewhere(relative)]))
        relative = os.path.normpath(os.path.join(self._seen_from(here), name))
        meant = self._places_of_relative(relative, os.path.join(self.working_folder(), name))
        # `os.path.relpath` gives names that lead out of where the script really is.
        if not is_inside(whole, self.out) and is_there(whole) and not any(map(is_there, meant[1])):
            return self._places_of_whole(whole)
        return meant

    def _places_of_relative(self, relative: str, path: str) -> tuple[str, list[str]]:
        """Return what `places` does, for a name relative to where the script began, which is `path` as it sees it now."""
        seen = list(dict.fromkeys([os.path.normpath(path), *self._seen(relative)]))
        for root in self.roots:
            if is_inside(seen[0], root):
                relative = os.path.relpath(seen[0], root)
                break
        if relative.split(os.sep)[0] == os.pardir:
            return seen[0], [self._written_elsewhere(seen[0]), *seen]
        whole = os.path.normpath(os.path.join(self.out, relative))
        return whole, list(dict.fromkeys([whole, *seen, *self._elsewhere(relative)]))

    def _places_of_whole(self, whole: str) -> tuple[str, list[str]]:
        """Return what `places` does, for a full path outside the output folder."""
        for find in (str, self._by_its_folder):
            path = find(whole)
            if is_inside(path, self.out):
                return path, [path]
            for root in self.roots:
                if is_inside(path, root):
                    return path, [os.path.normpath(os.path.join(self.out, os.path.relpath(path, root))), path]
        return whole, [self._written_elsewhere(whole), whole]

    def made_of_here(self, whole: str) -> list[str]:
        """Return what a full path leads to if it was made of `os.getcwd` and ``..``."""
        return self._seen(os.path.relpath(whole, self.out)) if os.path.commonpath([whole, self.out]) != os.sep else []

    def _is_beside(self, whole: str, name: str) -> bool:
        """Return True if a full path is made of `os.getcwd` and ``..``: nothing else leads to the folder of all runs."""
        if is_inside(whole, self.out):
            return False
        if is_inside(name, self.out):
            return True
        beside = os.path.dirname(self.out)
        if not is_inside(whole, beside):
            return False
        own = next((root for root in self.roots if is_inside(beside, root) and beside != root), None)
        if own is None or is_there(os.path.join(self.out, os.path.relpath(whole, own))):
            return False
        return whole == beside or not is_there(whole)

    def _written_elsewhere(self, whole: str) -> str:
        return os.path.join(self.out, ELSEWHERE, whole.lstrip(os.sep).replace(":", ""))

    def _otherwise(self, name: str, whole: str) -> list[str]:
        """Return where else to look for an absolute name: where the relative one is sought that it may be made of."""
        if not os.path.isabs(name) or is_inside(whole, self.out):
            return []
        places = self.made_of_here(whole)
        if os.path.commonpath([whole, self.roots[0]]) != os.sep:
            places = [*self._seen(os.path.relpath(whole, self.roots[0]))[1:], *places]
        # A folder of the project that is not there is not one of another project's.
        return [place for place in places if os.path.isfile(place) or not any(is_inside(whole, root) for root in self.roots)]

    def _names(self, name: str, whole: str) -> bool:
        """Return True if a name is that full path, perhaps by way of links, and need not be mapped."""
        return os.path.isabs(name) and whole in ((path := os.path.normpath(name)), self._by_its_folder(path))

    def _by_its_folder(self, whole: str) -> str:
        """Return the path whose folder has no links: remembered, except where the run may make links."""
        folder = os.path.dirname(whole)
        real = self._real_folders.get(folder)
        if real is None:
            real = os.path.realpath(folder)
            if not is_inside(real, self.owners.temporary) and not is_inside(real, self.out):
                self._real_folders[folder] = real
        return os.path.join(real, os.path.basename(whole))

    def _elsewhere(self, relative: str) -> list[str]:
        """Return the file that one in the folder for all others stands for."""
        top, _, rest = relative.partition(os.sep)
        return [os.sep + rest] if top == ELSEWHERE and os.sep == "/" else []

    def _seen(self, relative: str) -> list[str]:
        return [os.path.normpath(os.path.join(root, relative)) for root in self.roots]

    def _seen_from(self, here: str) -> str:
        return self._view[1] if here == self._view[0] else os.path.relpath(here, self.out)

    def working_folder(self) -> str:
        """Return where the script takes the working directory to be."""
        here = REAL["getcwd"]()
        return self._view[2] if here == self._view[0] else self._meant_by(here)

    def _meant_by(self, here: str) -> str:
        """Return the folder that one of the output folder stands for; another itself."""
        if not is_inside(here, self.out):
            return here
        relative = os.path.relpath(here, self.out)
        return os.path.normpath([*self._elsewhere(relative), os.path.join(self.roots[0], relative)][0])

    def moved(self, relative: str | None, seen: str | None = None) -> None:
        """Note that the script has changed the working directory, and takes it to be there."""
        here = REAL["getcwd"]()
        if seen is None or is_inside(seen, self.out):
            seen = self._meant_by(here)
        self._view = (here, relative if relative is not None else os.path.relpath(here, self.out), seen)

    def _of_another_run(self, place: str) -> str | None:
        """Find the newest file of that name that another script's run left: under Python both have one working directory."""
        beside, relative = os.path.dirname(self.out), os.path.relpath(place, self.out)
        try:
            runs = [run for run in REAL["listdir"](beside) if os.path.isfile(os.path.join(beside, run, REPORT))]
        except OSError:
            return None
        found = [os.path.join(beside, run, relative) for run in runs]
        found = [place for place in found if relative != REPORT and os.path.isfile(place)]
        if not found:
            return None
        newest = max(found, key=os.path.getmtime)
        self.tell(f"{relative}: read from {newest[: -len(relative) - 1]}, where another run left it")
        return newest

    def is_folder(self, whole: str) -> bool:
        """Return True if the script sees a folder there."""
        if any(os.path.isdir(place) and self.is_seen(place) for place in self.places(whole)[1]):
            return True
        return self.is_known_folder(whole)

    def is_seen(self, place: str) -> bool:
        """Return True if there is something at a path that the script has not removed."""
        given = self._given.get(place, place)  # which a program may have removed
        return is_there(place) and is_there(given) and not any(is_inside(place, gone) for gone in self._gone)

    def give(self, path: str, copy: str) -> None:
        """Note that a program is given a copy of what the user has under a name: where that is gone, both are."""
        with self._once():
            self._given |= {place: copy for place in self.places(path)[1] if not is_inside(place, self.out) and is_there(copy)}

    def hide(self, path: Any) -> None:
        """Let the script see no more of what the user has under this name: it has removed it."""
        with self._once():
            places = self.places(os.fsdecode(path))[1]
            places = [place for place in places if not is_inside(place, self.out)]
            self._gone |= {place for place in places if not any(is_inside(kept, place) for kept in (self.out, *self.roots))}

    def make(self, folder: str) -> None:
        """Make a folder and its parents where it really is."""
        if not is_there(folder):
            self.make(os.path.dirname(folder))
            REAL["mkdir"](folder)
            if self._is_quiet():
                self._perhaps_needed.append(folder)

    def tidy(self) -> None:
        """Remove folders that were made for programs and are empty."""
        for folder in reversed(self._perhaps_needed):
            with suppress(OSError):
                os.rmdir(folder)

    # -- who asks, and what is said ---------------------------------------------------------------------------------------

    @contextmanager
    def _once(self) -> Iterator[bool]:
        """Yield True if this is the outermost call of this thread."""
        first = not getattr(self._here, "busy", False)
        self._here.busy = True
        try:
            yield first
        finally:
            if first:
                self._here.busy = False

    @contextmanager
    def unmapped(self) -> Iterator[None]:
        """Let names stand for what they name, in this thread, as long as the block lasts: symae itself asks."""
        with self._once():
            yield

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Map names without a word to the user, in this thread, as long as the block lasts: nothing is read or written."""
        before = self._is_quiet()
        self._here.quiet = True
        try:
            yield
        finally:
            self._here.quiet = before

    def _is_quiet(self) -> bool:
        return getattr(self._here, "quiet", False)

    def tell(self, line: str) -> None:
        """Say what becomes of a file that the script reads or writes."""
        if not self._is_quiet():
            self.say(line)

    def _tell(self, name: str, place: str) -> None:
        if place not in self._mentioned and not self._is_quiet():
            self._mentioned.add(place)
            self.say(f"{name}: written to {os.path.relpath(place, self.out)} in {self.out}; what is there stays as it is")


def _is_link(place: str) -> bool:
    try:
        return stat.S_ISLNK(REAL["lstat"](place).st_mode)
    except (OSError, ValueError):
        return False


def name_of(path: Any) -> str | None:
    """Return the path as a text, or None for what is not a path: a file's number."""
    if isinstance(path, int):
        return None
    try:
        return os.fsdecode(os.fspath(path))
    except (TypeError, ValueError):
        return None
