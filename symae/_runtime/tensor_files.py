"""safetensors files with a description and a checksum, which are read no further than they fit.

The checksum is a SHA-256 of the description and of all arrays with their names, dtypes and shapes. It stands in the
description, a JSON text in the file's metadata. Files without one, of older versions of symae, are read as well.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import reprlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import safetensors
import safetensors.numpy
from safetensors import SafetensorError

from symae._runtime.atomic_files import open_regular
from symae.errors import InputError

CHECKSUM = "sha256"
LONGEST_HEADER = 100_000_000  # safetensors' own bound
DTYPES = {
    "BOOL": "bool",
    **{f"{kind}{8 * size}": f"{kind.lower()}{size}" for kind in "IU" for size in (1, 2, 4, 8)},
    **{f"F{8 * size}": f"f{size}" for size in (2, 4, 8)},
    "C64": "c8",
}
BFLOAT16 = "bfloat16"

Shapes = dict[str, tuple[tuple[int, ...], str]]


def encoded(arrays: Mapping[str, np.ndarray], key: str, description: Mapping[str, Any]) -> bytes:
    """Return the content of a file of `arrays`, all C-contiguous, with `description`, as JSON takes it, under `key`."""
    described = {**description, CHECKSUM: _checksum(description, arrays)}
    # one entry only: safetensors puts several in random order
    return bytes(safetensors.numpy.save(dict(arrays), metadata={key: json.dumps(described)}))


class TensorFile:
    """Read a safetensors file whose header is known to be sound: `shapes`, (shape, dtype) by name, and `metadata`.

    Arrays of bfloat16, which NumPy lacks, are read as float32 where the caller admits them.
    """

    def __init__(self, path: Path, file: IO[bytes], expected: str, *, bfloat16: bool = False):
        self._path, self._file, self._expected = path, file, expected
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, LONGEST_HEADER):
            raise self._damaged(f"a header of {length} bytes in a file of {size}")
        self._header = file.read(length)
        try:
            entries = json.loads(self._header)
            self.metadata: dict[str, str] = {str(k): str(v) for k, v in entries.pop("__metadata__", {}).items()}
            self.shapes: Shapes = {name: _shape(entry, bfloat16) for name, entry in entries.items()}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise self._damaged(str(error)) from error
        sizes = (math.prod(s) * (2 if t == BFLOAT16 else np.dtype(t).itemsize) for s, t in self.shapes.values())
        if (found := sum(sizes)) != size - 8 - length:
            raise self._damaged(f"{size - 8 - length} bytes for {reprlib.repr(found)} bytes of arrays")

    def arrays(self, key: str, checksum: bool = False) -> dict[str, np.ndarray]:
        """Return the arrays; the checksum in the description called `key`, which `checksum` asks for, has to be right."""
        content = len(self._header).to_bytes(8, "little") + self._header + self._file.read()
        try:
            arrays = _loaded(content, self.shapes)
        except (SafetensorError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            raise self._damaged(str(error)) from error
        described = self._description(key)
        saved = described.pop(CHECKSUM, None)
        if (checksum or saved is not None) and saved != _checksum(described, arrays):
            raise self._damaged("its checksum is of other contents")
        return arrays

    def _description(self, key: str) -> dict[str, Any]:
        try:
            described = json.loads(self.metadata.get(key, "{}"))
        except (ValueError, RecursionError):
            described = None  # whoever reads it says what is wrong
        return described if isinstance(described, dict) else {}

    def _damaged(self, why: str) -> InputError:
        return InputError(self._path, f"a damaged file ({why})", self._expected)


@contextmanager
def open_tensors(path: Path, expected: str) -> Iterator[TensorFile]:
    """Yield the safetensors file `path`, which should be `expected`.

    Raises MissingFileError, or InputError where it is no regular file or its header is damaged or does not fit its length.
    """
    with open_regular(path, expected) as file:
        yield TensorFile(path, file, expected)


def text_checksum(described: Mapping[str, Any]) -> str:
    """Return the SHA-256 of `described`, which JSON takes, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def not_finite(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the names of the arrays that hold NaN or infinite values, in words; empty where none does."""
    return ", ".join(name for name, value in arrays.items() if value.dtype.kind == "f" and not np.isfinite(value).all())


def _checksum(described: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256(text_checksum(described).encode())
    for name, array in sorted(arrays.items()):
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _loaded(content: bytes, shapes: Shapes) -> dict[str, np.ndarray]:
    if not any(dtype == BFLOAT16 for _, dtype in shapes.values()):
        return safetensors.numpy.load(content)
    arrays = {}
    for name, entry in safetensors.deserialize(content):
        shape, dtype = shapes[name]
        if dtype == BFLOAT16:  # the upper half of a float32
            arrays[name] = (np.frombuffer(entry["data"], "<u2").astype(np.uint32) << 16).view(np.float32).reshape(shape)
        else:
            arrays[name] = np.frombuffer(entry["data"], DTYPES[entry["dtype"]]).reshape(shape)
    return arrays


def _shape(entry: Any, bfloat16: bool) -> tuple[tuple[int, ...], str]:
    shape = entry["shape"]
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError(f"the shape {reprlib.repr(shape)}")
    if bfloat16 and entry["dtype"] == "BF16":
        return tuple(shape), BFLOAT16
    if entry["dtype"] not in DTYPES:
        raise ValueError(f"arrays of {reprlib.repr(entry['dtype'])}")
    return tuple(shape), str(np.dtype(DTYPES[entry["dtype"]]))
