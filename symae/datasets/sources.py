"""From a name or a path to a `Dataset`: which reader fits."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from symae.datasets.array_names import as_bytes
from symae.datasets.contents import excerpt, is_file, is_folder
from symae.datasets.dataset import Dataset, Found, ImageShape, Pair, checked_dataset, checked_shape, three_parts
from symae.datasets.folders import digits_file, find_mnist, mnist_folder, search_folders
from symae.datasets.formats import FORMATS, READERS, WORDS
from symae.datasets.formats.idx import idx_files, pointed_at, read_idx_folder
from symae.datasets.formats.npz import read_npz
from symae.datasets.kept_parts import kept_pairs
from symae.datasets.named import SETS, find_named, read_named
from symae.errors import InputError, MissingFileError

NAMES = ("mini_mnist", "mnist", "digits", *SETS)
MNIST_COUNTS = (60000, 10000)
MINI = (5000, 1000, 1000)
FITS = ("crop", "pad")


def read(
    name_or_path: str | PathLike[str] | None = None, *, image_shape: Sequence[int] | None = None, fit: str = "crop"
) -> Dataset:
    """Read images, whatever they are stored as, and check them.

    Parameters
    ----------
    name_or_path : str or path, optional
        A name: ``"mini_mnist"`` (the first 5000, 1000 and 1000 images of the next), ``"mnist"`` (50000, 10000 and 10000: the
        first 50000 training images, the last 10000 of them, the test images), ``"digits"`` (the embedded ones, drawn by symae,
        5000, 1000 and 1000), or a set that `download_set` has brought: ``"fashion_mnist"``, ``"kmnist"``, ``"emnist"``
        (its letters, with labels from 1; ``"emnist_digits"`` and others are there too), ``"usps"``, ``"cifar10"``,
        ``"olivetti"``. Without one, `default`.

        Or a path: a file or a folder in one of the formats of ``docs/data.md``. Where the source has no validation images, the
        last sixth of training becomes that; where it has one part only, it is cut 5 : 1 : 1, in its order, or shuffled if it
        is sorted by its labels. A file name without a folder is also looked for where MNIST is. A path that looks like a name
        is written ``./mnist``.
    image_shape : (c, h, w), optional
        How rows of pixels are laid out, if that is not a square. Pictures of a folder are made of this size and of so many
        channels. Images of three channels become grey where it says one.
    fit : {"crop", "pad"}
        How pictures of another shape are brought to it: the middle of each, or each as a whole on black.

    Returns
    -------
    Dataset
        Bytes stay uint8, and floats that are all whole numbers up to 255 become that; floats in [0, 1] keep their precision.

    Raises
    ------
    MissingFileError
        The file, the folder or a file in it is not there.
    InputError
        The data is not valid; the message names the file, what was found and what was expected.
    """
    shape = checked_shape(image_shape)
    if fit not in FITS:
        raise InputError("fit", repr(fit), " or ".join(map(repr, FITS)))
    if name_or_path is None:
        name_or_path = default()
    if name_or_path == "digits":
        path, name = digits_file(), "symae's own stroke digits, 5000/1000/1000 images"
        return checked_dataset(name, path, three_parts(path, read_npz(path).pairs), Found([], shape))
    if name_or_path in ("mnist", "mini_mnist"):
        folder, name = mnist_folder(), "MNIST, 50000/10000/10000 images"
        if name_or_path == "mini_mnist":
            name = "mini-MNIST, the first 5000/1000/1000 images of MNIST"
            pairs: Sequence[Pair | None] = kept_pairs(
                "mini_mnist", idx_files(folder), lambda: _mini(three_parts("MNIST", _mnist(folder)))
            )
        else:
            pairs = three_parts("MNIST", _mnist(folder))
        return checked_dataset(name, "MNIST", pairs, Found([], shape))
    if name_or_path in SETS:
        found = read_named(str(name_or_path))
        parts = three_parts(name_or_path, as_bytes(found.pairs))
        name = f"{SETS[str(name_or_path)].title}, {_counts(parts)} images"
        return checked_dataset(name, name_or_path, parts, _as_asked(found, shape))
    path = _located(name_or_path)
    options = {"image_shape": shape, "fit": fit}
    found = _read_folder(path, options) if is_folder(path) else _read_file(path, options)
    parts = three_parts(path, as_bytes(found.pairs))
    return checked_dataset(f"{path.resolve().name}, {_counts(parts)} images", path, parts, _as_asked(found, shape))


def available() -> tuple[str, ...]:
    """Return the names that `read` takes and that this machine has the files of; the files are not opened."""
    names = ("mini_mnist", "mnist") if find_mnist() else ()
    names = (*names, *(name for name in SETS if find_named(name)))
    try:
        digits_file()
    except MissingFileError:
        return names
    return (*names, "digits")


def default() -> str:
    """Return the name of the default data: ``"mini_mnist"`` where MNIST's four files are found, ``"digits"`` elsewhere."""
    return "mini_mnist" if find_mnist() else "digits"


