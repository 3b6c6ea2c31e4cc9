"""Where data lies on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from symae.datasets.contents import is_file
from symae.datasets.formats.idx import idx_folder, missing_files, pointed_at
from symae.errors import InputError, MissingFileError

VARIABLE = "SYMAE_DATA"
PACKAGE = Path(__file__).resolve().parent


def search_folders() -> list[Path]:
    """Return the folders where MNIST may lie, in the order in which they are searched.

    The folder that the environment variable SYMAE_DATA names, and no other; where it is not set, ``data/`` of the checkout (if
    symae runs from one) and the user's cache folder.
    """
    if named := os.environ.get(VARIABLE):
        return [Path(named)]
    checkout = _checkout()
    return [*([checkout / "data"] if checkout else []), cache_folder()]


def download_folder() -> Path:
    """Return the folder that a download goes to: the first one that will be searched."""
    return search_folders()[0]


def find_mnist() -> Path | None:
    """Find the first folder with MNIST's four files, plain or .gz, in it or in one of MNIST's name below; None without one."""
    for folder in search_folders():
        try:
            found = idx_folder(folder)
        except InputError:  # several below: `mnist_folder` names them
            continue
        if found is not None:
            return found
    return None


def mnist_folder() -> Path:
    """Return the folder that holds MNIST's four files.

    Raises MissingFileError where none does, or SYMAE_DATA names one that does not, and points at files of these names that lie
    elsewhere below; InputError where several below one of them do.
    """
    folder = find_mnist()
    if folder is not None:
        return folder
    folders = search_folders()
    for searched in folders:
        idx_folder(searched)  # says where several have them
    if os.environ.get(VARIABLE):
        missing = " and no ".join(missing_files(folders[0]))
        expected = f"MNIST's four files, because {VARIABLE} names this folder"
        raise MissingFileError(folders[0], f"no {missing}{pointed_at(folders[0])}", expected)
    raise MissingFileError(
        "MNIST",
        f"no copy in {' or '.join(map(str, folders))}{''.join(map(pointed_at, folders))}",
        f"its four files there (symae data mnist downloads them) or in the folder that {VARIABLE} names",
    )


def digits_file() -> Path:
    """Return the path of the embedded digits: ``data/digits.npz`` of a checkout, or the copy in an installed package."""
    installed = PACKAGE / "digits.npz"
    checkout = _checkout()
    for path in [installed, *([checkout / "data" / "digits.npz"] if checkout else [])]:
        if is_file(path):
            return path
    raise MissingFileError(installed, expected="the embedded digits; python -m symae.datasets.strokes draws them again")


def _checkout() -> Path | None:
    """Return the repository's folder, if symae runs from one."""
    folder = PACKAGE.parents[1]
    # A project that has a copy of symae in its tree has a pyproject.toml there too, but not the digits.
    return folder if is_file(folder / "pyproject.toml") and is_file(folder / "data" / "digits.npz") else None


def cache_folder() -> Path:
    """Return the folder for what symae can bring or make again, the one that pooch downloads to."""
    return Path(platformdirs.user_cache_dir("symae"))
