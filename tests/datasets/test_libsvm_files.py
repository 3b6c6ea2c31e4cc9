"""LIBSVM's text: USPS as it is published, and sparse lines."""

from __future__ import annotations

import bz2

import numpy as np
import pytest

from symae.datasets import read
from symae.errors import InputError


def text(x: np.ndarray, y: np.ndarray) -> bytes:
    rows = (" ".join(f"{i + 1}:{v:g}" for i, v in enumerate(row) if v) for row in x)
    return "".join(f"{label} {row}\n" for label, row in zip(y, rows, strict=True)).encode()


def test_usps_is_read_from_its_two_packed_files(tmp_path):
    x = np.random.RandomState(0).randint(-4, 5, (14, 256)) / 4
    y = np.arange(14) % 10 + 1
    (tmp_path / "usps.bz2").write_bytes(bz2.compress(text(x[:12], y[:12])))
    (tmp_path / "usps.t.bz2").write_bytes(bz2.compress(text(x[12:], y[12:])))
    dataset = read(tmp_path)
    assert [len(part.x) for part in dataset.parts] == [10, 2, 2]
    np.testing.assert_allclose(dataset.test.x, (x[12:] + 1) / 2, atol=1e-6)
    assert dataset.test.y.tolist() == [3, 4]


def test_black_pixels_at_the_end_are_missing_and_belong_to_the_square(tmp_path):
    x = np.random.RandomState(0).randint(1, 256, (4, 25))
    x[:, 22:] = 0
    (tmp_path / "a.libsvm").write_bytes(text(x, np.arange(4)))
    dataset = read(tmp_path / "a.libsvm")
    np.testing.assert_array_equal(dataset.train.x, x[:2])
    assert (dataset.train.x.dtype, dataset.image_shape) == (np.uint8, (1, 5, 5))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"1 2:1 1:1", "line 2: found '1:1', expected index:value, indices that rise"),
        (b"1 99999999999:1", "line 2: found '99999999999:1'"),
        (b"1 70000:1", "line 2: found '70000:1'"),
        (b"1 0:1", "line 2: found '0:1'"),
        ("1 \N{LATIN SMALL LETTER A WITH DIAERESIS}:1".encode(), "line 2: found '\N{LATIN SMALL LETTER A WITH DIAERESIS}:1'"),
        (b"1 \xff:1", r"line 2: found '\\xff:1'"),
        (b"1 1:", "line 2: found an empty pixel"),
        (b"1 1:x", "line 2: found the pixel 'x'"),
        (b"x 1:1", "line 2: found the label 'x'"),
        (b"1 1:300", r"expected values in \[0, 1\]"),
    ],
)
def test_a_damaged_line_is_named(tmp_path, line, message):
    (tmp_path / "a.libsvm").write_bytes(b"1 1:0.5 4:1\n" + line + b"\n" + b"1 1:0.5\n" * 3)
    with pytest.raises(InputError, match=message):
        read(tmp_path / "a.libsvm")


def test_packed_data_that_is_cut_off_is_refused(tmp_path):
    data = bz2.compress(b"1 1:0.5\n" * 1000)
    for damaged, message in ((data[:-5], "bzip2 data that is cut off"), (data[:30] + b"x" + data[31:], "broken bzip2 data")):
        (tmp_path / "usps").write_bytes(damaged)
        with pytest.raises(InputError, match=message):
            read(tmp_path / "usps")


def test_coloured_squares_and_the_shape_that_is_asked_for_are_taken_before_the_next_square(tmp_path):
    x = np.random.RandomState(0).randint(1, 256, (4, 3072))
    (tmp_path / "cifar10.libsvm").write_bytes(text(x, np.arange(4)))
    dataset = read(tmp_path / "cifar10.libsvm")
    assert (dataset.image_shape, dataset.notes) == ((3, 32, 32), ())
    np.testing.assert_array_equal(dataset.train.x, x[:2])
    (tmp_path / "a.libsvm").write_bytes(text(x[:, :558], np.arange(4)))
    assert read(tmp_path / "a.libsvm", image_shape=(28, 20)).image_shape == (1, 28, 20)
    guessed = read(tmp_path / "a.libsvm")
    assert (guessed.image_shape, guessed.notes) == (
        (1, 24, 24),
        ("The largest index is 558: images of 24 x 24, if image_shape says nothing else",),
    )
    with pytest.raises(InputError, match="the index 558, expected at most 300, as image_shape says"):
        read(tmp_path / "a.libsvm", image_shape=(10, 10))
