"""Images of any shape, any number of classes, with labels or without."""

from __future__ import annotations

import numpy as np
import pytest

from symae.datasets import from_arrays, load_data, read, write_cntk_text, write_idx
from symae.errors import InputError

RNG = np.random.RandomState(0)


def colours(n: int, h: int = 4, w: int = 6) -> np.ndarray:
    return RNG.randint(0, 256, (n, 3, h, w)).astype(np.uint8)


@pytest.mark.parametrize(
    ("shape", "image_shape"),
    [
        ((9, 5, 7), (1, 5, 7)),
        ((9, 3, 5, 7), (3, 5, 7)),
        ((9, 5, 7, 3), (3, 5, 7)),
        ((9, 5, 7, 1), (1, 5, 7)),
        ((9, 36), (1, 6, 6)),
        ((9, 3 * 36), (3, 6, 6)),
        ((9, 35), (1, 1, 35)),
        ((9, 2, 5, 7), (2, 5, 7)),
    ],
)
def test_an_array_says_the_shape_of_its_images(tmp_path, shape, image_shape):
    x = RNG.randint(0, 256, shape).astype(np.uint8)
    np.save(tmp_path / "a.npy", x)
    dataset = read(tmp_path / "a.npy")
    assert dataset.image_shape == image_shape
    assert [len(part.x) for part in dataset.parts] == [7, 1, 1]
    assert dataset.train.y is None
    first = x[0] if x.ndim < 4 or x.shape[3] not in (1, 3) else x[0].transpose(2, 0, 1)
    np.testing.assert_array_equal(dataset.train.x[0], first.reshape(-1))


def test_rows_are_laid_out_as_asked(tmp_path):
    np.save(tmp_path / "frey.npy", RNG.randint(0, 256, (7, 560)).astype(np.uint8))
    assert read(tmp_path / "frey.npy", image_shape=(1, 28, 20)).image_shape == (1, 28, 20)
    assert read(tmp_path / "frey.npy", image_shape=(28, 20)).image_shape == (1, 28, 20)
    with pytest.raises(
        InputError, match=r"frey.npy, training: found images of shape .*560\), expected \(1, 28, 21\), as image_shape"
    ):
        read(tmp_path / "frey.npy", image_shape=(28, 21))


def test_colours_become_grey_where_one_channel_is_asked_for():
    x = colours(5)
    grey = from_arrays(x, test=(x, None), image_shape=(1, 4, 6))
    assert grey.image_shape == (1, 4, 6)
    np.testing.assert_array_equal(grey.test.x[0].reshape(4, 6), np.rint(np.tensordot((0.299, 0.587, 0.114), x[0], 1)))
    assert from_arrays(x[:, 0], test=(x[:, 0], None), image_shape=(3, 4, 6)).train.x.shape == (5, 72)


def test_labels_are_of_any_number_of_classes_and_validation_may_be_missing():
    x = colours(6)
    dataset = from_arrays(x, np.arange(6) * 1000, test=(x, None))
    assert dataset.n_classes == 5001
    assert (dataset.valid, dataset.test.y) == (None, None)
    assert len(dataset.training_images()) == 6
    train, valid, test = load_data(dataset)
    assert [train[0].get_value().shape, valid[0].get_value().shape, test[1]] == [(6, 72), (0, 72), None]
    np.testing.assert_array_equal(train[1].eval(), np.arange(6) * 1000)
    with pytest.raises(InputError, match="found images without labels"):
        _ = dataset.test.labels


