"""NumPy's .npz of Chainer, Lasagne and anybody; safetensors; lisa-lab's pickles."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np

from symae._runtime.tensor_files import TensorFile
from symae.datasets.contents import MOST_TIMES, UNSUSPICIOUS, excerpt, read_contents
from symae.datasets.formats.npz import broken_archives, open_member, read_array, read_header
from symae.errors import InputError
from symae.models.foreign.conventions import CHAINER, LASAGNE, PYTORCH, SYMAE, THEANO, UNCLEAR, Convention
from symae.models.foreign.pickled import arrays_in_pickles
from symae.models.foreign.stored import Weights, stored, weights_of
from symae.models.saved import KEY

# of a trainer's snapshot, which has the state of its optimizer too
CHAINERS_MODEL = "updater/model:main/"


@contextmanager
def npz_weights(path: Path, file: IO[bytes]) -> Iterator[Weights]:
    """Yield the arrays of an .npz file.

    Those called ``arr_0`` and so on, which `numpy.savez` gives to arrays without names, are Lasagne's. Those with a slash are
    Chainer's, and others have symae's own axes; W and b alone have those which fit together.
    """
    with opened_archive(path, file) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        if any(name.startswith(CHAINERS_MODEL) for name in members):  # a snapshot of a trainer
            members = {name: info for name, info in members.items() if name.startswith(CHAINERS_MODEL)}
        by_position = all(re.fullmatch(r"arr_\d+", name) for name in members)
        convention = LASAGNE if by_position else CHAINER if any("/" in name for name in members) else SYMAE
        found = []
        headers = {}
        for name, info in members.items():
            with broken_archives(path), open_member(path, archive, info) as member:
                headers[name] = read_header(f"{path}, {name}", member, info.file_size)
        if convention is SYMAE:
            convention = _of_a_layer({name: header.shape for name, header in headers.items()})
        for name, info in members.items():
            load = partial(_member, path, archive, f"{path}, {name}", info)
            found.append(stored(name, "/", headers[name].shape, str(headers[name].dtype), load, convention))
        if by_position:
            found.sort(key=lambda array: int(array.name[4:]))
        yield weights_of(path, found, by_position=by_position)


def _of_a_layer(shapes: Mapping[str, tuple[int, ...]]) -> Convention:
    """Return whose axes W has where there is nothing but W, and b: a single link of Chainer's, or a model of symae's."""
    if not shapes.keys() <= {"W", "b"} or len(shapes.get("W", ())) != 2:
        return SYMAE
    n_rows, n_columns = shapes["W"]
    if n_rows == n_columns:
        return UNCLEAR
    return CHAINER if shapes.get("b") == (n_rows,) else SYMAE


def _member(path: Path, archive: zipfile.ZipFile, where: str, info: zipfile.ZipInfo) -> np.ndarray:
    with broken_archives(path), open_member(path, archive, info) as file:
        return read_array(where, file, info.file_size, info.compress_size)


@contextmanager
def safetensors_weights(path: Path, file: IO[bytes]) -> Iterator[Weights]:
    """Yield the arrays of a safetensors file: PyTorch's, if it says nothing else, or symae's own."""
    tensors = TensorFile(path, file, "a whole safetensors file of floats of 16 to 64 bits", bfloat16=True)
    written_by = tensors.metadata.get("format", "pt")
    own = KEY in tensors.metadata
    if not own and written_by != "pt":
        raise InputError(path, f"format {written_by!r} in its description", "'pt', PyTorch's, or symae's own")
    convention = SYMAE if own else PYTORCH
    loaded: dict[str, np.ndarray] = {}

    def load(name: str) -> np.ndarray:
        if not loaded:
            loaded.update(tensors.arrays(KEY))
        return loaded[name]

    shapes = tensors.shapes.items()
    yield weights_of(path, [stored(n, ".", shape, dtype, partial(load, n), convention) for n, (shape, dtype) in shapes])


@contextmanager
def pickled_weights(path: Path, file: IO[bytes]) -> Iterator[Weights]:
    """Yield the arrays of one pickle or of several in a row, packed or not: Theano's, of the programs of its time."""
    yield array_weights(path, THEANO, arrays_in_pickles(path, read_contents(path)))


def array_weights(path: Path, convention: Convention, arrays: Mapping[str, np.ndarray]) -> Weights:
    """Return arrays that are read already, whose names have dots in them, or nothing but positions."""
    by_position = all(re.fullmatch(r"[\d.]+", name) for name in arrays)
    items = arrays.items()
    found = [stored(name, ".", a.shape, str(a.dtype), partial(np.asarray, a), convention) for name, a in items]
    return weights_of(path, found, by_position=by_position)


def is_archive(begin: bytes) -> bool:
    """Return True if a file that begins so is a zip archive."""
    return begin.startswith(b"PK\3\4")


@contextmanager
def opened_archive(path: Path, file: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """Yield a zip archive whose parts claim no more bytes than the file has, and do not unpack to a great many times that."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    with broken_archives(path):
        archive = zipfile.ZipFile(file)
    with archive:
        for info in archive.infolist():
            stored_as_it_is = info.compress_type == zipfile.ZIP_STORED
            most = info.compress_size if stored_as_it_is else max(UNSUSPICIOUS, MOST_TIMES * info.compress_size)
            if info.compress_size > size or info.file_size > most:
                found = f"{info.file_size} bytes, of {info.compress_size} in a file of {size}"
                raise InputError(f"{path}, {excerpt(info.filename)}", found, "a whole archive")
        yield archive


def member_bytes(path: Path, archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return the bytes of a part of an archive, of which there may not be more than `most`."""
    with broken_archives(path):
        info = archive.getinfo(name)
        if info.file_size > most:
            raise InputError(f"{path}, {name}", f"{info.file_size} bytes", f"at most {most}")
        with open_member(path, archive, info) as file:
            data = file.read(most + 1)
    if len(data) > most:
        raise InputError(f"{path}, {name}", f"more than {most} bytes", f"at most {most}")
    return data
