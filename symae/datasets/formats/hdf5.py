"""HDF5, read by h5py: arrays with the names of .npz files, in groups or not, such as ``train/data`` and ``train/target``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from symae._runtime.atomic_files import open_regular
from symae.datasets.array_names import named_pairs
from symae.datasets.contents import LARGEST, MOST_TIMES, UNSUSPICIOUS, excerpt
from symae.datasets.dataset import Found
from symae.datasets.extras import needed
from symae.datasets.formats.base import Format
from symae.datasets.hdf5_heaps import OFFSETS, SIGNATURE
from symae.errors import InputError

MOST_OBJECTS = 1000
DEEPEST = 4
# No others: HDF5 would look for a plugin, and run it.
FILTERS = {"gzip", "shuffle", "lzf", "fletcher32", "szip", "scaleoffset"}


def read_hdf5(path: str | PathLike[str]) -> Found:
    """Read the images and labels of an HDF5 file.

    Only what lies in the file itself is read: links to other files, external and virtual datasets, and filters that are plugins
    are passed over or refused.
    """
    with open_regular(path) as file:
        begin = file.read(OFFSETS[-1] + len(SIGNATURE))
    if not is_hdf5(begin):
        raise InputError(path, f"the first bytes {excerpt(begin[:8])}", "an HDF5 file")
    h5py = needed("h5py", path)
    with broken_hdf5(path), h5py.File(path, "r", locking=False) as opened:
        arrays: dict[str, Any] = {}
        _collect(h5py, path, opened, "", arrays, {opened}, count(1))
        shapes = {name: tuple(array.shape) for name, array in arrays.items()}
        pairs = named_pairs(path, shapes, lambda name: read_values(f"{path}, {name}", arrays[name]))
    return Found(pairs)


def is_hdf5(begin: bytes) -> bool:
    """Return True if a file that begins so, with 2056 bytes at least if it has them, is an HDF5 file."""
    return any(begin[at : at + len(SIGNATURE)] == SIGNATURE for at in OFFSETS)


@contextmanager
def broken_hdf5(path: str | PathLike[str]) -> Iterator[None]:
    """Name the file in what h5py raises."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # h5py passes on what HDF5's C library says, in exceptions of any type
        raise InputError(path, f"broken HDF5 data ({excerpt(str(error))})", "a whole HDF5 file") from error


def _collect(
    h5py: Any, path: str | PathLike[str], group: Any, above: str, arrays: dict[str, Any], groups: set[Any], links: Iterator[int]
) -> None:
    """Add the arrays of a group to `arrays`; `groups` are those that were visited, as links may lead back to them."""
    for name in group:
        if next(links) > MOST_OBJECTS:
            raise InputError(path, f"more than {MOST_OBJECTS} objects", "training and test images and their labels")
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        item = group[name]
        if isinstance(item, h5py.Dataset):
            if item.shape is not None and item.dtype.kind in "biuf":
                arrays[above + name] = item
        elif isinstance(item, h5py.Group) and item not in groups and above.count("/") < DEEPEST:
            groups.add(item)
            _collect(h5py, path, item, f"{above}{name}/", arrays, groups, links)


def read_values(where: str, array: Any) -> np.ndarray:
    """Read a dataset of h5py's, if its values are in the file itself and claim no more than it holds."""
    if array.external is not None or array.is_virtual:
        raise InputError(where, "values in other files", "values in the file itself")
    if unknown := set(array._filters) - FILTERS:
        raise InputError(where, f"the filters {excerpt(sorted(unknown))}", f"some of {', '.join(sorted(FILTERS))}")
    n_bytes, stored = math.prod(array.shape) * array.dtype.itemsize, array.id.get_storage_size()
    chunk = math.prod(array.chunks or (1,)) * array.dtype.itemsize
    if max(n_bytes, chunk) > LARGEST:
        raise InputError(
            where, f"{max(n_bytes, chunk) >> 20} MiB", f"at most {LARGEST >> 20}; fit(data=…) takes the array as it is"
        )
    if max(n_bytes, chunk) > max(UNSUSPICIOUS, MOST_TIMES * stored):
        raise InputError(where, f"data that unpacks to more than {MOST_TIMES} times its length", "data")
    return np.asarray(array[()])


def _read_file(path: Path) -> Found:
    return read_hdf5(path)


FORMAT = Format(position=80, endings=(".h5", ".hdf5"), files=".h5", read_file=_read_file)
