"""IDX, the format of MNIST's own files.

Two zero bytes, a type code, the number of dimensions, each dimension as a big-endian 32-bit integer, then the values,
big-endian, the last dimension fastest. Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits".
"""

from __future__ import annotations

import gzip
import math
import re
from itertools import chain, islice
from os import PathLike
from pathlib import Path

import numpy as np

from symae._runtime.atomic_files import replacing
from symae.datasets.contents import CHUNK, Contents, excerpt, is_file, is_folder, open_contents
from symae.datasets.dataset import Found, Pair, writable
from symae.datasets.formats.base import Format
from symae.errors import InputError, MissingFileError

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
CODES = {np.dtype(name).newbyteorder("="): code for code, name in TYPES.items()}
MOST_DIMENSIONS = 32


def read_idx(path: str | PathLike[str]) -> np.ndarray:
    """Read an IDX file, plain or packed with gzip.

    Returns
    -------
    array
        Of the file's shape and type: uint8, int8, int16, int32, float32 or float64, in this machine's byte order.

    Raises
    ------
    MissingFileError
        There is no such file.
    InputError
        The magic number is not IDX's, the file is cut off or longer than its header says, or gzip cannot unpack it.
    """
    with open_contents(path) as contents:
        return parse_idx(path, contents)


def parse_idx(path: str | PathLike[str], contents: Contents) -> np.ndarray:
    """Read an array from the contents of an IDX file; the errors are those of `read_idx`, and name `path`."""
    begin = contents.read(4)
    if len(begin) < 4 or begin[:2] != b"\0\0" or begin[2] not in TYPES:
        raise InputError(path, f"the first bytes {excerpt(begin)}", "an IDX file, which begins with two zero bytes and a type")
    dtype, n_dimensions = np.dtype(TYPES[begin[2]]), begin[3]
    if not 1 <= n_dimensions <= MOST_DIMENSIONS:
        raise InputError(path, f"{n_dimensions} dimensions", f"1 to {MOST_DIMENSIONS}")
    sizes = contents.read(4 * n_dimensions)
    if len(sizes) < 4 * n_dimensions:
        start = 4 + 4 * n_dimensions
        raise InputError(path, f"a header of {4 + len(sizes)} bytes", f"{start} bytes for {n_dimensions} dimensions")
    shape = tuple(int(n) for n in np.frombuffer(sizes, ">u4"))
    # Python's integers: the product of hostile dimensions overflows any other.
    expected = math.prod(shape) * dtype.itemsize
    # no further than the header says, and a chunk to tell by how much it is wrong
    data = contents.read_writable(expected + CHUNK)
    if len(data) != expected:
        dimensions = " x ".join(map(str, shape))
        found = f"{len(data)} bytes" if len(data) < expected + CHUNK else f"more than {len(data) - 1} bytes"
        raise InputError(path, f"{found} of values", f"{expected} bytes for {dimensions} {dtype.name} values")
    try:
        return writable(np.frombuffer(data, dtype).reshape(shape))
    except ValueError as error:  # no values, and dimensions beyond NumPy's
        raise InputError(path, f"dimensions {shape}", "an array that NumPy can hold") from error


