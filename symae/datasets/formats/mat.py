"""MATLAB's .mat files of versions 5 to 7.2: ``mnist_all.mat``, ``mnist-original.mat``, ``frey_rawface.mat``, and others.

Read here and not by SciPy, because a header has to fit the bytes there are before memory is taken for it. Arrays of numbers are
read, and everything else is passed over. Source: MathWorks, "MAT-File Format".
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike

import numpy as np

from symae.datasets.array_names import as_labels, named_pairs
from symae.datasets.contents import LARGEST, MOST_TIMES, UNSUSPICIOUS, excerpt, read_contents
from symae.datasets.dataset import Found, Pair, natural
from symae.datasets.formats.base import Format
from symae.errors import InputError

HEADER = 128
HEAD = 4096  # bytes of an array in which its class, shape and name stand
STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
MATRIX, COMPRESSED = 14, 15
NUMBERS = range(6, 16)  # the classes double, single, and integers of 8 to 64 bits
COMPLEX = 0x0800
CLASS = re.compile(r"(train|test)(\d{1,3})")  # mnist_all.mat has an array for each digit
MNIST = (70000, 60000)  # mnist-original.mat has training and test images in one array

Where = str | PathLike[str]


@dataclass(frozen=True)
class Matrix:
    """Describe an array of a file, whose values are `n_bytes` from `offset` on in its data, which may be packed."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    offset: int
    data: memoryview
    packed: bool

    @property
    def n_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def read_mat(path: Where) -> dict[str, Matrix]:
    """List the arrays of numbers in a file, by name.

    Files of version 7.3, which are HDF5, of version 4, and damaged ones are an InputError.
    """
    data = memoryview(read_contents(path))
    if data[:10] == b"MATLAB 7.3" or data[512:520] == b"\x89HDF\r\n\x1a\n":
        expected = "version 5 to 7.2, which MATLAB writes with save('-v7'); or its name ending in .h5, to be read as HDF5"
        raise InputError(path, "a MATLAB file of version 7.3", expected)
    order = {b"IM": "<", b"MI": ">"}.get(bytes(data[126:128]))
    if order is None:
        raise InputError(path, f"the first bytes {excerpt(bytes(data[:8]))}", "a MATLAB file of version 5 to 7.2")
    found: dict[str, Matrix] = {}
    for kind, element in _elements(path, data[HEADER:], order):
        matrix = _matrix(path, kind, element, order)
        if matrix is not None:
            found[matrix.name] = matrix
    return found


def load(path: Where, matrix: Matrix) -> np.ndarray:
    """Return the values of an array, in the type in which they are stored."""
    end, where = matrix.offset + matrix.n_bytes, f"{path}, {matrix.name}"
    if matrix.packed and end > max(UNSUSPICIOUS, MOST_TIMES * len(matrix.data)):
        raise InputError(where, f"data that unpacks to more than {MOST_TIMES} times its length", "images")
    data = _inflated(path, matrix.data, end) if matrix.packed else bytes(matrix.data[:end])
    if len(data) < end:
        raise InputError(where, f"{max(len(data) - matrix.offset, 0)} bytes of values", f"{matrix.n_bytes}")
    values = np.frombuffer(data[matrix.offset :], matrix.dtype)
    try:
        return natural(values.reshape(matrix.shape, order="F"))
    except ValueError as error:  # no values, and dimensions beyond NumPy's
        raise InputError(where, f"dimensions {excerpt(matrix.shape)}", "an array that NumPy can hold") from error


