"""Pixels that are written as text: bytes as whole numbers, or floats with a point or an exponent."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

import numpy as np

from symae.datasets.contents import excerpt
from symae.errors import InputError

BYTES = {str(value).encode(): value for value in range(256)}
EXPECTED = "whole numbers 0 to 255, or floats in [0, 1]"
LONGEST_LINE = 1 << 20  # bytes; 784 numbers of 25 characters are 20 kB


def pixels(where: str, what: str, tokens: Sequence[bytes]) -> np.ndarray:
    """Return the numbers of an image as bytes, if all are whole, or as float32; `what` is one of them in an error."""
    try:
        return np.array(bytearray(map(BYTES.__getitem__, tokens)), np.uint8)
    except KeyError:
        pass
    if all(token.isdigit() for token in tokens):
        wrong = next(token for token in tokens if token not in BYTES)
        raise InputError(where, f"the {what} {excerpt(wrong)}", EXPECTED)
    values = np.array(floats(where, what, tokens))
    if not (values.min() >= 0 and values.max() <= 1):
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
            raise InputError(where, f"the {what} {excerpt(token)}" if token else f"an empty {what}", "a number") from error
    return values


def whole(where: str, what: str, token: bytes) -> int:
    """Return a label, which may be written as a float."""
    (value,) = floats(where, what, [token])
    if not (value == value // 1 and abs(value) < 2**31):  # NaN fails this
        raise InputError(where, f"the {what} {excerpt(token)}", "a whole number")
    return int(value)


def table(path: str | PathLike[str], what: str, rows: list[np.ndarray], lines: Sequence[int]) -> np.ndarray:
    """Stack the images of the lines of these numbers: bytes, or floats if one of them is of floats."""
    if any(row.dtype != np.uint8 for row in rows):
        # Images that happen to be written in whole numbers, in a file of floats.
        for row, number in zip(rows, lines, strict=True):
            if row.max() > 1:
                raise InputError(f"{path}, line {number}", f"the {what} {row.max()} among floats", "values in [0, 1]")
    return np.stack(rows)
