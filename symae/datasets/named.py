"""Sets of images that are known by a name: where they come from, their sums, and how they are read.

The sums are those that torchvision, TensorFlow Datasets, Keras and scikit-learn state. A set is in a folder of its name in one
of the folders that are searched for MNIST.
"""

from __future__ import annotations

import io
import string
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from symae._runtime.atomic_files import open_regular
from symae.datasets.contents import LARGEST, Contents, is_file
from symae.datasets.dataset import Found, Pair
from symae.datasets.folders import search_folders
from symae.datasets.formats.cifar import FORMAT as CIFAR
from symae.datasets.formats.idx import FILES, parse_idx, read_idx_folder
from symae.datasets.formats.libsvm import read_libsvm
from symae.datasets.formats.mat import FORMAT as MAT
from symae.datasets.formats.npz import broken_archives
from symae.errors import InputError, MissingFileError


@dataclass(frozen=True)
class NamedSet:
    """Describe a set of images that can be downloaded.

    Attributes
    ----------
    title : str
    files : mapping of str to str
        The sum of each file: SHA-256, or MD5 where nobody states another.
    mirrors : tuple of str
        Addresses of folders, which end in ``/``, or of the file itself.
    megabytes : int
        All together.
    read : function of the folder
    class_names : tuple of str
    folder : str
        Where the files lie; the name of the set if empty.
    """

    title: str
    files: Mapping[str, str]
    mirrors: tuple[str, ...]
    megabytes: int
    read: Callable[[Path], Found]
    class_names: tuple[str, ...] = ()
    folder: str = ""


def _idx(folder: Path) -> Found:
    return Found(read_idx_folder(folder))


def _file(read: Callable[..., Found] | None, name: str) -> Callable[[Path], Found]:
    assert read is not None
    return lambda folder: read(folder / name)


def _usps(folder: Path) -> Found:
    """Read USPS, whose labels are the digits plus one."""
    pairs = read_libsvm(folder / "usps.bz2", folder / "usps.t.bz2").pairs
    return Found([(x, None if y is None else y - 1) for x, y in pairs])


class _Bounded:
    """Read a file of which never more is asked for than there is: a buffer is made as large as a damaged header says."""

    def __init__(self, file: IO[bytes]):
        self._file, self._size = file, file.seek(0, io.SEEK_END)
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        left = max(self._size - self._file.tell(), 0)
        return self._file.read(left if size < 0 else min(size, left))

    def seekable(self) -> bool:
        return True


def _emnist(split: str) -> Callable[[Path], Found]:
    """Return a reader of one of EMNIST's six splits; its images are stored transposed, and are brought upright."""

    def read(folder: Path) -> Found:
        path = folder / "gzip.zip"
        arrays = []
        with open_regular(path) as file, broken_archives(path), zipfile.ZipFile(cast(IO[bytes], _Bounded(file))) as archive:
            for part in ("train", "test"):
                for what in ("images-idx3", "labels-idx1"):
                    name = f"gzip/emnist-{split}-{part}-{what}-ubyte.gz"
                    member = archive.getinfo(name)
                    if member.file_size > LARGEST or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                        found = f"{name} of {member.file_size} bytes, packed in way {member.compress_type}"
                        raise InputError(path, found, "gzip.zip of EMNIST")
                    contents = Contents(path / name, io.BytesIO(archive.read(name)))
                    arrays.append(parse_idx(path / name, contents))
        x, y, test_x, test_y = arrays
        for images in (x, test_x):
            if images.ndim != 3:
                raise InputError(path, f"images of shape {images.shape}", "(n, h, w)")
        pairs: list[Pair] = [(x.transpose(0, 2, 1), y), (test_x.transpose(0, 2, 1), test_y)]
        return Found(pairs)

    return read


_DIGITS = tuple(string.digits)
_LETTERS = ("", *string.ascii_lowercase)  # labels from 1 on
_EMNIST = {
    "emnist": ("letters", _LETTERS),
    "emnist_letters": ("letters", _LETTERS),
    "emnist_balanced": ("balanced", ()),
    "emnist_byclass": ("byclass", (*_DIGITS, *string.ascii_uppercase, *string.ascii_lowercase)),
    "emnist_bymerge": ("bymerge", ()),
    "emnist_digits": ("digits", _DIGITS),
    "emnist_mnist": ("mnist", _DIGITS),
}
_FASHION = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")

SETS: dict[str, NamedSet] = {
    "fashion_mnist": NamedSet(
        "Fashion-MNIST, clothes",
        dict(
            zip(
                (f"{name}.gz" for name in FILES),
                (
                    "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                    "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                    "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                    "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                ),
                strict=True,
            )
        ),
        (
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
        31,
        _idx,
        _FASHION,
    ),
    "kmnist": NamedSet(
        "Kuzushiji-MNIST, Japanese characters",
        dict(
            zip(
                (f"{name}.gz" for name in FILES),
                (
                    "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
                    "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
                    "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
                    "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
                ),
                strict=True,
            )
        ),
        ("https://codh.rois.ac.jp/kmnist/dataset/kmnist/", "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"),
        21,
        _idx,
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    ),
    "usps": NamedSet(
        "USPS, digits of 16 x 16 pixels",
        {"usps.bz2": "ec16c51db3855ca6c91edd34d0e9b197", "usps.t.bz2": "8ea070ee2aca1ac39742fdd1ef5ed118"},
        ("https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/",),
        9,
        _usps,
        _DIGITS,
    ),
    "cifar10": NamedSet(
        "CIFAR-10, coloured pictures of ten classes",
        {"cifar-10-binary.tar.gz": "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"},
        ("https://www.cs.toronto.edu/~kriz/",),
        170,
        _file(CIFAR.read_file, "cifar-10-binary.tar.gz"),
    ),
    "olivetti": NamedSet(
        "the Olivetti faces, ten of each of 40 people",
        {"olivettifaces.mat": "b612fb967f2dc77c9c62d3e1266e0c73d5fca46a4b8906c18e454d41af987794"},
        ("https://ndownloader.figshare.com/files/5976027", "https://cs.nyu.edu/~roweis/data/"),
        4,
        _file(MAT.read_file, "olivettifaces.mat"),
    ),
    **{
        name: NamedSet(
            f"EMNIST, {split}",
            {"gzip.zip": "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e"},
            ("https://biometrics.nist.gov/cs_links/EMNIST/", "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/"),
            562,
            _emnist(split),
            class_names,
            "emnist",
        )
        for name, (split, class_names) in _EMNIST.items()
    },
}


def find_named(name: str) -> Path | None:
    """Find the first of the searched folders that has all files of a set, or None; nothing is opened."""
    known = SETS[name]
    for folder in search_folders():
        below = folder / (known.folder or name)
        if all(is_file(below / file) for file in known.files):
            return below
    return None


def read_named(name: str) -> Found:
    """Read a set by its name; MissingFileError says how it is downloaded."""
    known, folder = SETS[name], find_named(name)
    if folder is None:
        where = " or ".join(str(path / (known.folder or name)) for path in search_folders())
        expected = f"{', '.join(known.files)} there (symae data {name} downloads {known.megabytes} MB)"
        raise MissingFileError(name, f"no copy in {where}", expected)
    found = known.read(folder)
    return Found(found.pairs, found.image_shape, known.class_names or found.class_names, found.notes)