def _elements(path: Where, data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    position = 0
    while position < len(data):
        kind, size, begin = _tag(path, data, position, order)
        if begin + size > len(data):
            raise InputError(path, "a file that is cut off", f"{begin + size - len(data)} bytes more")
        yield kind, data[begin : begin + size]
        position = begin + size if kind == COMPRESSED else begin + size + -size % 8


def _tag(path: Where, data: bytes | memoryview, position: int, order: str) -> tuple[int, int, int]:
    """Return the type of an element, the length of its data in bytes, and where that begins."""
    if position + 8 > len(data):
        raise InputError(path, "a file that is cut off", "a whole MATLAB file")
    kind, size = (int(n) for n in np.frombuffer(data[position : position + 8], f"{order}u4"))
    if kind >> 16:  # up to four bytes of data within the tag
        if kind >> 16 > 4:
            raise InputError(path, f"an element of type {kind}", "a whole MATLAB file")
        return kind & 0xFFFF, kind >> 16, position + 4
    return kind, size, position + 8


def _matrix(path: Where, kind: int, data: memoryview, order: str) -> Matrix | None:
    """Return what an element says of itself; None for all but arrays of real numbers."""
    packed = kind == COMPRESSED
    head: bytes | memoryview = data[:HEAD]
    base = 0
    if packed:
        head = _inflated(path, data, HEAD)
        kind, _, base = _tag(path, head, 0, order)
    if kind != MATRIX:
        return None
    parts = []
    position = base
    for _ in range(3):
        _, size, begin = _tag(path, head, position, order)
        if begin + size > len(head):
            raise InputError(path, f"{size} bytes of an array's flags, shape or name", "a few")
        parts.append(bytes(head[begin : begin + size]))
        position = begin + size + -size % 8 if begin - position == 8 else position + 8
    flags, dimensions, name = parts
    if len(flags) != 8 or len(dimensions) % 4 or not 2 <= len(dimensions) // 4 <= 32:
        raise InputError(path, f"the shape {excerpt(dimensions)} of an array", "a whole MATLAB file")
    number = int(np.frombuffer(flags, f"{order}u4")[0])
    if number & 0xFF not in NUMBERS or number & COMPLEX:
        return None
    shape = tuple(int(n) for n in np.frombuffer(dimensions, f"{order}i4"))
    stored, size, begin = _tag(path, head, position, order)
    where = f"{path}, {excerpt(name)}"
    if stored not in STORED or min(shape) < 0:
        raise InputError(where, f"type {stored} and shape {excerpt(shape)}", "numbers in two dimensions or more")
    matrix = Matrix(name.decode(errors="backslashreplace"), shape, np.dtype(order + STORED[stored]), begin, data, packed)
    if matrix.n_bytes != size:
        raise InputError(where, f"{size} bytes of values", f"as many as {matrix.dtype.name} in shape {excerpt(shape)} takes")
    return matrix


def _inflated(path: Where, data: memoryview, most: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, most)
    except zlib.error as error:
        raise InputError(path, f"broken packed data ({error})", "a file as it was written") from error


def _read_file(path: Where) -> Found:
    found = read_mat(path)
    room = sum(matrix.n_bytes for matrix in found.values())
    if room > LARGEST:
        raise InputError(path, f"arrays of more than {LARGEST >> 20} MiB", "a smaller file")

    def loaded(name: str) -> np.ndarray:
        return load(path, found[name])

    if pairs := _of_classes(path, found):
        return Found(pairs)
    if "ff" in found and found["ff"].shape[0] == 560:  # Frey's face: a column an image, row by row
        return Found([(loaded("ff").T, None)], image_shape=(1, 28, 20))
    if "faces" in found and found["faces"].shape == (4096, 400):  # Olivetti's: column by column, ten of each person
        faces = loaded("faces").T.reshape(400, 64, 64).transpose(0, 2, 1)
        return Found([(faces, np.arange(400) // 10)])
    pairs = named_pairs(path, {name: matrix.shape for name, matrix in found.items()}, loaded)
    pairs = [(_images_first(x, y), y) for x, y in pairs]
    if len(pairs) == 1 and pairs[0][0].shape == (MNIST[0], 784):
        (x, y), cut = pairs[0], MNIST[1]
        pairs = [(x[part], None if y is None else y[part]) for part in (slice(None, cut), slice(cut, None))]
    return Found(pairs)


def _of_classes(path: Where, found: dict[str, Matrix]) -> list[Pair]:
    """Return training and test images of which each class has an array of its own, ``train0``, ``train1``, …; or nothing."""
    named = {name: match for name in found if (match := CLASS.fullmatch(name)) and len(found[name].shape) == 2}
    pairs: list[Pair] = []
    for part in ("train", "test"):
        names = sorted((int(match[2]), name) for name, match in named.items() if match[1] == part)
        if not names:
            return []
        arrays = [load(path, found[name]) for _, name in names]
        if len({array.shape[1] for array in arrays}) > 1:
            shapes = ", ".join(str(array.shape) for array in arrays)
            raise InputError(path, f"arrays {part}… of shapes {shapes}", "as many pixels in all")
        labels = np.repeat([number for number, _ in names], [len(array) for array in arrays])
        pairs.append((np.concatenate(arrays), as_labels(labels)))
    return pairs


def _images_first(x: np.ndarray, y: np.ndarray | None) -> np.ndarray:
    """Return images with the axis first that counts them: MATLAB's users have it last as often."""
    last = x.shape[-1]
    counted = last > x.shape[0] and x.ndim > 2 if y is None else len(y) == last != x.shape[0]
    return np.moveaxis(x, -1, 0) if counted else x


FORMAT = Format(position=70, endings=(".mat",), files=".mat", read_file=_read_file)
