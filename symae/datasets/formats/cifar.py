"""CIFAR-10 and CIFAR-100: batches of 32 x 32 pixels in three colours, as pickles or in records of bytes.

A record is a label (CIFAR-100: a coarse one and a fine one, which is taken) and 3072 pixels, all red ones, then green, then
blue. Archives are read as they are, without being unpacked to the disk. Source: Krizhevsky, "Learning Multiple Layers of
Features from Tiny Images" (2009).
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Callable, Mapping
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np

from symae.datasets.contents import LARGEST, Contents, excerpt, is_file, open_contents, read_contents
from symae.datasets.dataset import Found, Pair
from symae.datasets.formats.base import Format
from symae.datasets.formats.pickles import unpickle
from symae.errors import InputError, MissingFileError

SHAPE = (3, 32, 32)
N_PIXELS = 3072
FOLDERS = ("", "cifar-10-batches-py", "cifar-10-batches-bin", "cifar-100-python", "cifar-100-binary")
TRAIN = re.compile(r"data_batch_([1-9]\d?)(\.bin)?|train(\.bin)?")
TEST = re.compile(r"test_batch(\.bin)?|test(\.bin)?")
NAMES = re.compile(r"batches\.meta(\.txt)?|meta|fine_label_names\.txt")
LARGEST_MEMBER = 256 << 20  # bytes; CIFAR-100's training images are 155 MB
LONGEST_NAME = 1 << 20  # bytes of a name, and of all else that an archive says of one member beside its header
MOST_INSTRUCTIONS = 400_000  # of a pickle: one of CIFAR-100 names 50000 files

Where = str | PathLike[str]
Load = Callable[[], bytes]


class _Member(tarfile.TarInfo):
    """A member of an archive, whose name and notes, which are read at once, are as long as names are."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        member = super().frombuf(buf, encoding, errors)
        # what is not of a kind of files is a header of the next member
        if member.type not in tarfile.REGULAR_TYPES and member.size > LONGEST_NAME:
            raise tarfile.ReadError(f"a name of {member.size} bytes")
        return member


def read_batch(where: Where, data: bytes) -> Pair:
    """Read images and labels of one batch, a pickle or records."""
    if str(where).removesuffix(".gz").endswith(".bin"):
        before = next((n for n in (1, 2) if len(data) % (N_PIXELS + n) == 0), None)
        if before is None:
            raise InputError(where, f"{len(data)} bytes", f"records of {N_PIXELS + 1} or {N_PIXELS + 2} bytes")
        records = np.frombuffer(data, np.uint8).reshape(-1, N_PIXELS + before)
        return records[:, before:], records[:, before - 1].astype(np.int64)
    batch = _unpickled(where, data)
    x = batch.get("data")
    if not isinstance(x, np.ndarray) or x.ndim != 2 or x.shape[1] != N_PIXELS:
        raise InputError(where, f"a pickle of {excerpt(list(batch))}", f"data of shape (n, {N_PIXELS})")
    labels = batch.get("labels", batch.get("fine_labels"))
    if not isinstance(labels, list) or not all(isinstance(label, int) and 0 <= label < 2**31 for label in labels):
        raise InputError(where, f"a pickle of {excerpt(list(batch))}", "labels or fine_labels, a list of whole numbers")
    return x, np.array(labels, np.int64)


def _unpickled(where: Where, data: bytes) -> Mapping[str, Any]:
    found = unpickle(where, Contents(Path(where), io.BytesIO(data)), MOST_INSTRUCTIONS)
    if not isinstance(found, dict):
        raise InputError(where, f"a pickle of a {type(found).__name__}", "a dictionary with data and labels")
    return found


def _found(where: Where, files: Mapping[str, Load]) -> Found | None:
    """Read what files of these names have, or return None where there are no batches for training among them."""
    train = sorted((int(match[1] or 0), name) for name in files if (match := TRAIN.fullmatch(name)))
    test = [name for name in files if TEST.fullmatch(name)]
    if not train or (not test and train[0][0] == 0):
        return None
    if train[0][0] and [number for number, _ in train] != list(range(1, len(train) + 1)):
        raise MissingFileError(where, f"{', '.join(name for _, name in train)}", "all of data_batch_1, data_batch_2, …, once")
    if len(test) != 1 or len({number for number, _ in train}) != len(train):
        raise MissingFileError(where, f"{len(test)} files test_batch", "one, and one of each data_batch")
    batches = [read_batch(Path(where) / name, files[name]()) for _, name in train]
    x, y = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    names = next((name for name in files if NAMES.fullmatch(name)), None)
    pairs = [(x, y), read_batch(Path(where) / test[0], files[test[0]]())]
    return Found(pairs, SHAPE, () if names is None else _class_names(Path(where) / names, files[names]()))


def _class_names(where: Path, data: bytes) -> tuple[str, ...]:
    if where.suffix == ".txt":
        return tuple(line.strip()[:100] for line in data[:100_000].decode(errors="replace").splitlines() if line.strip())
    found = _unpickled(where, data)
    names = found.get("label_names", found.get("fine_label_names"))
    return tuple(name[:100] for name in names if isinstance(name, str)) if isinstance(names, list) else ()


def _read_folder(folder: Path) -> Found | None:
    for below in map(folder.joinpath, FOLDERS):
        names = [path for path in below.glob("*") if is_file(path)] if below.exists() else []
        files = {path.name: partial(read_contents, path) for path in sorted(names)}
        if (found := _found(below, files)) is not None:
            return found
    return None


def _read_archive(path: Path) -> Found:
    files: dict[str, bytes] = {}
    with open_contents(path) as contents:
        try:
            with tarfile.open(fileobj=contents, mode="r|", tarinfo=_Member) as archive:  # type: ignore[call-overload]
                size = 0
                for member in archive:
                    name, size = Path(member.name).name, size + max(member.size, 0)
                    if member.issparse() or size > LARGEST:
                        what = "a sparse file" if member.issparse() else f"more than {LARGEST >> 20} MiB"
                        raise InputError(path, f"{excerpt(name)}: {what}", "batches of a few megabytes")
                    if not member.isreg() or not any(known.fullmatch(name) for known in (TRAIN, TEST, NAMES)):
                        continue
                    if not 0 <= member.size <= LARGEST_MEMBER or name in files:
                        raise InputError(path, f"{excerpt(name)} of {member.size} bytes", "each batch once, of a few megabytes")
                    file = archive.extractfile(member)
                    files[name] = b"" if file is None else file.read()
        except (tarfile.TarError, ValueError, OverflowError, EOFError, IndexError, RecursionError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(path, f"a broken archive ({excerpt(str(error))})", "a whole .tar.gz of CIFAR") from error
    found = _found(path, {name: partial(bytes, data) for name, data in files.items()})
    if found is None:
        raise InputError(path, f"an archive of {', '.join(files) or 'other files'}", "data_batch_1, …, test_batch")
    return found


def _read_file(path: Path) -> Found:
    if path.name.lower().removesuffix(".gz").endswith(".bin"):
        return Found([read_batch(path, read_contents(path))], SHAPE)
    return _read_archive(path)


FORMAT = Format(
    position=25,
    endings=(".bin", "-python.tar", "-binary.tar"),
    files="CIFAR's .bin or .tar.gz",
    folder="CIFAR's batches",
    read_file=_read_file,
    read_folder=_read_folder,
)
