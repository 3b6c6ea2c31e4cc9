"""Pixels that are written as text: bytes as whole numbers, or floats with a point or an exponent."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from os import PathLike

import numpy as np

from symae.datasets.contents import LARGEST, excerpt
from symae.errors import InputError

BYTES = {str(value).encode(): value for value in range(256)}
EXPECTED = "whole numbers 0 to 255, or floats in [0, 1]"
LONGEST_LINE = 1 << 20  # bytes; 784 numbers of 25 characters are 20 kB


def pixels(where: str, what: str, tokens: Sequence[bytes]) -> np.ndarray:
    """Return the numbers of an image as bytes, or as float32 if one has a point; `what` is one of them in an error."""
    try:
        return np.array(bytearray(map(BYTES.__getitem__, tokens)), np.uint8)
    except KeyError:
        pass
    if all(token.isdigit() for token in tokens):
        wrong = next(token for token in tokens if token not in BYTES)
        raise InputError(where, f"the {what} {excerpt(wrong)}", EXPECTED)
    values = np.array(floats(where, what, tokens))
    if not (values.min() >= 0 and values.max() <= 1) and not (np.isin(values, np.arange(256)).all()):
        wrong = tokens[int(np.argmin((values >= 0) & (values <= 1)))]
        raise InputError(where, f"the {what} {excerpt(wrong)}", EXPECTED)
    return values.astype(np.float32)


def floats(where: str, what: str, tokens: Sequence[bytes]) -> list[float]:
    """Return `tokens` as floats, or raise InputError for the first that is no number."""
    values = []
    for token in tokens:
        try:
            # float() would also take Python's 1_000.
            values.append(float("_" if b"_" in token else token))
        except ValueError as error:
            found = f"the {what} {excerpt(token)}" if token else f"an empty {what}"
            raise InputError(where, found, "a number") from error
    return values


def whole(where: str, what: str, token: bytes) -> int:
    """Return a label, which may be written as a float."""
    (value,) = floats(where, what, [token])
    if not (value == value // 1 and abs(value) < 2**31):  # NaN fails this
        raise InputError(where, f"the {what} {excerpt(token)}", "a whole number")
    return int(value)


class Table:
    """Gather the images and labels of a file's lines in one array each: bytes, or float32 from the first with a point on."""

    def __init__(self, path: str | PathLike[str], what: str):
        self.labels = array("q")
        self._path, self._what = path, what
        self._raw, self._dtype = bytearray(), np.dtype(np.uint8)
        self._rows = 0
        self._fractions = False
        self._above: tuple[str, str] | None = None  # the first line that has more than 1, and how much

    def __len__(self) -> int:
        return self._rows

    def add(self, where: str, tokens: Sequence[bytes], label: int | None = None) -> None:
        """Add the image of one line, all of which have as many numbers, and its label."""
        row = pixels(where, self._what, tokens)
        if self._above is None and row.max() > 1:
            self._above = where, f"{row.max():g}"
        if row.dtype != np.uint8:
            if self._dtype == np.uint8:
                self._raw = bytearray(np.frombuffer(self._raw, np.uint8).astype(np.float32).tobytes())
                self._dtype = row.dtype
            self._fractions = self._fractions or bool((row != np.rint(row)).any())
        self._raw += row.astype(self._dtype, copy=False).tobytes()
        self._rows += 1
        if label is not None:
            self.labels.append(label)
        if len(self._raw) > LARGEST:
            raise InputError(self._path, f"more than {LARGEST >> 20} MiB of numbers", "a smaller file")

    def images(self) -> np.ndarray:
        """Return the images (n, pixels): whole numbers up to 255 are bytes, with a point or not, others floats in [0, 1]."""
        x = np.frombuffer(self._raw, self._dtype).reshape(self._rows, -1)
        if self._above is None or x.dtype == np.uint8:
            return x
        if self._fractions:
            where, most = self._above
            raise InputError(where, f"the {self._what} {most} among floats", "values in [0, 1]")
        return x.astype(np.uint8)
