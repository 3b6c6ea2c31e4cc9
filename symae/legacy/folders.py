"""Folders as a script sees them: several places are one, and it moves among them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

from symae.legacy.owners import is_inside
from symae.legacy.path_mapping import REAL, Places, name_of

__all__ = ["Folders"]


class Folders(Places):
    """Provide `os.chdir`, `os.listdir` and `os.scandir` for a script's file names."""

    def chdir(self, path: Any) -> None:
        """Move to where the output folder has that folder; to one outside of the project, really."""
        name = name_of(path)
        if name is None:
            REAL["chdir"](path)
            self.moved(None)
            return
        relative = None
        here, seen = REAL["getcwd"](), os.path.normpath(os.path.join(self.working_folder(), name))
        if not os.path.isabs(name) and is_inside(here, self.out):
            relative = os.path.normpath(os.path.join(self._seen_from(here), name))
        with self._once():
            whole, places = self.places(name)
            real = os.path.realpath(next((place for place in places if os.path.isdir(place)), whole))
            if not is_inside(real, self.out) and real != whole and self.owners.of(real) == "user":
                places = [self.places(real)[1][0], *places]  # a link of the script's to a folder of the user's
            ours = is_inside(places[0], self.out) and (
                relative is not None or is_inside(whole, self.out) or any(is_inside(whole, root) for root in self.roots)
            )
            if any(map(os.path.isdir, places)) and (ours or not os.path.isdir(whole)):
                self.make(places[0])
                path = places[0]
        REAL["chdir"](path)
        self.moved(relative if ours else None, seen if ours else None)

    def search_path(self, entries: Iterable[str]) -> list[str]:
        """Return where modules are looked for: names of folders are the script's, as those of files are."""
        found: list[str] = []
        for entry in entries:
            whole, places = self.places(entry)
            own = whole != os.path.normpath(entry) or any(is_inside(whole, root) for root in self.roots)
            if os.path.isabs(entry) and (is_inside(self.out, whole) or (own and not any(map(os.path.isdir, places)))):
                places = [*places, *self.made_of_here(whole)]
            found += [place for place in places if os.path.isdir(place)] if own else [entry]
        return found

    def listdir(self, path: Any = ".") -> list[Any]:
        """Return the names in a folder, as bytes if that is what it was named by."""
        return [entry.name for entry in self.scandir(path)]

    def scandir(self, path: Any = ".") -> _Entries:
        """Return what the run and the user have in a folder, but not the output folder itself."""
        path = "." if path is None else path
        name = name_of(path)
        if name is None:
            return _Entries(list(REAL["scandir"](path)))
        found: dict[Any, Any] = {}
        with self._once():  # where they really are
            folders = [place for place in self._folders(name) if os.path.isdir(place) and self.is_seen(place)]
        for folder in folders or [os.fsdecode(self.for_reading(name))]:
            for entry in REAL["scandir"](os.fsencode(folder) if isinstance(path, bytes) else folder):
                found.setdefault(entry.name, entry)
        entries = [(os.path.abspath(os.fsdecode(entry.path)), entry) for entry in found.values()]
        hidden = self.hidden | {at for at, _ in entries if not self.is_seen(at)}
        hidden |= {at for at, _ in entries if is_inside(self.out, at) and not any(is_inside(root, at) for root in self.roots)}
        return _Entries([entry for at, entry in entries if at not in hidden])

    def _folders(self, name: str) -> dict[str, None]:
        """Return the folders that are one for the script."""
        places = self.places(name)[1]
        for place in places:
            real = os.path.realpath(place)
            if is_inside(place, self.out) and not is_inside(real, self.out) and os.path.isdir(place):
                return dict.fromkeys(self.places(real)[1])  # what a link leads to
        return dict.fromkeys(places)


class _Entries:
    """Iterate over entries, and be closed, as what `os.scandir` returns."""

    def __init__(self, entries: list[Any]):
        self._entries = iter(entries)

    def __iter__(self) -> Iterator[Any]:
        return self._entries

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Do nothing: nothing is open."""
