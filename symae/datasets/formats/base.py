"""What a format of data sets is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from symae.datasets.dataset import Pairs

__all__ = ["Format"]


@dataclass(frozen=True)
class Format:
    """Describe a way in which images and labels are stored: in one file, in several files of a folder, or both.

    Attributes
    ----------
    position : int
        Folders are searched for formats in the order of these.
    endings : tuple of str
        What names of its files end in, without ``.gz``.
    files, folder : str
        What there may be, in an error's words: ".pkl, .pkl.gz", "MNIST's four IDX files".
    read_file : function of a path to the training, validation and test images
        For files with these endings.
    read_folder : function of a folder to these images, or to None where the folder has none in this format
    names : tuple of str
        Files that are looked for in a folder when no format is in it as a whole.
    """

    position: int
    endings: tuple[str, ...] = ()
    files: str = ""
    folder: str = ""
    read_file: Callable[[Path], Pairs] | None = None
    read_folder: Callable[[Path], Pairs | None] | None = None
    names: tuple[str, ...] = ()
