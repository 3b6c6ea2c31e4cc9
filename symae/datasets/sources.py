"""From a name or a path to a `Dataset`: which reader fits."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path

from symae.datasets.contents import is_file, is_folder
from symae.datasets.dataset import Dataset, Pairs, checked_dataset, fraction
from symae.datasets.folders import digits_file, find_mnist, mnist_folder, search_folders
from symae.datasets.formats import FORMATS, READERS, WORDS
from symae.datasets.formats.idx import pointed_at, read_idx_folder
from symae.datasets.formats.npz import read_npz_pairs
from symae.errors import InputError, MissingFileError

NAMES = ("mini_mnist", "mnist", "digits")
MNIST_COUNTS = (60000, 10000)
MINI = (5000, 1000, 1000)


def read(name_or_path: str | PathLike[str] | None = None) -> Dataset:
    """Read images of digits, whatever they are stored as, and check them.

    Parameters
    ----------
    name_or_path : str or path, optional
        A name: ``"mini_mnist"`` (the first 5000, 1000 and 1000 images of the next), ``"mnist"`` (50000, 10000 and 10000: the
        first 50000 training images, the last 10000 of them, the test images), ``"digits"`` (the embedded ones, drawn by symae,
        5000, 1000 and 1000). Without one, `default`.

        Or a path: a folder with MNIST's four IDX files, plain or .gz, each perhaps in a folder of its name as Kaggle has them,
        or with torchvision's ``MNIST/raw``; ``mnist.pkl.gz`` or .pkl in the LISA lab's layout; .npz with ``train_x`` …
        ``test_y`` or Keras's ``x_train`` … ``y_test``; a folder with CNTK's ``Train*.txt`` and Test*.txt; one CNTK text file,
        which is cut 5 : 1 : 1 in its order. Where the source has no validation images, the last sixth of training becomes
        that. A file name without a folder is also looked for where MNIST is. A path that looks like a name
        is written ``./mnist``.

    Returns
    -------
    Dataset
        Bytes stay uint8, floats in [0, 1] keep their precision.

    Raises
    ------
    MissingFileError
        The file, the folder or a file in it is not there.
    InputError
        The data is not valid; the message names the file, what was found and what was expected.
    """
    if name_or_path is None:
        name_or_path = default()
    if name_or_path == "digits":
        path = digits_file()
        return checked_dataset("symae's own stroke digits, 5000/1000/1000 images", path, read_npz_pairs(path))
    if name_or_path in ("mnist", "mini_mnist"):
        pairs = _mnist(mnist_folder())
        if name_or_path == "mnist":
            return checked_dataset("MNIST, 50000/10000/10000 images", "MNIST", pairs)
        pairs = [(x[:n], y[:n]) for (x, y), n in zip(pairs, MINI, strict=True)]
        return checked_dataset("mini-MNIST, the first 5000/1000/1000 images of MNIST", "MNIST", pairs)
    path = _located(name_or_path)
    pairs = _read_folder(path) if is_folder(path) else _read_file(path)
    counts = "/".join(str(len(y)) if y.ndim else "?" for _, y in pairs)
    return checked_dataset(f"{path.resolve().name}, {counts} images", path, pairs)


def available() -> tuple[str, ...]:
    """Return the names that `read` takes and that this machine has the files of; the files are not opened."""
    names = NAMES[:2] if find_mnist() else ()
    try:
        digits_file()
    except MissingFileError:
        return names
    return (*names, "digits")


def default() -> str:
    """Return the name of the default data: ``"mini_mnist"`` where MNIST's four files are found, ``"digits"`` elsewhere."""
    return "mini_mnist" if find_mnist() else "digits"


def _mnist(folder: Path) -> Pairs:
    train, test = read_idx_folder(folder)
    for (x, _), count, what in ((train, MNIST_COUNTS[0], "training"), (test, MNIST_COUNTS[1], "test")):
        if len(x) != count:
            expected = f"{count}, which MNIST has; read the folder by its path instead"
            raise InputError(folder, f"{len(x)} {what} images", expected)
    return [*fraction(folder, train, 6), test]


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


def _read_folder(folder: Path) -> Pairs:
    if (inside := folder / folder.name).suffix and is_file(inside):
        return _read_file(inside)  # some archives put a file into a folder of its name
    for known in FORMATS:
        if known.read_folder is not None and (pairs := known.read_folder(folder)) is not None:
            return pairs
    for name in (name for known in FORMATS for name in known.names):
        for path in (folder / name, folder / name / name):
            if is_file(path):
                return _read_file(path)
    raise MissingFileError(folder, f"none of the files that symae reads{pointed_at(folder)}", WORDS)


def _read_file(path: Path) -> Pairs:
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    if suffixes and (reader := READERS.get(suffixes[-1])):
        return reader(path)
    if not is_file(path):
        raise MissingFileError(path, "no such file or folder", f"one of the names {', '.join(NAMES)}, {WORDS}")
    raise InputError(path, f"a file of an unknown kind ({path.suffix or 'no ending'})", WORDS)
