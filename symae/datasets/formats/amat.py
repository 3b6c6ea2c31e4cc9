"""The .amat files of the MNIST variations: an image a line, floats in [0, 1] parted by blanks, and at last its label.

Source: Larochelle, Erhan, Courville, Bergstra and Bengio, "An Empirical Evaluation of Deep Architectures on Problems with Many
Factors of Variation" (2007).
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from symae.datasets.contents import open_contents
from symae.datasets.dataset import Found, Pair
from symae.datasets.formats.base import Format
from symae.datasets.formats.csv import pairs_of_files
from symae.datasets.text_numbers import LONGEST_LINE, Table, whole
from symae.errors import InputError


def read_amat(path: str | PathLike[str]) -> Pair:
    """Read images and labels, plain or packed; a line with another count of numbers, or with words, is an InputError."""
    found = Table(path, "number")
    count = 0
    with open_contents(path) as contents:
        for number, line in enumerate(contents.lines(LONGEST_LINE), start=1):
            *values, label = line.split() or [b""]
            if not label:
                continue
            count = count or len(values)
            if len(values) != count or not values:
                raise InputError(f"{path}, line {number}", f"{len(values)} numbers and a label", f"{count or 'more'}")
            where = f"{path}, line {number}"
            found.add(where, values, whole(where, "label", label))
    if not len(found):
        raise InputError(path, "no lines", "an image a line")
    return found.images(), np.array(found.labels)


def _read_file(path: Path) -> Found:
    return Found([read_amat(path)])


def _read_folder(folder: Path) -> Found | None:
    if (files := pairs_of_files(folder, (".amat",))) is None:
        return None
    return Found([read_amat(path) for path in files if path is not None])


FORMAT = Format(
    position=60,
    endings=(".amat",),
    files=".amat",
    folder="*train*.amat and *test*.amat",
    read_file=_read_file,
    read_folder=_read_folder,
)