def _counts(parts: Sequence[Pair | None]) -> str:
    return "/".join(str(len(pair[0])) if pair[0].ndim else "?" for pair in parts if pair is not None)


def _as_asked(found: Found, shape: ImageShape | None) -> Found:
    """Return `found` with the shape that is asked for, if the source does not know better how its rows are laid out."""
    if shape is None or found.image_shape == shape:
        return found
    if found.image_shape is not None:
        pairs = [(x.reshape(-1, *found.image_shape) if x.ndim == 2 else x, y) for x, y in found.pairs]
        return replace(found, pairs=pairs, image_shape=shape)
    return replace(found, image_shape=shape)


def _mnist(folder: Path) -> list[Pair]:
    train, test = read_idx_folder(folder)
    for (x, _), count, what in ((train, MNIST_COUNTS[0], "training"), (test, MNIST_COUNTS[1], "test")):
        if len(x) != count:
            expected = f"{count}, which MNIST has; read the folder by its path instead"
            raise InputError(folder, f"{len(x)} {what} images", expected)
    return [train, test]


def _mini(pairs: Sequence[Pair | None]) -> list[Pair]:
    # copies: a view would keep all of MNIST
    return [(x[:n].copy(), None if y is None else y[:n].copy()) for (x, y), n in zip(filter(None, pairs), MINI, strict=True)]


def _located(name_or_path: str | PathLike[str]) -> Path:
    """Return the path itself, or the file of that name in one of the search folders."""
    path = Path(name_or_path)
    if is_file(path) or is_folder(path):
        return path
    if path.name == os.fspath(name_or_path):
        for folder in search_folders():
            for found in (folder / path, folder / path / path):  # some archives put a file into a folder of its name
                if is_file(found):
                    return found
    return path


def _read_folder(folder: Path, options: dict[str, Any]) -> Found:
    if (inside := folder / folder.name).suffix and is_file(inside):
        return _read_file(inside, options)  # some archives put a file into a folder of its name
    for known in FORMATS:
        if known.read_folder is None:
            continue
        if (found := known.read_folder(folder, **{name: options[name] for name in known.options})) is not None:
            return found
    for name in (name for known in FORMATS for name in known.names):
        for path in (folder / name, folder / name / name):
            if is_file(path):
                return _read_file(path, options)
    raise MissingFileError(folder, f"{_listing(folder)}none of the files that symae reads{pointed_at(folder)}", WORDS)


def _listing(folder: Path) -> str:
    """Say what is in a folder, for an error: its first names."""
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError:
        return ""
    if not names:
        return "nothing in it, "
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return f"{', '.join(map(excerpt, names[:2]))}{more}, "


def _read_file(path: Path, options: dict[str, Any]) -> Found:
    name = path.name.lower().removesuffix(".gz").removesuffix(".bz2")
    known = next((known for ending, known in READERS.items() if name.endswith(ending)), None)
    if known is not None and known.read_file is not None:
        return known.read_file(path, **{name: options[name] for name in known.options})
    if not is_file(path):
        raise MissingFileError(path, "no such file or folder", f"one of the names {', '.join(NAMES)}, {WORDS}")
    raise InputError(path, f"a file of an unknown kind ({path.suffix or 'no ending'})", WORDS)