def test_what_is_sorted_by_class_is_shuffled_before_it_is_cut():
    x, y = RNG.randint(0, 256, (70, 16)).astype(np.uint8), np.repeat(np.arange(5), 14)
    dataset = from_arrays(x, y)
    assert [len(np.unique(part.y)) for part in dataset.parts] == [5, 5, 5]
    where = {row.tobytes(): label for row, label in zip(x, y, strict=True)}
    assert all(where[row.tobytes()] == label for part in dataset.parts for row, label in zip(part.x, part.y, strict=True))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: from_arrays(np.zeros(5)), r"training: found images of shape \(3,\)"),
        (lambda: from_arrays(np.zeros((5, 0))), r"images of shape \(3, 0\)"),
        (lambda: from_arrays(colours(5), np.arange(4)), "as many labels as images"),
        (
            lambda: from_arrays(colours(9), test=(colours(2, 5), None)),
            r"test: found images of shape \(3, 5, 6\), expected \(3, 4, 6\)",
        ),
        (lambda: from_arrays(colours(2)), "2 images, expected at least three"),
        (lambda: from_arrays(colours(9), valid=(colours(2), None)), "validation images and no test images"),
        (lambda: from_arrays(colours(9), image_shape=(3, 4)), r"found images of shape \(3, 4, 6\), expected \(1, 3, 4\)"),
        (lambda: from_arrays(colours(9), image_shape=(0, 4, 6)), r"image_shape: found \(0, 4, 6\)"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize(
    ("names", "sizes"),
    [
        (("train_x", "test_x"), [10, 2, 3]),
        (("X_train", "y_train", "X_test"), [10, 2, 3]),
        (("train_images", "train_labels", "val_images", "val_labels", "test_images", "test_labels"), [12, 2, 3]),
        (("x", "y"), [10, 1, 1]),
        (("images",), [10, 1, 1]),
        (("arr_0",), [10, 1, 1]),
    ],
)
def test_arrays_are_known_by_their_names(tmp_path, names, sizes):
    counts = {"train": 12, "val": 2, "test": 3}
    arrays = {}
    for name in names:
        n = next((count for part, count in counts.items() if part in name), 12)
        arrays[name] = np.arange(n)[:, None] % 4 if name[0] == "y" or "labels" in name else colours(n)
    np.savez(tmp_path / "a.npz", **arrays)
    dataset = read(tmp_path / "a.npz")
    assert [len(part.x) for part in dataset.parts] == sizes
    assert dataset.image_shape == (3, 4, 6)
    assert (dataset.train.y is None) == (len(names) < 3 and names != ("x", "y"))


def test_two_arrays_of_the_same_images_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", train_x=colours(4), train_images=colours(4), test_x=colours(2))
    with pytest.raises(InputError, match="found both 'train_x' and 'train_images', expected one array"):
        read(tmp_path / "a.npz")


def test_an_idx_file_by_itself_has_the_labels_that_lie_beside_it(tmp_path):
    x = RNG.randint(-5, 300, (9, 3, 4)).clip(0, 255).astype(np.int16)
    write_idx(tmp_path / "letters-images-idx3-ubyte", x)
    assert read(tmp_path / "letters-images-idx3-ubyte").train.y is None
    write_idx(tmp_path / "letters-labels-idx1-ubyte", np.array([26, 1, 2, 3, 4, 5, 6, 7, 8], np.uint8))
    dataset = read(tmp_path / "letters-images-idx3-ubyte")
    assert (dataset.image_shape, dataset.n_classes, dataset.train.y[0]) == ((1, 3, 4), 27, 26)
    write_idx(tmp_path / "cube.idx", RNG.randint(0, 256, (9, 3, 4, 5)).astype(np.uint8))
    assert read(tmp_path / "cube.idx").image_shape == (3, 4, 5)


def test_cntk_text_is_of_as_many_pixels_and_labels_as_its_first_line(tmp_path):
    x, y = colours(5), np.array([0, 11, 3, 4, 5])
    write_cntk_text(tmp_path / "a.txt", x, y)
    dataset = read(tmp_path / "a.txt", image_shape=(3, 4, 6))
    np.testing.assert_array_equal(dataset.train.x, x[:3].reshape(3, -1))
    assert dataset.train.y.tolist() == [0, 11, 3]


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_arrays_of_ones_own_are_copied(dtype):
    x = np.zeros((14, 36), dtype)
    dataset = from_arrays(x)
    x[:] = 1
    assert not any(part.x.any() for part in dataset.parts)


@pytest.mark.parametrize("order", [slice(None, None, -1), slice(None)])
def test_training_images_are_followed_by_those_of_validation(order):
    parts = [np.full((3, 36), i, np.uint8) for i in range(3)][order]
    dataset = from_arrays(parts[0], valid=(parts[1], None), test=(parts[2], None))
    np.testing.assert_array_equal(dataset.training_images(), np.concatenate(parts[:2]))
