"""Parquet with a column of pictures, read by pyarrow: how Hugging Face's hub stores data sets of images.

The pictures are PNG, JPEG or others, in a column of bytes or of structures with a field ``bytes``; labels are a column of whole
numbers, or of texts that become sorted classes, called ``label`` or alike. A folder has ``train*.parquet`` and perhaps
``test*.parquet``, several of each or one, or ``data`` below it has.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from symae._runtime.atomic_files import open_regular
from symae.datasets.array_names import LABELS
from symae.datasets.contents import LARGEST, MOST_TIMES, UNSUSPICIOUS, excerpt
from symae.datasets.dataset import Found, ImageShape, Pair
from symae.datasets.extras import needed
from symae.datasets.formats.base import Format
from symae.datasets.pictures import decode
from symae.errors import InputError, MissingFileError

LABEL_COLUMNS = LABELS | {"class", "fine_label"}
PARTS = ("train", "valid", "test")
ROWS = 1000  # read at once


def read_parquet(
    where: Path, parts: Sequence[Sequence[Path]], image_shape: ImageShape | None = None, fit: str = "crop"
) -> Found:
    """Read the files of each part; `image_shape` and `fit` are those of `symae.datasets.read`."""
    pictures: list[tuple[str, bytes]] = []
    labels: list[int | str | None] = []
    of_part: list[int] = []
    names: tuple[str, ...] = ()
    for number, files in enumerate(parts):
        for path in files:
            found, values, names = _columns(path, LARGEST - sum(len(data) for _, data in pictures))
            pictures += [(f"{path.name}, row {row}", data) for row, data in enumerate(found)]
            labels += values
            of_part += [number] * len(found)
    if texts := {label for label in labels if isinstance(label, str)}:
        if not all(label in texts or label is None for label in labels):
            raise InputError(where, "labels of which some are texts and some are numbers", "one kind of labels")
        names = tuple(sorted(texts))
        numbers = {text: number for number, text in enumerate(names)}
        labels = [None if label is None else numbers[str(label)] for label in labels]
    images, kept, notes = decode(where, [(name, partial(io.BytesIO, data)) for name, data in pictures], image_shape, fit)
    pairs: list[Pair] = []
    for number in range(len(parts)):
        chosen = [at for at, i in enumerate(kept) if of_part[i] == number]
        own = [labels[kept[at]] for at in chosen]
        pairs.append((images[chosen], None if None in own else np.array(own)))
    return Found(pairs, class_names=names, notes=notes)


def _columns(path: Path, room: int) -> tuple[list[bytes], list[int | str | None], tuple[str, ...]]:
    """Return the pictures and labels of a file, and the classes' names; `room` is how many bytes they may take."""
    parquet = needed("pyarrow.parquet", path)
    with open_regular(path) as file:
        if file.read(4) != b"PAR1":
            raise InputError(path, "other first bytes than PAR1", "a Parquet file")
        # a dictionary of one picture may stand for any number of rows
        room = most = min(room, max(UNSUSPICIOUS, MOST_TIMES * file.seek(0, io.SEEK_END)))
    pictures: list[bytes] = []
    labels: list[int | str | None] = []
    try:
        with parquet.ParquetFile(path) as table:
            schema, told = table.schema_arrow, table.metadata
        image, label = _chosen(path, schema)
        names, wanted = _names(schema, label), [image, *([label] if label else [])]
        if _unpacked(told, wanted) > most:  # a page is unpacked as a whole
            raise InputError(path, f"pictures of more than {most >> 20} MiB", "a smaller file")
        # what many rows share stays shared until it is counted
        with parquet.ParquetFile(path, read_dictionary=wanted) as table:
            for batch in table.iter_batches(ROWS, columns=wanted):
                columns = [_column(batch, name) for name in wanted]
                room -= sum(map(_length, columns))
                if room < 0:
                    raise InputError(path, f"pictures of more than {most >> 20} MiB", "a smaller file")
                pictures += [row or b"" for row in columns[0].to_pylist()]
                labels += columns[1].to_pylist() if label else [None] * len(batch)
    except InputError:
        raise
    except Exception as error:  # pyarrow passes on what its C++ library says, in exceptions of any type
        raise InputError(path, f"broken Parquet data ({excerpt(str(error))})", "a whole Parquet file") from error
    if label and None in labels:
        raise InputError(path, f"no label in row {labels.index(None)}", "a label in each row")
    return pictures, labels, names


