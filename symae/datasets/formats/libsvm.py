"""LIBSVM's text format: an image a line, its label and ``index:value`` for pixels from 1 on that are not 0, as in ``usps.bz2``.

Pixels are bytes or floats in [0, 1]; floats from -1 to 1, as USPS has them, are brought to [0, 1]. The largest index is the
number of pixels where that makes a square, of grey or of three channels. Else, as black pixels at the end may be missing in
every line, there are as many as `image_shape` says, or as the next square of grey has.
"""

from __future__ import annotations

import math
from array import array
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np

from symae.datasets.contents import excerpt, is_file, open_contents
from symae.datasets.dataset import Found, ImageShape, Pair, square
from symae.datasets.formats.base import Format
from symae.datasets.text_numbers import LONGEST_LINE, floats, whole
from symae.errors import InputError

MOST_PIXELS = 1 << 16  # the largest index
LARGEST = 1 << 28  # numbers in all


class _Lines(NamedTuple):
    labels: array[int]
    counts: array[int]  # of the pixels of each line
    indices: array[int]
    values: array[float]


def read_libsvm(*paths: str | PathLike[str], image_shape: ImageShape | None = None) -> Found:
    """Read a file, or one of training images and one of test images, plain or packed.

    What is no label or no pair index:value, and indices that do not rise, are an InputError that names the line.
    """
    parts = [_lines(path) for path in paths]
    most = max((max(part.indices) for part in parts if part.indices), default=1)
    shape = _shape(paths[0], most, image_shape)
    pixels, n = math.prod(shape), sum(len(part.labels) for part in parts)
    if pixels * n > LARGEST:
        raise InputError(paths[0], f"{n} images of {pixels} pixels", f"at most {LARGEST} pixels in all")
    values = [np.array(part.values) for part in parts if part.values]
    signed = bool(values) and -1 <= min(v.min() for v in values) < 0 and max(v.max() for v in values) <= 1
    pairs: list[Pair] = []
    for part in parts:
        x = np.zeros((len(part.labels), pixels), np.float32)
        counts, indices, numbers = (np.array(found) for found in part[1:])
        ends = np.cumsum(counts)
        for row, begin, end in zip(x, ends - counts, ends, strict=True):
            row[indices[begin:end] - 1] = numbers[begin:end]
        pairs.append(((x + 1) / 2 if signed else x, np.array(part.labels)))
    guessed = image_shape is None and pixels != most
    note = f"The largest index is {most}: images of {shape[1]} x {shape[2]}, if image_shape says nothing else"
    return Found(pairs, shape, notes=(note,) if guessed else ())


def _shape(path: str | PathLike[str], most: int, wanted: ImageShape | None) -> ImageShape:
    """Return the shape of images with so many pixels: a square of just so many, or as is wanted, or the next square of grey."""
    if wanted is not None:
        for channels in (1, 3):
            if channels * wanted[1] * wanted[2] >= most:
                return channels, wanted[1], wanted[2]
        raise InputError(path, f"the index {most}", f"at most {3 * wanted[1] * wanted[2]}, as image_shape says")
    if 1 not in (own := square(most))[1:] or most == 1:
        return own
    side = math.isqrt(most - 1) + 1
    return 1, side, side


def _lines(path: str | PathLike[str]) -> _Lines:
    found = _Lines(array("q"), array("q"), array("i"), array("f"))
    most = 0
    with open_contents(path) as contents:
        for number, line in enumerate(contents.lines(LONGEST_LINE), start=1):
            where = f"{path}, line {number}"
            label, *pairs = line.partition(b"#")[0].split() or [b""]
            if not label:
                continue
            last = 0
            for pair in pairs:
                index, _, value = pair.partition(b":")
                at = int(index) if index.isdigit() and len(index) < 6 else 0
                if not last < at <= MOST_PIXELS:
                    raise InputError(where, excerpt(pair), f"index:value, indices that rise from 1 to at most {MOST_PIXELS}")
                last = at
                found.indices.append(at)
                found.values.extend(floats(where, "pixel", [value]))
            found.labels.append(whole(where, "label", label))
            found.counts.append(len(pairs))
            most = max(most, last)
            if most * len(found.labels) > LARGEST:
                raise InputError(where, f"{len(found.labels)} images of {most} pixels", f"at most {LARGEST} pixels in all")
    if not found.labels:
        raise InputError(path, "no lines", "an image a line")
    return found


def _read_file(path: Path, image_shape: ImageShape | None) -> Found:
    return read_libsvm(path, image_shape=image_shape)


def _read_folder(folder: Path, image_shape: ImageShape | None) -> Found | None:
    paths = [folder / name for name in ("usps.bz2", "usps.t.bz2")]
    return read_libsvm(*paths, image_shape=image_shape) if all(map(is_file, paths)) else None


FORMAT = Format(
    position=65,
    endings=(".libsvm", "usps", "usps.t"),
    files=".libsvm",
    folder="usps.bz2 and usps.t.bz2",
    read_file=_read_file,
    read_folder=_read_folder,
    options=("image_shape",),
)
