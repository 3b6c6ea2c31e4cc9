"""Tables of pixels as text, an image a line: MNIST's CSV files and their likes.

With a header the column ``label`` (or ``class``, ``target``, ``y``) holds labels, as in Kaggle's ``train.csv``; a column
``id`` or ``index`` is passed over, and all others are pixels. Without one, the first column holds labels where the others are
as many as `image_shape` or a square has pixels, of grey or of three channels, and all together are not: ``mnist_train.csv`` of
pjreddie. Cells are parted by commas, semicolons or tabs.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from symae.datasets.array_names import LABELS
from symae.datasets.contents import excerpt, is_file, open_contents
from symae.datasets.dataset import Found, ImageShape, Pair, square
from symae.datasets.formats.base import Format
from symae.datasets.text_numbers import LONGEST_LINE, Table, whole
from symae.errors import InputError

LABEL_COLUMNS = LABELS | {"class"}
INDEX_COLUMNS = {"id", "index", "", "unnamed: 0"}  # the last two are pandas's
ENDINGS = (".csv", ".tsv")


def read_csv(path: str | PathLike[str], image_shape: ImageShape | None = None) -> Pair:
    """Read images and labels, or None, of a table, plain or packed.

    A line with another number of cells than the first, an empty cell, or one that is no number is an InputError that names the
    line.
    """
    found = Table(path, "cell")
    delimiter, count, label = b"", 0, None
    passed_over: list[int] = []
    with open_contents(path) as contents:
        for number, line in enumerate(contents.lines(LONGEST_LINE), start=1):
            where = f"{path}, line {number}"
            line = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if not line.strip():
                continue
            if not delimiter:
                delimiter = max((b",", b";", b"\t"), key=line.count)
            if b'"' in line or b" " in line:
                line = line.replace(b'"', b"").replace(b" ", b"")
            cells = line.rstrip(b"\r\n").split(delimiter)
            if not count:
                count = len(cells)
                if header := _is_header(cells):
                    label = _label_column(where, cells)
                    passed_over = [i for i in reversed(range(count)) if cells[i].decode("latin1").lower() in INDEX_COLUMNS]
                    continue
                label = 0 if _first_is_label(count, image_shape) else None
            if len(cells) != count:
                raise InputError(where, f"{len(cells)} cells", f"{count}, as in the first line")
            if b"" in cells:
                raise InputError(where, f"an empty cell in column {cells.index(b'') + 1}", "a number")
            number_of_class = None if label is None else whole(where, "label", cells[label])
            for i in passed_over if label is None else sorted([label, *passed_over], reverse=True):
                del cells[i]
            found.add(where, cells, number_of_class)
    if not len(found):
        raise InputError(path, "no lines" if not count or not header else "a header and no lines", "an image a line")
    return found.images(), np.array(found.labels) if label is not None else None


def _is_header(cells: Sequence[bytes]) -> bool:
    """Return True if most cells are no numbers: a damaged line is no header."""
    words = sum(not _is_number(cell) for cell in cells if cell)
    return 2 * words > len(cells)


def _is_number(cell: bytes) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _label_column(where: str, names: Sequence[bytes]) -> int | None:
    lower = [name.decode("latin1").lower() for name in names]
    found = [i for i, name in enumerate(lower) if name in LABEL_COLUMNS]
    if len(found) > 1:
        raise InputError(where, f"{len(found)} columns of labels", "one")
    if len(names) < 1 + len(found) + 1 or all(name in LABEL_COLUMNS | INDEX_COLUMNS for name in lower):
        raise InputError(where, f"the columns {excerpt(b','.join(names))}", "pixels")
    return found[0] if found else None


def _first_is_label(count: int, image_shape: ImageShape | None) -> bool:
    if image_shape is not None:
        sizes = [channels * image_shape[1] * image_shape[2] for channels in (1, 3)]
        if (count in sizes) != (count - 1 in sizes):
            return count - 1 in sizes
    return 1 in square(count)[1:] and count > 1 and 1 not in square(count - 1)[1:]


def _read_file(path: Path, image_shape: ImageShape | None) -> Found:
    return Found([read_csv(path, image_shape)])


def pairs_of_files(folder: Path, endings: Sequence[str]) -> tuple[Path, Path | None] | None:
    """Find a folder's file with ``train`` in its name and one of `endings`, and the one with ``test``, if there is one.

    Returns None where there is no file for training; several are an InputError.
    """
    files = sorted(
        path for path in folder.glob("*") if path.name.lower().removesuffix(".gz").removesuffix(".bz2").endswith(tuple(endings))
    )
    found: list[Path | None] = []
    for part in ("train", "test"):
        paths = [path for path in files if part in path.name.lower() and is_file(path)]
        if len(paths) > 1:
            raise InputError(folder, f"{len(paths)} files *{part}*{endings[0]}", "one, or its path")
        found.append(paths[0] if paths else None)
    train, test = found
    return None if train is None else (train, test)


def _read_folder(folder: Path, image_shape: ImageShape | None) -> Found | None:
    if (files := pairs_of_files(folder, ENDINGS)) is None:
        return None
    return Found([read_csv(path, image_shape) for path in files if path is not None])


FORMAT = Format(
    position=50,
    endings=ENDINGS,
    files=".csv",
    folder="*train*.csv and *test*.csv",
    read_file=_read_file,
    read_folder=_read_folder,
    options=("image_shape",),
)
