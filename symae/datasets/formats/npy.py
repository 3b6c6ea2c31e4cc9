"""NumPy's .npy: one array of images, without labels."""

from __future__ import annotations

import io
from os import PathLike

from symae.datasets.contents import read_contents
from symae.datasets.dataset import Found
from symae.datasets.formats.base import Format
from symae.datasets.formats.npz import read_array


def read_npy(path: str | PathLike[str]) -> Found:
    """Read the images of an .npy file, which has no labels; the errors are those of `read_npz`."""
    data = read_contents(path)
    return Found([(read_array(str(path), io.BytesIO(data), len(data), len(data)), None)])


FORMAT = Format(position=31, endings=(".npy",), files=".npy", read_file=read_npy)
