"""NumPy's .npz: symae's names and Keras's, and nothing that is not numbers."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from symae.datasets import read
from symae.errors import InputError

OURS = ("train_x", "train_y", "valid_x", "valid_y", "test_x", "test_y")


@pytest.fixture
def arrays(splits):
    return dict(zip(OURS, [array for pair in splits for array in pair], strict=True))


def member(header: bytes, values: bytes = b"", version: int = 1) -> bytes:
    """Return an array's file with a header of the test's own."""
    length = len(header).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + values


def archive(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        for name, data in members.items():
            zipped.writestr(f"{name}.npy", data)
    return file.getvalue()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_six_arrays_are_read_as_they_are(tmp_path, arrays, save):
    save(tmp_path / "a.npz", **arrays)
    dataset = read(tmp_path / "a.npz")
    assert dataset.name == "a.npz, 10/2/3 images"
    assert dataset.train.x.dtype == np.uint8
    np.testing.assert_array_equal(dataset.train.x, arrays["train_x"])
    np.testing.assert_array_equal(dataset.test.y, arrays["test_y"])


def test_kerass_four_arrays_give_their_last_sixth_for_validation(tmp_path, images):
    (x, y), (test_x, test_y) = images(18), images(4)
    np.savez(tmp_path / "mnist.npz", x_train=x.reshape(-1, 28, 28), y_train=y, x_test=test_x.reshape(-1, 28, 28), y_test=test_y)
    dataset = read(tmp_path / "mnist.npz")
    np.testing.assert_array_equal(dataset.train.x, x[:15])
    np.testing.assert_array_equal(dataset.valid.x, x[15:])
    np.testing.assert_array_equal(dataset.valid.y, y[15:])
    np.testing.assert_array_equal(dataset.test.x, test_x)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4"])
def test_floats_keep_their_precision(tmp_path, arrays, dtype):
    floats = {name: (array / 256).astype(dtype) if name.endswith("x") else array for name, array in arrays.items()}
    np.savez(tmp_path / "a.npz", **floats)
    x = read(tmp_path / "a.npz").train.x
    np.testing.assert_array_equal(x, floats["train_x"])
    assert x.dtype == np.dtype(dtype).newbyteorder("=")


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.reshape(-1, 28, 28),
        lambda x: x.reshape(-1, 28, 28, 1),
        lambda x: x.reshape(-1, 1, 28, 28),
        np.asfortranarray,
        lambda x: x.astype(np.int64),
    ],
)
def test_other_layouts_of_the_same_images_are_the_same_images(tmp_path, arrays, change):
    np.savez(tmp_path / "a.npz", **(arrays | {"train_x": change(arrays["train_x"])}))
    x = read(tmp_path / "a.npz").train.x
    np.testing.assert_array_equal(x, arrays["train_x"])
    assert x.dtype == np.uint8
    assert x.flags.c_contiguous


def test_python_2_headers_with_long_numbers_are_read(tmp_path, arrays):
    members = {
        name: member(
            f"{{'descr': '{array.dtype.str}', 'fortran_order': False, 'shape': ({len(array)}L,)}}\n".encode(), array.tobytes()
        )
        for name, array in arrays.items()
        if name.endswith("y")
    } | {
        name: member(
            f"{{'shape': ({len(array)}L, 784L), 'fortran_order': False, 'descr': '|u1'}}\n".encode(), array.tobytes(), 2
        )
        for name, array in arrays.items()
        if name.endswith("x")
    }
    (tmp_path / "a.npz").write_bytes(archive(members))
    np.testing.assert_array_equal(read(tmp_path / "a.npz").train.x, arrays["train_x"])


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        (
            "train_x",
            np.full((10, 784), np.inf),
            r"a.npz, training: found inf at pixel 0 of image 0, expected values in \[0, 1\]",
        ),
        ("train_x", np.full((10, 784), -0.1), "-0.1 at pixel 0"),
        ("train_x", np.full((10, 784), -1), "integer pixels from -1 to -1, expected 0 to 255"),
        ("train_x", np.full((10, 784), True), "pixels of type bool"),
        ("train_x", np.zeros((10, 783)), r"validation: found images of shape \(1, 28, 28\), expected \(1, 1, 783\)"),
        ("train_x", np.zeros(()), r"images of shape \(\)"),
        ("valid_y", np.array([0.5, 1.0]), "validation: found labels of type float64, expected integers"),
        ("valid_y", np.array([3, 65536]), "label 65536 at image 1"),
        ("valid_y", np.array(3), r"labels of shape \(\)"),
        ("test_y", np.array([3]), "test: found 3 images and 1 labels"),
        ("test_y", np.array([None, None, None]), "test_y: found an array of Python objects"),
        (
            "test_y",
            np.array(["cat", "dog", "eel"]),
            "test_y: found an array of texts, '<U3', expected an array of numbers, classes",
        ),
        ("test_y", np.array(["1", "2", "3"]), "found an array of texts, '<U1', expected an array of numbers, classes from 0"),
        ("test_y", np.zeros(3, [("a", "i4")]), "an array of numbers in NumPy's format"),
        ("valid_x", np.zeros((2, 784)), "uint8, float64, uint8"),
    ],
)
def test_a_wrong_array_is_refused(tmp_path, arrays, name, array, message):
    np.savez(tmp_path / "a.npz", allow_pickle=True, **(arrays | {name: array}))
    with pytest.raises(InputError, match=message):
        read(tmp_path / "a.npz")


def test_missing_arrays_are_named_with_those_that_are_there(tmp_path, arrays):
    del arrays["valid_y"]
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError, match=r"found arrays 'test_x', .*, expected train_x, train_y, valid_x, valid_y") as caught:
        read(tmp_path / "a.npz")
    assert caught.value.where == str(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"not an array", "first bytes"),
        (b"\x93NUMPY\x09\0\0\0\0\0\0\0", "first bytes"),
        (member(b"{}"), "the header"),
        (member(b"{'descr': '<f3', 'fortran_order': False, 'shape': (0,)}"), "an array that NumPy can hold"),
        (member(b"{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}"), r"0 bytes of values, expected as many as float64"),
        (member(b"{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999, 99999999999)}"), "0 bytes of values"),
        (member(b"{'descr': '|u1', 'fortran_order': False, 'shape': (" + b"9" * 5000 + b",)}"), "the header"),
        (member(b"{'descr': '|u1', 'fortran_order': False, 'shape': (0, 99999999999, 99999999999)}"), "NumPy can hold"),
        (member(b"{'descr': '|u1', 'fortran_order': False, 'shape': (1 2,)}"), "the header"),
        (member(b" " * 20000), "a header of 20000 bytes, expected at most 10000"),
        (member(b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"cos\nsystem\n(S'false'\ntR."), "Python objects"),
    ],
)
def test_a_member_whose_header_lies_is_refused_before_memory_is_taken(tmp_path, data, message):
    (tmp_path / "a.npz").write_bytes(archive(dict.fromkeys(OURS, data)))
    with pytest.raises(InputError, match=message):
        read(tmp_path / "a.npz")


@pytest.fixture
def whole(arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"", "an empty file"),
        (lambda data: data[:-1], "a broken or cut off archive"),
        (lambda data: data[: len(data) // 2], "a broken or cut off archive"),
        (lambda data: data[:100] + bytes(byte ^ 0xFF for byte in data[100:140]) + data[140:], "a broken or cut off archive"),
        (lambda data: data.replace(b"\x08\x00", b"\x0e\x00"), "archive|encrypted or packed in an unknown way"),
        (lambda data: b"garbage", "a broken or cut off archive"),
        (lambda data: b"PK\x05\x06" + b"\0" * 18, "found arrays nothing"),
    ],
)
def test_a_damaged_archive_is_refused_with_its_name(tmp_path, whole, damage, message):
    (tmp_path / "a.npz").write_bytes(damage(whole))
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path / "a.npz")
    assert caught.value.where == str(tmp_path / "a.npz")


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path, whole, monkeypatch):
    monkeypatch.setattr("symae.datasets.formats.npz.LARGEST", 4000)
    (tmp_path / "a.npz").write_bytes(whole)
    with pytest.raises(InputError, match="arrays of more than"):
        read(tmp_path / "a.npz")


def test_labels_under_a_name_that_is_not_known_are_not_left_out_in_silence(tmp_path, images):
    (x, y), (test_x, test_y) = images(18), images(4)
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_test=test_x, z_test=test_y)
    with pytest.raises(InputError, match=r"no labels of test images, and arrays 'z_test', expected test_y or y_test"):
        read(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", x_train=x, y_train=y, x_test=test_x)
    assert read(tmp_path / "b.npz").test.y is None


def test_training_images_alone_are_cut_as_one_part(tmp_path, images):
    x, y = images(14)
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y)
    dataset = read(tmp_path / "a.npz")
    assert [part.y.tolist() for part in dataset.parts] == [y[:10].tolist(), y[10:12].tolist(), y[12:].tolist()]
    for more in ({"y_test": y}, {"x_valid": x, "y_valid": y}, {"x_tset": x}):
        np.savez(tmp_path / "a.npz", x_train=x, y_train=y, **more)
        with pytest.raises(InputError, match="found arrays 'x_"):
            read(tmp_path / "a.npz")


def test_labels_of_test_images_that_are_all_minus_one_are_none(tmp_path, images):
    (x, y), (test, _) = images(6), images(2)
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_test=test, y_test=np.full(2, -1))
    assert read(tmp_path / "a.npz").test.y is None
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_test=test, y_test=np.array([1, -1]))
    with pytest.raises(InputError, match="label -1 at image 1"):
        read(tmp_path / "a.npz")


def test_floats_that_are_all_whole_numbers_up_to_255_are_bytes(tmp_path, images):
    x, y = images(7)
    np.savez(tmp_path / "a.npz", x=x.astype(float), y=y)
    np.save(tmp_path / "a.npy", x.astype(np.float32))
    for name in ("a.npz", "a.npy"):
        found = read(tmp_path / name).train.x
        assert (found.dtype, found.tolist()) == (np.uint8, x[:5].tolist())
    np.save(tmp_path / "a.npy", x + 0.5)
    with pytest.raises(InputError, match="expected values in"):
        read(tmp_path / "a.npy")
