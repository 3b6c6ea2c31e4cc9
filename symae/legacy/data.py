"""The data that the tutorials open by name, made from the data at hand."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import pickle
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import urlsplit

import numpy as np

from symae._runtime.atomic_files import make_folder, replacing
from symae.datasets import read
from symae.datasets.folders import find_mnist
from symae.datasets.formats.idx import FILES, write_idx
from symae.datasets.pixel_scale import TUTORIALS, scaled
from symae.datasets.tutorial import FOLDERS, IDX, OTHERS, PICKLE, TABLES, mnist_name
from symae.errors import MissingFileError

__all__ = ["Data"]

PIECE = 1 << 28  # bytes


class _Files(Protocol):
    """Map a script's file names."""

    def unmapped(self) -> AbstractContextManager[Any]: ...

    def tell(self, line: str) -> None: ...


class Data:
    """Find the data for file names and addresses.

    Parameters
    ----------
    files : Files
        It says which data the script gets, and does not map the names of files that symae itself looks for.
    """

    def __init__(self, files: _Files):
        self._files = files

    def path(self, name: str) -> Path | None:
        """Return the file or folder that the tutorials call `name`, made from MNIST or else from symae's digits.

        The folders before the name do not matter, unless they name another set. It lies in symae's cache folder, and is made
        once. The lisa-lab's pickles are there, the first 5000, 1000 and 1000 images (``mini_mnist.pkl.gz``), Nielsen's
        ``mnist_expanded.pkl.gz``, Keras's ``mnist.npz``, the four IDX files and folders of them, and tables
        ``mnist_train.csv``; None for other names.
        """
        found = mnist_name(name)
        if found is None:
            return None
        make = _maker(found)
        with self._files.unmapped():
            source = self._source("MNIST's IDX files" if make is _idx or make is _folder else found)
            return make(source, found)

    def is_folder(self, name: str) -> bool:
        """Return True if `path` returns a folder for this name; nothing is made."""
        return mnist_name(name) in FOLDERS

    def _source(self, what: str) -> str:
        source = "mnist" if find_mnist() else "digits"
        self._files.tell(f"{what}: {'MNIST' if source == 'mnist' else DIGITS}")
        return source

    def in_three_parts(self, name: str) -> str | None:
        """Return what `symae.datasets.read` calls the data that a pickle of that name holds; None for other names."""
        found = mnist_name(name)
        if found is None or not PICKLE.fullmatch(found) or "_expanded" in found:
            return None
        with self._files.unmapped():
            return _part(self._source(found), found)

    def retrieved(self, address: str, filename: Any = None) -> Path:
        """Return the data at an address of the network, without going there.

        Raises
        ------
        MissingFileError
            It is not among the data that symae knows.
        """
        names = urlsplit(str(address)).path, str(filename or "")
        if not any(map(OTHERS.search, (str(address).lower(), names[1].lower()))):
            for name in names:
                if (path := self.path(name)) is not None:
                    return path
        place = f"at {filename}" if filename else "in a file beside the script, and the script opening that"
        raise MissingFileError(address, "a download, and symae run does not go to the network", f"the data {place}")


DIGITS = "symae's own digits: MNIST is not here, symae data mnist downloads it"


def _part(source: str, name: str) -> str:
    return "mini_mnist" if source == "mnist" and name.startswith("mini_") else source


def _maker(name: str) -> Callable[[str, str], Path]:
    if PICKLE.fullmatch(name):
        return _pickled
    if name in IDX:
        return _idx
    if name in FOLDERS:
        return _folder
    return _table if name in TABLES else _arrays


def _made(name: str, source: str, write: Callable[[IO[bytes]], object]) -> Path:
    path = make_folder(_cache(source)) / name
    if not path.is_file():
        with replacing(path) as file:
            write(file)
    return path