def _unpacked(told: Any, columns: Sequence[str]) -> int:
    """Return how many bytes those columns have when they are unpacked, as the file itself says."""
    groups = (told.row_group(number) for number in range(told.num_row_groups))
    chunks = (group.column(number) for group in groups for number in range(group.num_columns))
    return sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema in columns)


def _column(batch: Any, name: str) -> Any:
    names = batch.schema.names
    return batch.column(name) if name in names else batch.column(name.removesuffix(".bytes")).field("bytes")


def _length(column: Any) -> int:
    """Return how many bytes the rows of texts or pictures have, and 8 for each of others."""
    types, pc = needed("pyarrow", "").types, needed("pyarrow.compute", "")
    shared = types.is_dictionary(column.type)
    if types.is_integer(column.type.value_type if shared else column.type):
        return 8 * len(column)
    lengths = pc.binary_length(column.dictionary).take(column.indices) if shared else pc.binary_length(column)
    return int(pc.sum(lengths).as_py() or 0)


def _chosen(path: Path, schema: Any) -> tuple[str, str | None]:
    """Return the names of the columns of pictures and of labels."""
    types = needed("pyarrow", path).types
    images, labels, texts = [], [], []
    for field in schema:
        name, kind = field.name, field.type
        if types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
            name, kind = f"{name}.bytes", kind.field("bytes").type
        kind = kind.value_type if types.is_dictionary(kind) else kind
        if types.is_binary(kind) or types.is_large_binary(kind):
            images.append(name)
        elif types.is_integer(kind) and field.name.lower() in LABEL_COLUMNS:
            labels.append(field.name)
        elif (types.is_string(kind) or types.is_large_string(kind)) and field.name.lower() in LABEL_COLUMNS:
            texts.append(field.name)
    labels = labels or texts  # numbers, and beside them what they are called
    if len(images) != 1 or len(labels) > 1:
        found = f"{len(images)} columns of pictures and {len(labels)} of labels among {', '.join(schema.names)[:200]}"
        raise InputError(path, found, "one of pictures, at most one of labels")
    return images[0], labels[0] if labels else None


def _names(schema: Any, label: str | None) -> tuple[str, ...]:
    """Return the names of the classes as Hugging Face's library writes them, if it did."""
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
        return tuple(str(name)[:100] for name in features[label]["names"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return ()


def _read_file(path: Path, image_shape: ImageShape | None, fit: str) -> Found:
    return read_parquet(path, [[path]], image_shape, fit)


def _read_folder(folder: Path, image_shape: ImageShape | None, fit: str) -> Found | None:
    for below in (folder, folder / "data"):
        found = {part: sorted(below.glob(f"{part}*.parquet")) for part in PARTS}
        if any(found.values()):
            if not found["train"] or (found["valid"] and not found["test"]):
                missing = "test" if found["train"] else "train"
                raise MissingFileError(
                    below, f"no {missing}*.parquet", "train*.parquet, perhaps test*.parquet and valid*.parquet"
                )
            return read_parquet(below, [files for files in found.values() if files], image_shape, fit)
    return None


FORMAT = Format(
    position=85,
    endings=(".parquet",),
    files=".parquet",
    folder="train*.parquet and test*.parquet",
    read_file=_read_file,
    read_folder=_read_folder,
    options=("image_shape", "fit"),
)
