"""LIBSVM's text format: an image a line, its label and ``index:value`` for pixels from 1 on that are not 0, as in ``usps.bz2``.

Pixels are bytes or floats in [0, 1]; floats from -1 to 1, as USPS has them, are brought to [0, 1]. As black pixels at the end
may be missing in every line, there are as many pixels as the next square has.
"""

from __future__ import annotations

import math
from os import PathLike
from pathlib import Path

import numpy as np

from symae.datasets.contents import excerpt, is_file, open_contents
from symae.datasets.dataset import Found
from symae.datasets.formats.base import Format
from symae.datasets.text_numbers import LONGEST_LINE, floats, whole
from symae.errors import InputError

MOST_PIXELS = 1 << 16  # the largest index
LARGEST = 1 << 28  # numbers in all

Lines = list[tuple[int, list[int], list[float]]]


def read_libsvm(*paths: str | PathLike[str]) -> Found:
    """Read a file, or one of training images and one of test images, plain or packed.

    What is no label or no pair index:value, and indices that do not rise, are an InputError that names the line.
    """
    parts = [_lines(path) for path in paths]
    most = max((indices[-1] for lines in parts for _, indices, _ in lines if indices), default=1)
    pixels = (math.isqrt(most - 1) + 1) ** 2
    if pixels * sum(map(len, parts)) > LARGEST:
        raise InputError(paths[0], f"{sum(map(len, parts))} images of {pixels} pixels", f"at most {LARGEST} pixels in all")
    values = [value for lines in parts for *_, row in lines for value in row]
    low, high = min(values, default=0.0), max(values, default=0.0)
    arrays: list[np.ndarray] = [np.zeros((len(lines), pixels), np.float32) for lines in parts]
    for array, lines in zip(arrays, parts, strict=True):
        for row, (_, indices, numbers) in zip(array, lines, strict=True):
            row[np.array(indices, np.intp) - 1] = numbers
    if -1 <= low < 0 and high <= 1:
        arrays = [(array + 1) / 2 for array in arrays]
    elif low >= 0 and 1 < high <= 255 and all(value == value // 1 for value in values):
        arrays = [array.astype(np.uint8) for array in arrays]
    return Found([(x, np.array([label for label, *_ in lines])) for x, lines in zip(arrays, parts, strict=True)])


def _lines(path: str | PathLike[str]) -> Lines:
    found: Lines = []
    with open_contents(path) as contents:
        for number, line in enumerate(contents.lines(LONGEST_LINE), start=1):
            where = f"{path}, line {number}"
            label, *pairs = line.partition(b"#")[0].split() or [b""]
            if not label:
                continue
            indices: list[int] = []
            values: list[float] = []
            for pair in pairs:
                index, _, value = pair.partition(b":")
                at = int(index) if index.isdigit() and len(index) < 6 else 0
                if not (indices[-1] if indices else 0) < at <= MOST_PIXELS:
                    raise InputError(where, excerpt(pair), f"index:value, indices that rise from 1 to at most {MOST_PIXELS}")
                indices.append(at)
                values += floats(where, "pixel", [value])
            found.append((whole(where, "label", label), indices, values))
    if not found:
        raise InputError(path, "no lines", "an image a line")
    return found


def _read_file(path: Path) -> Found:
    return read_libsvm(path)


def _read_folder(folder: Path) -> Found | None:
    paths = [folder / name for name in ("usps.bz2", "usps.t.bz2")]
    return read_libsvm(*paths) if all(map(is_file, paths)) else None


FORMAT = Format(
    position=65,
    endings=(".libsvm", "usps", "usps.t"),
    files=".libsvm",
    folder="usps.bz2 and usps.t.bz2",
    read_file=_read_file,
    read_folder=_read_folder,
)
