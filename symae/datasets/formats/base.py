"""What a format of data sets is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from symae.datasets.dataset import Pairs


@dataclass(frozen=True)
class Format:
    """Describe a way in which images and labels are stored: in one file, in several files of a folder, or both."""

    position: int  # folders are searched for formats in the order of these
    endings: tuple[str, ...] = ()  # of the names of its files, without .gz
    files: str = ""  # what there may be, in an error's words: ".pkl, .pkl.gz"
    folder: str = ""  # likewise: "MNIST's four IDX files"
    read_file: Callable[[Path], Pairs] | None = None  # training, validation and test images of a file with these endings
    read_folder: Callable[[Path], Pairs | None] | None = None  # or None where the folder has none in this format
    names: tuple[str, ...] = ()  # looked for in a folder when no format is in it as a whole
