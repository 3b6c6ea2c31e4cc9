"""The embedded digits: reproducible, like MNIST in form, and readable."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from symae.datasets import read
from symae.datasets.glyphs import STYLES, strokes_of
from symae.datasets.strokes import SIZES, digit, make, write


@pytest.fixture(scope="module")
def digits():
    return read("digits")


def nearest_centroid(train, x):
    centroids = np.stack([train.x[train.y == label].mean(axis=0) for label in range(10)])
    return np.argmin((centroids**2).sum(axis=1) - 2 * x.astype(float) @ centroids.T, axis=1)


def nearest_neighbour(train, x):
    known = train.x.astype(np.float32)
    return train.y[np.argmin((known**2).sum(axis=1) - 2 * x.astype(np.float32) @ known.T, axis=1)]


@pytest.mark.parametrize("part", SIZES)
def test_the_generator_draws_the_committed_file_again(digits, part):
    x, y = make(part, 40)
    split = getattr(digits, part)
    np.testing.assert_array_equal(y, split.y[:40])
    # Pillow's ellipses may differ by an edge pixel from version to version, eight of which make one of ours.
    difference = np.abs(x.astype(int) - split.x[:40])
    assert difference.max() <= 64
    assert difference.mean() < 0.5


def test_the_same_seed_draws_the_same_digit():
    first, second = (digit(5, np.random.RandomState(3)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, digit(5, np.random.RandomState(4)))


@pytest.mark.parametrize("part", SIZES)
def test_every_digit_occurs_equally_often_in_shuffled_order(digits, part):
    y = getattr(digits, part).y
    assert np.bincount(y).tolist() == [SIZES[part] // 10] * 10
    assert np.abs(np.bincount(y[: len(y) // 2]) - SIZES[part] // 20).max() < 0.15 * SIZES[part] / 10


def test_ink_is_as_dense_as_mnists(digits):
    x = digits.train.x
    assert abs(x.mean() - 33.3) < 2
    assert abs((x > 0).mean() - 0.19) < 0.02
    assert abs(x.std() - 78.6) < 3
    assert x.max() == 255


def test_digits_fill_20_pixels_and_are_centred_by_mass(digits):
    images = digits.train.x.reshape(-1, 28, 28).astype(float)
    for axis in (1, 2):
        ink = images.max(axis=axis) > 0
        extent = 28 - np.argmax(ink[:, ::-1], axis=1) - np.argmax(ink, axis=1)
        assert extent.max() <= 20
        centre = (images.sum(axis=axis) * (np.arange(28) + 0.5)).sum(axis=1) / images.sum(axis=(1, 2))
        assert np.abs(centre - 14).mean() < 0.3
        assert np.abs(centre - 14).max() < 2


def test_no_two_images_are_the_same(digits):
    everything = np.concatenate([digits.train.x, digits.valid.x, digits.test.x])
    assert len(np.unique(everything, axis=0)) == 7000


def test_a_nearest_neighbour_reads_nine_of_ten_and_every_digit(digits):
    right = nearest_neighbour(digits.train, digits.test.x) == digits.test.y
    assert right.mean() > 0.93
    assert min(right[digits.test.y == label].mean() for label in range(10)) > 0.85


def test_what_is_learned_from_the_digits_reads_real_mnist(digits, real_mnist):
    test = read("mini_mnist").test
    assert (nearest_centroid(digits.train, test.x) == test.y).mean() > 0.6
    assert (nearest_neighbour(digits.train, test.x) == test.y).mean() > 0.75


@pytest.mark.parametrize(("label", "way"), [(label, way) for label, styles in STYLES.items() for _, way in styles])
def test_a_style_is_strokes_of_joined_pieces_in_the_unit_square(label, way):
    for pieces in strokes_of(way):
        assert all(len(piece) >= 2 and piece.min() >= 0 and piece.max() <= 1 for piece in pieces)
        assert all(np.array_equal(before[-1], after[0]) for before, after in pairwise(pieces))


def test_the_generators_file_is_one_that_read_takes(tmp_path, monkeypatch):
    monkeypatch.setattr("symae.datasets.strokes.SIZES", {"train": 20, "valid": 10, "test": 10})
    write(str(tmp_path / "few.npz"))
    assert read(tmp_path / "few.npz").name == "few.npz, 20/10/10 images"
