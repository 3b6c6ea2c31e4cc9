"""A folder of pictures: PNG, JPEG, GIF and others that Pillow decodes.

Pictures in folders have the folders' names as classes, in alphabetical order; pictures that all lie in one folder have no
labels. Either may lie in folders ``train``, ``valid`` (or ``val``) and ``test``.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from symae._runtime.atomic_files import open_regular
from symae.datasets.array_names import PARTS
from symae.datasets.contents import is_file, is_folder
from symae.datasets.dataset import Found, ImageShape, Pair
from symae.datasets.formats.base import Format
from symae.datasets.pictures import ENDINGS, decode
from symae.errors import InputError

# pictures that other programs read, so that a folder of them is not silently a part of itself
UNREAD = (".avif", ".cr2", ".dng", ".heic", ".heif", ".jp2", ".jxl", ".nef", ".psd", ".svg", ".tga", ".tif", ".tiff")
MOST_LOOKED_AT = 100_000  # files for the note of what is passed over


def read_pictures(folder: Path, image_shape: ImageShape | None = None, fit: str = "crop") -> Found | None:
    """Read a folder of pictures, or return None if it has none; `image_shape` and `fit` are those of `symae.datasets.read`.

    Pictures that cannot be decoded are left out, with a note, and so are those of other kinds and in deeper folders. Class
    folders without pictures, pictures beside class folders, and classes of test images that no training image has are an
    InputError.
    """
    parts: dict[int, Path] = {}
    for path in _folders(folder):
        part = PARTS.get(path.name.lower())
        if part is not None:
            if part in parts:
                raise InputError(folder, f"both {parts[part].name} and {path.name}", "one folder of them")
            parts[part] = path
    if 0 not in parts:
        parts = {0: folder}
    found = {part: _listed(path, closed=path is not folder) for part, path in sorted(parts.items())}
    if not any(found.values()):
        return None
    if 1 in found and 2 not in found:
        raise InputError(folder, "a folder for validation and none for tests", "a folder test")
    classes = sorted({name for name, _ in found[0] if name is not None})
    for part, path in parts.items():
        names = {name for name, _ in found[part]}
        if unknown := sorted(name or "none" for name in names - {*classes, *([None] if part == 2 or not classes else [])}):
            raise InputError(
                path, f"the classes {', '.join(unknown)[:200]}", f"those of training: {', '.join(classes) or 'none'}"
            )
    files = [(part, name, path) for part, pictures in found.items() for name, path in pictures]
    images, kept, notes = decode(folder, [(path.name, partial(open_regular, path)) for *_, path in files], image_shape, fit)
    numbers = {name: number for number, name in enumerate(classes)}
    pairs: list[Pair] = []
    for part in found:
        chosen = [at for at, i in enumerate(kept) if files[i][0] == part]
        labels = [numbers.get(files[kept[at]][1] or "", -1) for at in chosen]
        pairs.append((images[chosen], np.array(labels, np.int64) if classes and -1 not in labels else None))
    return Found(pairs, class_names=tuple(classes), notes=(*notes, *_passed_over(folder, {path for *_, path in files})))


def _passed_over(folder: Path, listed: set[Path]) -> Iterator[str]:
    """Yield a note of the pictures below `folder` that are none of `listed`, and one of those of kinds that are not read."""
    kinds: Counter[str] = Counter()
    elsewhere: Counter[str] = Counter()
    for path in _below(folder):
        ending = path.suffix.lower()
        if ending in UNREAD:
            kinds[ending] += 1
        elif ending in ENDINGS and path not in listed:
            elsewhere[str(path.parent.relative_to(folder))] += 1
    if elsewhere:
        yield f"{_pictures_of(elsewhere)} in other folders passed over: {_first(elsewhere)}"
    if kinds:
        yield f"{_pictures_of(kinds)} of other kinds passed over: {_first(kinds)}"


def _below(folder: Path) -> Iterator[Path]:
    """Yield the files in `folder` and in its folders, but not hidden ones."""
    looked_at = 0
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        for name in sorted(files):
            if (looked_at := looked_at + 1) > MOST_LOOKED_AT:
                return
            if not name.startswith("."):
                yield Path(place, name)


def _pictures_of(counted: Counter[str]) -> str:
    return f"{counted.total()} picture{'s' if counted.total() != 1 else ''}"


def _first(names: Iterable[str]) -> str:
    first = sorted(names)
    return (", ".join(first[:3]) + (", …" if len(first) > 3 else ""))[:300]


def _folders(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if is_folder(path) and not path.name.startswith((".", "__"))]


def _pictures(folder: Path) -> list[Path]:
    files = (path for path in sorted(folder.iterdir()) if path.name.lower().endswith(ENDINGS))
    return [path for path in files if not path.name.startswith(".") and is_file(path)]


def _listed(folder: Path, closed: bool) -> list[tuple[str | None, Path]]:
    """List pictures with the names of their classes, None for those in `folder` itself; empty ones are refused if `closed`."""
    own, classes = _pictures(folder), {path.name: _pictures(path) for path in _folders(folder)}
    named = [name for name, files in classes.items() if files]
    if own and named:
        raise InputError(
            folder, f"pictures beside the folders {', '.join(named)[:200]}", "all in folders of classes, or all in one"
        )
    if closed and not own and not named:
        raise InputError(folder, "no pictures", f"files {', '.join(ENDINGS)}, or folders of them")
    if named and len(named) < len(classes):
        empty = next(name for name, files in classes.items() if not files)
        raise InputError(folder / empty, "no pictures", "those of a class, as in the folders beside it")
    return [(None, path) for path in own] or [(name, path) for name in named for path in classes[name]]


FORMAT = Format(
    position=90,
    folder="pictures, in folders of classes or not",
    read_folder=read_pictures,
    options=("image_shape", "fit"),
)
