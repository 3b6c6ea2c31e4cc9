"""CNTK's text format: an image a line, ``|labels 0 0 1 0 0 0 0 0 0 0 |features 0 0 255 …``.

Labels are one-hot, ten numbers. Features are 784 numbers: whole numbers 0 to 255 are bytes; a file with a decimal point or an
exponent in any feature holds floats in [0, 1]. Either may be in the sparse form, where ``3:1`` says that number 3 is 1 and all
that are not named are 0. A sequence number before the first ``|``, comments (``|# …``) and other named fields are read over, as
CNTK does. Source: CNTK's ``CNTKTextFormatReader`` and its MNIST installer.
"""

from __future__ import annotations

import codecs
from os import PathLike
from pathlib import Path

import numpy as np

from symae._runtime.atomic_files import replacing
from symae.datasets.contents import excerpt, open_contents
from symae.datasets.dataset import N_CLASSES, N_PIXELS, Pairs, Split, checked_split, fraction
from symae.datasets.formats.base import Format
from symae.errors import InputError, MissingFileError

BYTES = {str(value).encode(): value for value in range(256)}
DIGITS = [str(value).encode() for value in range(256)]
LONGEST_LINE = 1 << 20  # 784 numbers of 25 characters are 20 kB
EXPECTED = "|labels and 10 numbers, |features and 784 numbers"


def read_cntk_text(path: str | PathLike[str]) -> Split:
    """Read a file in CNTK's text format, plain or packed with gzip.

    Returns
    -------
    Split
        `x` (n, 784), uint8 in [0, 255], or float32 in [0, 1] where the features are written with a decimal point; `y` (n,).

    Raises
    ------
    MissingFileError
        There is no such file.
    InputError
        A line lacks a field, has another count of numbers, something that is not a number or out of range, or labels that
        are not one-hot; the error names the line.
    """
    rows: list[np.ndarray] = []
    labels: list[int] = []
    lines: list[int] = []
    with open_contents(path) as contents:
        for number, line in enumerate(contents.lines(LONGEST_LINE), start=1):
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
            if line.strip():
                fields = _fields(f"{path}, line {number}", line)
                labels.append(_label(f"{path}, line {number}", fields[b"labels"]))
                rows.append(_pixels(f"{path}, line {number}", fields[b"features"]))
                lines.append(number)
    if not rows:
        raise InputError(path, "no lines", EXPECTED)
    if any(row.dtype != np.uint8 for row in rows):
        # Images that happen to be written in whole numbers, in a file of floats.
        for row, number in zip(rows, lines, strict=True):
            if row.max() > 1:
                raise InputError(f"{path}, line {number}", f"the feature {row.max()} among floats", "values in [0, 1]")
    return checked_split(path, np.stack(rows), np.array(labels))


def write_cntk_text(path: str | PathLike[str], x: np.ndarray, y: np.ndarray) -> None:
    """Write images and labels as CNTK's MNIST installer does; whole or not at all.

    Parameters
    ----------
    path : str or path
    x : array (n, 784) or (n, 28, 28)
        uint8, or floats in [0, 1], which come back as float32.
    y : array (n,) of integers in [0, 9]

    Raises
    ------
    InputError
        `x` or `y` is not of that form.
    UnwritableError
        The file cannot be written.
    """
    split = checked_split(path, np.asarray(x), np.asarray(y))
    one_hot = [b" ".join(DIGITS[label == k] for k in range(N_CLASSES)) for label in range(N_CLASSES)]
    with replacing(path) as file:
        for row, label in zip(split.x, split.y, strict=True):
            # repr keeps every digit of a float and always has a point or an exponent, which is what tells it from a byte.
            numbers = (
                map(DIGITS.__getitem__, row.tolist()) if row.dtype == np.uint8 else (repr(v).encode() for v in row.tolist())
            )
            file.write(b"|labels " + one_hot[label] + b" |features " + b" ".join(numbers) + b"\n")


def read_cntk_pairs(path: Path) -> Pairs:
    """Read training, validation and test (x, y) from one file, cut in its order 5 : 1 : 1 like MNIST's 50000, 10000, 10000."""
    split = read_cntk_text(path)
    if len(split.x) < 3:
        raise InputError(path, f"{len(split.x)} images", "at least three, for training, validation and test")
    rest, test = fraction(path, (split.x, split.y), 7)
    return [*fraction(path, rest, 6), test]


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


def _fields(where: str, line: bytes) -> dict[bytes, list[bytes]]:
    number, *parts = line.split(b"|")
    if number.strip() and not number.strip().isdigit():
        raise InputError(where, f"{excerpt(number.strip())} at the beginning", EXPECTED)
    fields: dict[bytes, list[bytes]] = {}
    for part in parts:
        name, *values = part.split() or [b""]
        if name in fields and name in (b"labels", b"features"):
            raise InputError(where, f"|{name.decode()} twice", EXPECTED)
        fields[name] = values
    for name, count in ((b"labels", N_CLASSES), (b"features", N_PIXELS)):
        if name not in fields:
            raise InputError(where, f"no |{name.decode()}", EXPECTED)
        if any(b":" in token for token in fields[name]):
            fields[name] = _dense(where, name.decode(), fields[name], count)
        if len(fields[name]) != count:
            raise InputError(where, f"{len(fields[name])} numbers after |{name.decode()}", f"{count}")
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
    values = _floats(where, "label", tokens)
    if sorted(values) != [0.0] * (N_CLASSES - 1) + [1.0]:
        raise InputError(where, f"the labels {excerpt(b' '.join(tokens))}", "one 1 and nine 0")
    return values.index(1.0)


def _pixels(where: str, tokens: list[bytes]) -> np.ndarray:
    try:
        return np.array(bytearray(map(BYTES.__getitem__, tokens)), np.uint8)
    except KeyError:
        pass
    if all(token.isdigit() for token in tokens):
        wrong = next(token for token in tokens if token not in BYTES)
        raise InputError(where, f"the feature {excerpt(wrong)}", "whole numbers 0 to 255, or floats in [0, 1]")
    values = np.array(_floats(where, "feature", tokens))
    if not (values.min() >= 0 and values.max() <= 1):
        wrong = tokens[int(np.argmin((values >= 0) & (values <= 1)))]
        raise InputError(where, f"the feature {excerpt(wrong)}", "whole numbers 0 to 255, or floats in [0, 1]")
    return values.astype(np.float32)


def _floats(where: str, what: str, tokens: list[bytes]) -> list[float]:
    values = []
    for token in tokens:
        try:
            # float() would also take Python's 1_000.
            values.append(float("_" if b"_" in token else token))
        except ValueError as error:
            raise InputError(where, f"the {what} {excerpt(token)}", "a number") from error
    return values


def _read_folder(folder: Path) -> Pairs | None:
    if (texts := find_cntk_texts(folder)) is None:
        return None
    train, test = map(read_cntk_text, texts)
    return [*fraction(texts[0], (train.x, train.y), 6), (test.x, test.y)]


FORMAT = Format(
    position=40,
    endings=(".txt", ".ctf"),
    files=".txt (CNTK's text format)",
    folder="CNTK's Train*.txt and Test*.txt",
    read_file=read_cntk_pairs,
    read_folder=_read_folder,
)
