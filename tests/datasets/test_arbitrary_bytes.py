"""Whatever bytes a file holds, `read` gives a valid Dataset or an InputError."""

from __future__ import annotations

import gzip
import io
import math
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symae.datasets import read, write_cntk_text, write_idx
from symae.datasets.formats.idx import FILES
from symae.errors import InputError

KINDS = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "a.npz", "a.pkl", "a.pkl.gz", "a.txt")


def small(n: int) -> tuple[np.ndarray, np.ndarray]:
    x = np.zeros((n, 784), np.uint8)
    x[:, :3] = 200
    return x, np.arange(n)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a folder with a valid file of each kind."""
    folder = tmp_path_factory.mktemp("bytes")
    (x, y), test = small(4), small(2)
    for name, array in zip(FILES, (x.reshape(-1, 28, 28), y, test[0].reshape(-1, 28, 28), test[1]), strict=True):
        write_idx(folder / name, array.astype(np.uint8))
    np.savez_compressed(folder / "a.npz", x_train=x, y_train=y, x_test=test[0], y_test=test[1])
    parts = ((x / np.float32(256), y), test, test)
    (folder / "a.pkl").write_bytes(pickle.dumps(tuple((a / np.float32(256), b) for a, b in (small(3), test, test)), 2))
    (folder / "a.pkl.gz").write_bytes(gzip.compress(pickle.dumps(((x, y), *parts[1:]), 4)))
    write_cntk_text(folder / "a.txt", x, y)
    return folder


def check(folder: Path, kind: str, data: bytes) -> None:
    path = folder / kind
    valid = path.read_bytes()
    path.write_bytes(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            dataset = read(folder if kind in FILES else path)
    except InputError as error:
        place, message = error.where, str(error)
    else:
        place, message = str(folder), ""
        for split in dataset.parts:
            assert len(split.y) > 0
            assert split.x.shape == (len(split.y), math.prod(dataset.image_shape))
            assert split.y.min() >= 0
            assert split.x.dtype == np.uint8 or (split.x.min() >= 0 and split.x.max() <= 1)
    finally:
        path.write_bytes(valid)
    assert str(folder) in place
    assert "\n" not in message


edits = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 12),
        st.one_of(
            st.binary(max_size=8), st.sampled_from([b"\xff\xff\xff\x7f", b"\0" * 8, b"|features 0", b"\n", b"cos\nsystem\n"])
        ),
    ),
    min_size=1,
    max_size=4,
)


def edited(data: bytes, changes: list[tuple[float, int, bytes]]) -> bytes:
    """Replace pieces of `data`; places are weighted towards its beginning and end, where the headers are."""
    for where, removed, inserted in changes:
        at = int(len(data) * (0.5 + 4 * (where - 0.5) ** 3))
        data = data[:at] + inserted + data[at + removed :]
    return data


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(data=st.binary(max_size=300))
def test_arbitrary_bytes_are_refused_or_valid(folder, kind, data):
    check(folder, kind, data)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(changes=edits)
def test_a_file_with_changed_pieces_is_refused_or_valid(folder, kind, changes):
    check(folder, kind, edited((folder / kind).read_bytes(), changes))


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(changes=edits)
def test_changed_pieces_inside_gzip_are_refused_or_valid(folder, changes):
    check(folder, "a.pkl.gz", gzip.compress(edited(gzip.decompress((folder / "a.pkl.gz").read_bytes()), changes), 1))


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(changes=edits)
def test_changed_pieces_inside_an_archive_are_refused_or_valid(folder, changes):
    x, y = small(4)
    file = io.BytesIO()
    np.savez(file, x_train=x, y_train=y, x_test=x, y_test=y)
    check(folder, "a.npz", edited(file.getvalue(), changes))
