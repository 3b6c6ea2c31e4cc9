"""CNTK's text format: an image a line, ``|labels 0 0 1 0 0 0 0 0 0 0 |features 0 0 255 …``.

Labels are one-hot. All lines have as many labels and features as the first. Whole numbers 0 to 255 are bytes; a file with a
decimal point or an exponent in any feature holds floats in [0, 1]. Either may be in the sparse form, where ``3:1`` says that
number 3 is 1 and all that are not named are 0; where the first line is, there are MNIST's ten labels and 784 features. A
sequence number before the first ``|``, comments (``|# …``) and other named fields are read over, as CNTK does. Source: CNTK's
``CNTKTextFormatReader`` and its MNIST installer.
"""

from __future__ import annotations

import codecs
from os import PathLike
from pathlib import Path

import numpy as np

from symae._runtime.atomic_files import replacing
from symae.datasets.contents import excerpt, open_contents
from symae.datasets.dataset import Found, Split, checked_split
from symae.datasets.formats.base import Format
from symae.datasets.text_numbers import LONGEST_LINE, Table, floats
from symae.errors import InputError, MissingFileError

DIGITS = [str(value).encode() for value in range(256)]
SPARSE = {b"labels": 10, b"features": 784}  # MNIST's: a line in sparse form does not say of how many
EXPECTED = "|labels and numbers, |features and numbers"


def read_cntk_text(path: str | PathLike[str]) -> Split:
    """Read a file in CNTK's text format, plain or packed with gzip.

    Returns
    -------
    Split
        `x` (n, pixels), uint8 in [0, 255], or float32 in [0, 1] where the features are written with a decimal point; `y` (n,).

    Raises
    ------
    MissingFileError
        There is no such file.
    InputError
        A line lacks a field, has another count of numbers, something that is not a number or out of range, or labels that
        are not one-hot; the error names the line.
    """
    found = Table(path, "feature")
    counts: dict[bytes, int] = {}
    with open_contents(path) as contents:
        for number, line in enumerate(contents.lines(LONGEST_LINE), start=1):
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
            if line.strip():
                where = f"{path}, line {number}"
                fields = _fields(where, line, counts)
                found.add(where, fields[b"features"], _label(where, fields[b"labels"]))
    if not len(found):
        raise InputError(path, "no lines", EXPECTED)
    return checked_split(path, found.images(), np.array(found.labels))


def write_cntk_text(path: str | PathLike[str], x: np.ndarray, y: np.ndarray) -> None:
    """Write images and labels as CNTK's MNIST installer does; whole or not at all.

    Parameters
    ----------
    path : str or path
    x : array (n, pixels), or of images as in `symae.datasets.from_arrays`
        uint8, or floats in [0, 1], which come back as float32.
    y : array (n,) of integers from 0 on; there are at least ten classes

    Raises
    ------
    InputError
        `x` or `y` is not of that form.
    UnwritableError
        The file cannot be written.
    """
    split = checked_split(path, np.asarray(x), np.asarray(y))
    assert split.y is not None
    count = max(SPARSE[b"labels"], int(split.y.max()) + 1)
    one_hot = {label: b" ".join(DIGITS[label == k] for k in range(count)) for label in set(split.y.tolist())}
    with replacing(path) as file:
        for row, label in zip(split.x, split.y, strict=True):
            # repr keeps every digit of a float and always has a point or an exponent, which is what tells it from a byte.
            numbers = (
                map(DIGITS.__getitem__, row.tolist()) if row.dtype == np.uint8 else (repr(v).encode() for v in row.tolist())
            )
            file.write(b"|labels " + one_hot[int(label)] + b" |features " + b" ".join(numbers) + b"\n")


def find_cntk_texts(folder: Path) -> tuple[Path, Path] | None:
    """Find a folder's training and test file, ``Train*.txt`` and ``Test*.txt``; return None where it has neither.

    Raises MissingFileError where only one is there, and InputError where several fit and none has the installer's name.
    """
    found = [_one_of(folder, part) for part in ("Train", "Test")]
    if found == [None, None]:
        return None
    for part, path in zip(("Train", "Test"), found, strict=True):
        if path is None:
            raise MissingFileError(folder, f"no {part}*.txt", "both Train*.txt and Test*.txt")
    return found[0], found[1]  # type: ignore[return-value]


def _one_of(folder: Path, part: str) -> Path | None:
    paths = sorted(folder.glob(f"{part}*.txt"))
    installed = folder / f"{part}-28x28_cntk_text.txt"
    if installed in paths:
        return installed
    if len(paths) > 1:
        raise InputError(folder, f"{len(paths)} files {part}*.txt", f"one, or {installed.name} among them")
    return paths[0] if paths else None


def _fields(where: str, line: bytes, counts: dict[bytes, int]) -> dict[bytes, list[bytes]]:
    number, *parts = line.split(b"|")
    if number.strip() and not number.strip().isdigit():
        raise InputError(where, f"{excerpt(number.strip())} at the beginning", EXPECTED)
    fields: dict[bytes, list[bytes]] = {}
    for part in parts:
        name, *values = part.split() or [b""]
        if name in fields and name in (b"labels", b"features"):
            raise InputError(where, f"|{name.decode()} twice", EXPECTED)
        fields[name] = values
    for name in (b"labels", b"features"):
        if name not in fields:
            raise InputError(where, f"no |{name.decode()}", EXPECTED)
        sparse = any(b":" in token for token in fields[name])
        count = counts.setdefault(name, SPARSE[name] if sparse else len(fields[name]))
        if sparse:
            fields[name] = _dense(where, name.decode(), fields[name], count)
        if len(fields[name]) != count or not count:
            raise InputError(where, f"{len(fields[name])} numbers after |{name.decode()}", f"{count or 'some'}")
    return fields


def _dense(where: str, name: str, tokens: list[bytes], count: int) -> list[bytes]:
    """Return all `count` numbers of a field in sparse form, ``index:value`` for those that are not 0."""
    numbers = [b"0"] * count
    seen: set[int] = set()
    for token in tokens:
        index, _, value = token.partition(b":")
        at = int(index) if index.isdigit() and len(index) < 10 else count
        if at >= count or at in seen or not value:
            raise InputError(where, f"{excerpt(token)} after |{name}", f"index:value, each index from 0 to {count - 1} once")
        seen.add(at)
        numbers[at] = value
    return numbers


def _label(where: str, tokens: list[bytes]) -> int:
    values = floats(where, "label", tokens)
    if sorted(values) != [0.0] * (len(values) - 1) + [1.0]:
        raise InputError(where, f"the labels {excerpt(b' '.join(tokens))}", "one 1 and 0 elsewhere")
    return values.index(1.0)


def _read_file(path: Path) -> Found:
    split = read_cntk_text(path)
    return Found([(split.x, split.y)])


def _read_folder(folder: Path) -> Found | None:
    if (texts := find_cntk_texts(folder)) is None:
        return None
    return Found([(split.x, split.y) for split in map(read_cntk_text, texts)])


FORMAT = Format(
    position=40,
    endings=(".txt", ".ctf"),
    files=".txt (CNTK's text format)",
    folder="CNTK's Train*.txt and Test*.txt",
    read_file=_read_file,
    read_folder=_read_folder,
)
