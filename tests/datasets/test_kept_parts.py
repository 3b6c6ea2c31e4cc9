"""The part of MNIST that worksheets train on is kept unpacked, for as long as the files are the same."""

from __future__ import annotations

import os

import numpy as np
import pytest

from symae.datasets import read
from symae.datasets.kept_parts import kept_pairs


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "images"
    path.write_bytes(b"packed")
    return path


@pytest.fixture
def kept_in(tmp_path, monkeypatch):
    monkeypatch.setattr("symae.datasets.kept_parts.cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache" / "unpacked"


class Reader:
    """Make pairs of a number each time it is called, and count the calls."""

    calls = 0

    def __call__(self):
        self.calls += 1
        return [(np.full((2, 3), self.calls, np.uint8), np.arange(2)), (np.zeros((1, 3), np.uint8), None)]


def first_number(pairs):
    return pairs[0][0][0, 0]


def test_what_was_read_is_read_once(file, kept_in):
    reader = Reader()
    made, kept = (kept_pairs("set", [file], reader) for _ in range(2))
    assert reader.calls == 1
    for (x, y), (expected_x, expected_y) in zip(kept, made, strict=True):
        np.testing.assert_array_equal(x, expected_x)
        assert x.dtype == np.uint8
        assert (y is None) == (expected_y is None)
        assert y is None or y.tolist() == expected_y.tolist()


def test_files_that_are_written_again_are_read_again(file, kept_in):
    reader = Reader()
    kept_pairs("set", [file], reader)
    file.write_bytes(b"others")
    os.utime(file, ns=(1, 1))
    assert first_number(kept_pairs("set", [file], reader)) == 2


def test_two_folders_in_turn_are_both_kept_and_what_nobody_has_read_for_long_is_not(file, tmp_path, kept_in):
    other, third, reader = tmp_path / "other", tmp_path / "third", Reader()
    for path in (other, third):
        path.write_bytes(b"packed")
    for _ in range(2):
        assert [first_number(kept_pairs("set", [path], reader)) for path in (file, other)] == [1, 2]
    for kept in kept_in.iterdir():
        os.utime(kept, (1, 1))
    kept_pairs("set", [third], reader)
    assert len(list(kept_in.iterdir())) == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b"",
        lambda b: b"PK\3\4",
        lambda b: b[:200],
        lambda b: b.replace(b"\1\1\1", b"\1\2\1", 1),
        lambda b: b.replace(b"y0.npy", b"y9.npy"),  # an array is gone by name alone
        lambda b: b + b"more",
    ],
)
def test_a_damaged_file_is_made_again(file, kept_in, damage):
    reader = Reader()
    kept_pairs("set", [file], reader)
    (kept,) = kept_in.iterdir()
    kept.write_bytes(damage(kept.read_bytes()))
    assert first_number(kept_pairs("set", [file], reader)) == 2
    assert first_number(kept_pairs("set", [file], reader)) == 2


def test_where_nothing_can_be_written_nothing_is_kept(file, kept_in):
    kept_in.parent.write_text("a file in the folder's place")
    reader = Reader()
    kept_pairs("set", [file], reader)
    assert first_number(kept_pairs("set", [file], reader)) == 2


def test_a_file_that_is_gone_is_for_the_reader_to_tell(tmp_path, kept_in):
    reader = Reader()
    kept_pairs("set", [tmp_path / "gone"], reader)
    assert reader.calls == 1
    assert not kept_in.exists()


def test_mini_mnist_is_the_same_when_it_is_read_again(real_mnist, kept_in):
    first, again = read("mini_mnist"), read("mini_mnist")
    assert len(list(kept_in.iterdir())) == 1
    for one, other in zip(first.parts, again.parts, strict=True):
        np.testing.assert_array_equal(one.x, other.x)
        np.testing.assert_array_equal(one.y, other.y)
        assert one.y.dtype == other.y.dtype
    again.train.x[0, 0] = 7  # an array that can be written to
