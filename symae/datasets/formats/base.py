"""What a format of data sets is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symae.datasets.dataset import Found


@dataclass(frozen=True)
class Format:
    """Describe a way in which images and labels are stored: in one file, in several files of a folder, or both."""

    position: int  # folders are searched for formats in the order of these
    endings: tuple[str, ...] = ()  # of the names of its files, in lower case, without .gz
    files: str = ""  # what there may be, in an error's words: ".pkl, .pkl.gz"
    folder: str = ""  # likewise: "MNIST's four IDX files"
    read_file: Callable[..., Found] | None = None  # what a file with one of these endings has
    read_folder: Callable[..., Found | None] | None = None  # or None where the folder has none in this format
    options: tuple[str, ...] = ()  # image_shape and fit of `symae.datasets.read`, or those of them that both take
    names: tuple[str, ...] = ()  # looked for in a folder when no format is in it as a whole