def write_idx(path: str | PathLike[str], array: np.ndarray) -> None:
    """Write an array as an IDX file, packed with gzip where the name ends in ``.gz``; whole or not at all.

    Parameters
    ----------
    path : str or path
    array : array
        One dimension or more; uint8, int8, int16, int32, float32 or float64.

    Raises
    ------
    InputError
        IDX has no such type or shape.
    UnwritableError
        The file cannot be written.
    """
    array = np.asarray(array)
    code = CODES.get(array.dtype.newbyteorder("="))
    if code is None:
        raise InputError(path, f"an array of {array.dtype}", f"one of {', '.join(str(dtype) for dtype in CODES)}")
    if not 1 <= array.ndim <= MOST_DIMENSIONS or max(array.shape) >= 2**32:
        raise InputError(path, f"an array of shape {array.shape}", f"1 to {MOST_DIMENSIONS} dimensions below 2**32")
    header = bytes([0, 0, code, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    data = header + array.astype(TYPES[code], copy=False).tobytes()
    with replacing(path) as file:
        # No time in the header: the same array gives the same file.
        file.write(gzip.compress(data, mtime=0) if Path(path).suffix == ".gz" else data)


def missing_files(folder: Path) -> list[str]:
    """Return which of the four files are not in the folder, neither plain nor as .gz."""
    return [name for name in FILES if _present(folder, name) is None]


def idx_files(folder: Path) -> list[Path]:
    """Return the paths of the four files in a folder that has them."""
    return [path for name in FILES if (path := _present(folder, name)) is not None]


def idx_folder(folder: Path) -> Path | None:
    """Return `folder`, or the one below with all four files that is MNIST's by its name, such as torchvision's ``MNIST/raw``.

    Other data sets have files of the same names, Fashion-MNIST for one; several of MNIST's are an InputError.
    """
    if not missing_files(folder):
        return folder
    names = ("MNIST", "mnist", "raw", "MNIST/raw", "mnist/raw")
    found = {path.resolve(): path for path in map(folder.joinpath, names) if not missing_files(path)}
    if len(found) > 1:
        raise InputError(folder, f"MNIST's four files in {_listed(list(found.values()))}", "one of these folders by its path")
    return next(iter(found.values()), None)


def pointed_at(folder: Path) -> str:
    """Name, for an error about missing files, the folders one or two levels below `folder` that have files of these names."""
    below = islice(chain(folder.glob("*/"), folder.glob("*/*/")), 1000)
    found = list(islice((path for path in below if is_folder(path) and not missing_files(path)), 3))
    return f", but all four in {_listed(found)}" if found else ""


def _listed(folders: list[Path]) -> str:
    return " and in ".join(map(str, folders))


def read_idx_folder(folder: Path) -> list[Pair]:
    """Read the training and the test images of a folder, each (images, labels), neither checked nor split.

    Raises MissingFileError where not all four files are there, and InputError where one is damaged or not of MNIST's kind, or
    where labels and images differ in number.
    """
    if missing := missing_files(folder):
        found = f"no {' and no '.join(missing)}{pointed_at(folder)}"
        raise MissingFileError(folder, found, f"{', '.join(FILES)}, each plain or .gz")
    return [_read_pair(folder, FILES[0], FILES[1]), read_test_images(folder)]


def read_test_images(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read the test images of a folder that has all four files, and their labels, as `read_idx_folder` does."""
    return _read_pair(folder, FILES[2], FILES[3])


def _read_pair(folder: Path, images: str, labels: str) -> tuple[np.ndarray, np.ndarray]:
    x, y = _read_part(folder, images), _read_part(folder, labels)
    if len(x) != len(y):
        raise InputError(folder / images, f"{len(x)} images and {len(y)} labels", "as many labels as images")
    return x, y


def _read_part(folder: Path, name: str) -> np.ndarray:
    path = _present(folder, name)
    assert path is not None
    array = read_idx(path)
    if "labels" in name and array.ndim != 1:
        raise InputError(path, f"{array.ndim} dimensions", "one, because these are labels")
    if "images" in name and array.ndim not in (3, 4):
        raise InputError(path, f"an array of shape {array.shape}", "images, (n, h, w) or (n, c, h, w)")
    return array


def _present(folder: Path, name: str) -> Path | None:
    # Some archives unpack to train-images.idx3-ubyte, and some put each file into a folder of its name.
    names = [name + ".gz", name, name.replace("-idx", ".idx")]
    names += [f"{outer}/{inner}" for outer in names for inner in names]
    return next((folder / candidate for candidate in names if is_file(folder / candidate)), None)


def _read_folder(folder: Path) -> Found | None:
    if (found := idx_folder(folder)) is not None:
        return Found(read_idx_folder(found))
    if len(missing_files(folder)) < len(FILES):
        read_idx_folder(folder)  # raises: says which are missing
    return None


def _read_file(path: Path) -> Found:
    """Read images, and the labels that lie beside them in a file of the name that MNIST would have for it."""
    beside = re.sub(r"images(.idx)\d", r"labels\g<1>1", path.name)
    labels = path.with_name(beside) if beside != path.name else None
    x, y = read_idx(path), read_idx(labels) if labels is not None and is_file(labels) else None
    return Found([(x, y)])


FORMAT = Format(
    position=10,
    endings=(".idx", "-ubyte"),
    files=".idx, …-idx3-ubyte",
    folder="MNIST's four IDX files",
    read_file=_read_file,
    read_folder=_read_folder,
)
