"""NumPy's .npz, read without NumPy's pickles and without believing a header.

`numpy.load` allocates what a header claims before it looks at the bytes, and its errors are of a dozen types; here the header
has to fit the length that the archive has for the array, before more than the header is unpacked.
"""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import IO

import numpy as np

from symae.datasets.array_names import named_pairs
from symae.datasets.contents import LARGEST, MOST_TIMES, UNSUSPICIOUS, excerpt, read_contents
from symae.datasets.dataset import Found, natural
from symae.datasets.formats.base import Format
from symae.errors import InputError

MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 10_000
DTYPE = re.compile(rb"['\"]descr['\"]\s*:\s*['\"]([<>|=]?[biuf]\d{1,2})['\"]")
ORDER = re.compile(rb"['\"]fortran_order['\"]\s*:\s*(True|False)")
# Python 2 on Windows wrote 784L.
SHAPE = re.compile(rb"['\"]shape['\"]\s*:\s*\(([\d\sL,]*)\)")


def read_npz(path: str | PathLike[str]) -> Found:
    """Read the images and labels of an .npz file, whose arrays are named as `symae.datasets.array_names.named_pairs` says.

    What is not a whole .npz file, lacks arrays or holds Python objects is an InputError.
    """
    data = read_contents(path)
    with broken_archives(path), zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        room = LARGEST

        def load(name: str) -> np.ndarray:
            nonlocal room
            if (room := room - members[name].file_size) < 0:
                raise InputError(path, f"arrays of more than {LARGEST >> 20} MiB", "a smaller file")
            return _member(path, archive, name, members[name])

        # shapes are known when arrays are read: only one array may have any name
        return Found(named_pairs(path, dict.fromkeys(members, (0, 0) if len(members) == 1 else ()), load))


@contextmanager
def broken_archives(path: str | PathLike[str]) -> Iterator[None]:
    """Name the archive in what Python's reader of archives raises."""
    try:
        yield
    except InputError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        OSError,
        ValueError,
        IndexError,
        KeyError,
        NotImplementedError,
        OverflowError,
        RuntimeError,
    ) as error:
        raise InputError(path, f"a broken or cut off archive ({error or type(error).__name__})", "a whole archive") from error


def _member(path: str | PathLike[str], archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo) -> np.ndarray:
    """Read one array of the archive, and unpack no more than its header and the archive agree on."""
    with open_member(path, archive, info) as file:
        return read_array(f"{path}, {name}", file, info.file_size, info.compress_size)


def open_member(path: str | PathLike[str], archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    """Open a part of an archive, if it is plain or packed as usual."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
        raise InputError(path, f"{excerpt(info.filename)} encrypted or packed in an unknown way", "a plain archive")
    return archive.open(info)


def read_array(where: str, file: IO[bytes], size: int, packed: int) -> np.ndarray:
    """Read an array in NumPy's format from a file of `size` bytes, which were `packed` ones."""
    header = read_header(where, file, size)
    if size > max(UNSUSPICIOUS, MOST_TIMES * packed):
        raise InputError(where, f"data that unpacks to more than {MOST_TIMES} times its length", "data")
    try:
        # asking for the declared size bounds what a bomb unpacks to; zipfile checks the sum once that is delivered
        data = file.read(size)
        if len(data) != header.n_bytes:
            raise InputError(where, f"{len(data)} bytes of values", header.expected)
        values = np.frombuffer(data, header.dtype) if data else np.empty(0, header.dtype)
        return natural(values.reshape(header.shape, order="F" if header.is_fortran else "C"))
    except InputError:
        raise
    except (ValueError, MemoryError) as error:  # a shape that NumPy does not have
        raise InputError(where, f"an array of shape {excerpt(header.shape)}", "an array that NumPy can hold") from error


@dataclass(frozen=True)
class ArrayHeader:
    """What an array's header says, which agrees with how many bytes there are."""

    dtype: np.dtype
    shape: tuple[int, ...]
    is_fortran: bool

    @property
    def n_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def expected(self) -> str:
        return f"as many as {self.dtype} in shape {self.shape} takes"


def read_header(where: str, file: IO[bytes], size: int) -> ArrayHeader:
    """Read the header of an array in NumPy's format, which has to fit the `size` of the file in bytes."""
    begin = file.read(12)
    if not begin.startswith(MAGIC) or len(begin) < 12 or begin[6] not in (1, 2, 3):
        raise InputError(where, f"the first bytes {excerpt(begin[:8])}", "an array in NumPy's format")
    start = 10 if begin[6] == 1 else 12
    length = int.from_bytes(begin[8:start], "little")
    if length > LONGEST_HEADER:
        raise InputError(where, f"a header of {length} bytes", f"at most {LONGEST_HEADER}")
    text = (begin[start:] + file.read(max(start + length - 12, 0)))[:length]
    if b"'O'" in text or b"|O" in text:
        raise InputError(where, "an array of Python objects", "an array of numbers")
    if texts := re.search(rb"'[<>|=]?[US]\d+'", text):
        raise InputError(where, f"an array of texts, {texts[0].decode()}", "an array of numbers, classes from 0 on for labels")
    dtype, order, shape = DTYPE.search(text), ORDER.search(text), SHAPE.search(text)
    if not (dtype and order and shape):
        raise InputError(where, f"the header {excerpt(text)}", "an array of numbers in NumPy's format")
    try:
        kind = np.dtype(dtype[1].decode())
        dimensions = tuple(int(n.strip().rstrip(b"L")) for n in shape[1].split(b",") if n.strip())
    except (TypeError, ValueError) as error:  # a type that NumPy does not have
        raise InputError(where, f"the header {excerpt(text)}", "an array that NumPy can hold") from error
    header = ArrayHeader(kind, dimensions, order[1] == b"True")
    if header.n_bytes != size - start - length:
        raise InputError(where, f"{max(size - start - length, 0)} bytes of values", header.expected)
    return header


FORMAT = Format(position=30, endings=(".npz",), files=".npz", read_file=read_npz, names=("mnist.npz",))
