"""NumPy's .npz, read without NumPy's pickles and without believing a header.

`numpy.load` allocates what a header claims before it looks at the bytes, and its errors are of a dozen types; here the member's
bytes come first, and the header has to fit them.
"""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
import zlib
from os import PathLike

import numpy as np

from symae.datasets.contents import LARGEST, excerpt, read_contents
from symae.datasets.dataset import Pairs, fraction, natural
from symae.errors import InputError

__all__ = ["read_npz_pairs"]

KERAS = ("x_train", "y_train", "x_test", "y_test")
OURS = ("train_x", "train_y", "valid_x", "valid_y", "test_x", "test_y")

MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 10_000
DTYPE = re.compile(rb"['\"]descr['\"]\s*:\s*['\"]([<>|=]?[biuf]\d{1,2})['\"]")
ORDER = re.compile(rb"['\"]fortran_order['\"]\s*:\s*(True|False)")
# Python 2 on Windows wrote 784L.
SHAPE = re.compile(rb"['\"]shape['\"]\s*:\s*\(([\d\sL,]*)\)")


def read_npz_pairs(path: str | PathLike[str]) -> Pairs:
    """Training, validation and test (x, y) of an .npz file, in symae's or in Keras's names.

    ``train_x train_y valid_x valid_y test_x test_y``, or ``x_train y_train x_test y_test``, whose last sixth of training
    becomes validation.

    Raises
    ------
    MissingFileError
        There is no such file.
    InputError
        It is not a whole .npz file, lacks arrays, or one of them holds Python objects.
    """
    members = _members(path)
    if set(OURS) <= set(members):
        arrays = [_array(f"{path}, {name}", members[name]) for name in OURS]
        return list(zip(arrays[::2], arrays[1::2], strict=True))
    if set(KERAS) <= set(members):
        x, y, test_x, test_y = (_array(f"{path}, {name}", members[name]) for name in KERAS)
        return [*fraction(path, (x, y), 6), (test_x, test_y)]
    found = ", ".join(sorted(map(excerpt, members))[:8]) or "nothing"
    raise InputError(path, f"arrays {found}", f"{', '.join(OURS)} or {', '.join(KERAS)}")


def _members(path: str | PathLike[str]) -> dict[str, bytes]:
    """The bytes of each array's file in the archive, by the array's name."""
    data = read_contents(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            if sum(info.file_size for info in infos.values()) > LARGEST:
                raise InputError(path, f"arrays of more than {LARGEST >> 20} MiB", "a smaller file")
            for info in infos.values():
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
                    raise InputError(
                        path, f"{excerpt(info.filename)} encrypted or packed in an unknown way", "a plain .npz file"
                    )
            # Asking for the declared size bounds what a bomb unpacks to; zipfile checks the sum once that is delivered.
            return {name: archive.open(info).read(info.file_size) for name, info in infos.items()}
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
        NotImplementedError,
        OverflowError,
        RuntimeError,
    ) as error:
        raise InputError(path, f"a broken or cut off archive ({error or type(error).__name__})", "a whole .npz file") from error


def _array(place: str, data: bytes) -> np.ndarray:
    if not data.startswith(MAGIC) or len(data) < 12 or data[6] not in (1, 2, 3):
        raise InputError(place, f"the first bytes {excerpt(data[:8])}", "an array in NumPy's format")
    start = 10 if data[6] == 1 else 12
    length = int.from_bytes(data[8:start], "little")
    header = data[start : start + length]
    start += length
    if length > LONGEST_HEADER:
        raise InputError(place, f"a header of {length} bytes", f"at most {LONGEST_HEADER}")
    if b"'O'" in header or b"|O" in header:
        raise InputError(place, "an array of Python objects", "an array of numbers")
    dtype, order, shape = DTYPE.search(header), ORDER.search(header), SHAPE.search(header)
    if not (dtype and order and shape):
        raise InputError(place, f"the header {excerpt(header)}", "an array of numbers in NumPy's format")
    try:
        kind = np.dtype(dtype[1].decode())
        dimensions = tuple(int(n.strip().rstrip(b"L")) for n in shape[1].split(b",") if n.strip())
        if math.prod(dimensions) * kind.itemsize != len(data) - start:
            raise InputError(
                place, f"{max(len(data) - start, 0)} bytes of values", f"as many as {kind} in shape {dimensions} takes"
            )
        values = np.frombuffer(data, kind, offset=start) if len(data) > start else np.empty(0, kind)
        return natural(values.reshape(dimensions, order="F" if order[1] == b"True" else "C"))
    except InputError:
        raise
    except (TypeError, ValueError, MemoryError) as error:  # a type or a shape that NumPy does not have
        raise InputError(place, f"the header {excerpt(header)}", "an array that NumPy can hold") from error