def _pickled(source: str, name: str) -> Path:
    """Make ((train_x, train_y), (valid_x, valid_y), (test_x, test_y)): float32 in [0, 1), int64, as in the LISA lab's file."""

    def write(file: IO[bytes]) -> None:
        data = read(_part(source, name))
        pairs = [(split.x, split.labels) for split in data.parts]
        if "_expanded" in name:
            pairs[0] = _expanded(*pairs[0])
        parts = tuple((scaled(x, TUTORIALS, np.float32), y) for x, y in pairs)
        # Protocol 2 is the last that Python 2 reads, but takes several times the memory of large arrays.
        protocol = 2 if sum(x.nbytes for x, _ in parts) < PIECE else 4
        if name.endswith(".gz"):
            with gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0) as packed:
                pickle.dump(parts, packed, protocol)
        elif name.endswith(".bz2"):
            with bz2.BZ2File(file, "wb", compresslevel=1) as packed:
                pickle.dump(parts, packed, protocol)
        else:
            pickle.dump(parts, file, protocol)

    return _made(name, source, write)


def _expanded(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return five times the images: as they are, and moved by a pixel down, up, right and left, in a random order."""
    images = x.reshape(-1, 28, 28)
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    moved = [padded[:, 1 - down : 29 - down, 1 - right : 29 - right] for down, right in MOVES]
    order = np.random.RandomState(0).permutation(5 * len(x))
    return np.concatenate(moved).reshape(-1, 784)[order], np.tile(y, 5)[order]


MOVES = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))


def _idx(source: str, name: str) -> Path:
    """Return one of the four files, packed as its name says."""
    mnist = find_mnist()
    if source == "mnist" and mnist is not None and (mnist / name).is_file():
        return mnist / name
    path = make_folder(_cache(source)) / name
    if not path.is_file():
        images, labels = _both(source)["train" if name.startswith("train") else "test"]
        write_idx(path, images if "images" in name else labels)
    return path


def _folder(source: str, name: str) -> Path:
    folder = make_folder(_cache(source) / name)
    for stem in FILES:
        path = folder / f"{stem}.gz"
        if not path.is_file():
            with replacing(path) as file:
                file.write(_idx(source, path.name).read_bytes())
    return folder


def _arrays(source: str, name: str) -> Path:
    """Make Keras's file: bytes (n, 28, 28) and labels."""

    def write(file: IO[bytes]) -> None:
        (train_x, train_y), (test_x, test_y) = _both(source).values()
        np.savez_compressed(file, x_train=train_x, y_train=train_y, x_test=test_x, y_test=test_y)

    return _made(name, source, write)


def _table(source: str, name: str) -> Path:
    """Make a file with a line an image: the label, and 784 bytes as numbers."""

    def write(file: IO[bytes]) -> None:
        images, labels = _both(source)[TABLES[name]]
        rows = np.concatenate([labels[:, None], images.reshape(len(images), -1)], axis=1)
        file.writelines(f"{','.join(map(str, row.tolist()))}\n".encode() for row in rows)

    return _made(name, source, write)


def _both(source: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the images for training, those for validation among them, and for tests: bytes (n, 28, 28), labels."""
    data = read(source)
    train = data.training_images(), np.concatenate([part.labels for part in data.parts[:-1]])
    parts = {"train": train, "test": (data.test.x, data.test.labels)}
    return {part: (x.reshape(-1, 28, 28), y.astype(np.uint8)) for part, (x, y) in parts.items()}


def _cache(source: str) -> Path:
    """Return the folder for what is made of a source: of MNIST, one for each folder that holds it as it is now."""
    import pooch

    folder = Path(pooch.os_cache("symae")) / "legacy"
    mnist = find_mnist() if source == "mnist" else None
    if mnist is None:
        return folder / source
    files = sorted((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in mnist.iterdir() if path.exists())
    return folder / f"{source}-{hashlib.sha256(repr((str(mnist.resolve()), files)).encode()).hexdigest()[:16]}"
