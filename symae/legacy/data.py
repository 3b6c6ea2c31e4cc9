"""The data that the tutorials open by name, made from the data at hand."""

from __future__ import annotations

import functools
import gzip
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from symae._runtime.atomic_files import make_folder, replacing
from symae.datasets import read
from symae.datasets.folders import find_mnist
from symae.datasets.formats.idx import FILES
from symae.datasets.pixel_scale import TUTORIALS, scaled
from symae.errors import MissingFileError

__all__ = ["KNOWN", "Data"]

PICKLES = ("mnist.pkl.gz", "mnist.pkl", "mnist_py3k.pkl.gz")
KNOWN = (*PICKLES, *(f"{stem}{end}" for stem in FILES for end in ("", ".gz")))


class Data:
    """Find the data for file names and addresses.

    Parameters
    ----------
    say : callable
        Takes a line for the user: which data the script gets.
    """

    def __init__(self, say: Callable[[str], None]):
        self._say = say

    def path(self, name: str) -> Path | None:
        """Return the file that the tutorials call `name`, made from MNIST or else from symae's digits; None for other names.

        It lies in symae's cache folder, and is made once.
        """
        if name not in KNOWN:
            return None
        mnist = find_mnist()
        if name in PICKLES:
            found = "MNIST" if mnist else "symae's own digits: MNIST is not here, symae data mnist downloads it"
            self._say(f"{name}: {found}")
            return _pickled("mnist" if mnist else "digits", name)
        if mnist is None:
            return None
        self._say(f"{name}: the file of MNIST in {mnist}")
        return _idx(mnist, name)

    def retrieved(self, address: str, filename: Any = None) -> Path:
        """Return the data at an address of the network, without going there.

        Raises
        ------
        MissingFileError
            It is not among the data that symae knows.
        """
        for name in (urlsplit(str(address)).path.rsplit("/", 1)[-1], str(filename or "").replace("\\", "/").rsplit("/", 1)[-1]):
            if (path := self.path(name)) is not None:
                return path
        place = f"at {filename}" if filename else "in a file beside the script, and the script opening that"
        raise MissingFileError(address, "a download, and symae run does not go to the network", f"the data {place}")


@functools.cache
def _pickled(source: str, name: str) -> Path:
    """Make ((train_x, train_y), (valid_x, valid_y), (test_x, test_y)): float32 in [0, 1), int64, as in the LISA lab's file."""
    path = make_folder(_cache() / source) / name
    if path.is_file():
        return path
    data = read(source)
    splits = (data.train, data.valid, data.test)
    parts = [(scaled(split.x, TUTORIALS, np.float32), split.y.astype(np.int64)) for split in splits]
    with replacing(path) as file:
        if name.endswith(".gz"):
            with gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0) as packed:
                pickle.dump(tuple(parts), packed, protocol=2)
        else:
            pickle.dump(tuple(parts), file, protocol=2)
    return path


def _idx(folder: Path, name: str) -> Path:
    """Return one of the four files, packed as its name says."""
    if (folder / name).is_file():
        return folder / name
    path = make_folder(_cache() / "mnist") / name
    if not path.is_file():
        packed = name.endswith(".gz")
        other = folder / (name.removesuffix(".gz") if packed else f"{name}.gz")
        with replacing(path) as target:
            if packed:
                with other.open("rb") as plain, gzip.GzipFile("", "wb", 1, target, mtime=0) as file:
                    shutil.copyfileobj(plain, file)
            else:
                with gzip.open(other, "rb") as file:
                    shutil.copyfileobj(file, target)
    return path


def _cache() -> Path:
    import pooch

    return Path(pooch.os_cache("symae")) / "legacy"
