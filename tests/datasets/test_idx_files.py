"""IDX files: what is written comes back, and every damage is named."""

from __future__ import annotations

import gzip
import struct
import tracemalloc

import numpy as np
import pytest

from symae.datasets import read, read_idx, write_idx
from symae.errors import InputError, MissingFileError, UnwritableError


def header(*dimensions: int, code: int = 8) -> bytes:
    return bytes([0, 0, code, len(dimensions)]) + struct.pack(f">{len(dimensions)}I", *dimensions)


LABELS = header(3) + b"\x01\x02\x03"
# The time of packing is part of a gzip file, and the bytes are the names of the tests: each worker has to find the same ones.
GZIPPED = gzip.compress(LABELS, mtime=0)


@pytest.mark.parametrize("name", ["a.idx", "a.gz"])
@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8"])
def test_what_is_written_comes_back(tmp_path, dtype, name):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    write_idx(tmp_path / name, array)
    back = read_idx(tmp_path / name)
    np.testing.assert_array_equal(back, array)
    assert back.dtype == array.dtype
    assert back.dtype.isnative
    assert back.flags.writeable


def test_values_are_stored_big_endian_after_the_dimensions(tmp_path):
    write_idx(tmp_path / "a", np.array([[1, 258]], "<i2"))
    assert (tmp_path / "a").read_bytes() == b"\0\0\x0b\x02" + b"\0\0\0\x01\0\0\0\x02" + b"\0\x01\x01\x02"


def test_the_same_array_gives_the_same_gz_file(tmp_path):
    write_idx(tmp_path / "a.gz", np.arange(9, dtype=np.uint8))
    write_idx(tmp_path / "b.gz", np.arange(9, dtype=np.uint8))
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_a_gz_name_on_unpacked_bytes_is_read_as_browsers_leave_it(tmp_path):
    (tmp_path / "a.gz").write_bytes(LABELS)
    np.testing.assert_array_equal(read_idx(tmp_path / "a.gz"), [1, 2, 3])


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.zeros(3, complex), "complex128"),
        (np.zeros(3, np.int64), "int64"),
        (np.array([None]), "object"),
        (np.uint8(3), r"shape \(\)"),
    ],
)
def test_an_array_that_idx_cannot_hold_is_refused(tmp_path, array, found):
    with pytest.raises(InputError, match=found):
        write_idx(tmp_path / "a", array)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_named_on_writing(tmp_path):
    with pytest.raises(UnwritableError, match="missing"):
        write_idx(tmp_path / "missing" / "a", np.zeros(3, np.uint8))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "an empty file"),
        (b"\0\0", "first bytes"),
        (b"\0\1\x08\1\0\0\0\0", "first bytes"),
        (b"\0\0\x0a\1\0\0\0\0", "first bytes"),
        (b"PK\3\4 not an IDX file", "first bytes"),
        (header(), "0 dimensions"),
        (header(*[1] * 33), "33 dimensions"),
        (header(3, 3)[:9], "a header of 9 bytes"),
        (LABELS[:-1], "2 bytes of values, expected 3 bytes for 3 uint8 values"),
        (LABELS + b"\0", "4 bytes of values, expected 3"),
        (header(3, code=0x0E) + b"\0" * 12, "12 bytes of values, expected 24 bytes for 3 float64 values"),
        (header(*[2**32 - 1] * 3), "0 bytes of values, expected 79228162458924105385300197375 bytes"),
        (header(0, *[2**32 - 1] * 3), "dimensions"),
        (GZIPPED[:-9], "cut off"),
        (GZIPPED[:4], "cut off"),
        (GZIPPED[:-8] + b"\0\0\0\0" + GZIPPED[-4:], "broken gzip"),
        (GZIPPED[:-4] + b"\x09\0\0\0", "broken gzip"),
        (GZIPPED[:10] + b"\xff" * 20, "broken gzip"),
        (GZIPPED + b"garbage", "broken gzip"),
        (GZIPPED * 2, "14 bytes of values"),
    ],
)
def test_a_damaged_idx_file_is_refused_with_its_name(tmp_path, data, found):
    path = tmp_path / "train-labels-idx1-ubyte.gz"
    path.write_bytes(data)
    with pytest.raises(InputError, match=found) as caught:
        read_idx(path)
    assert caught.value.where == str(path)


def test_a_missing_file_is_a_missing_file_error(tmp_path):
    with pytest.raises(MissingFileError, match=r"nowhere: found no such file"):
        read_idx(tmp_path / "nowhere")


def test_a_file_used_as_a_folder_is_a_missing_file(tmp_path):
    (tmp_path / "a").write_bytes(LABELS)
    with pytest.raises(MissingFileError):
        read_idx(tmp_path / "a" / "b")


@pytest.mark.parametrize(("name", "found"), [("folder", "a folder"), ("x" * 5000, "too long"), ("a\0b", "null")])
def test_a_name_that_is_no_file_is_refused(tmp_path, name, found):
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=found):
        read_idx(tmp_path / name)


def test_a_forbidden_file_is_refused_with_the_reason(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(LABELS)

    def forbidden(path, flags):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("symae._runtime.atomic_files._without_waiting", forbidden)
    with pytest.raises(InputError, match=r"a: found permission denied, expected a readable file"):
        read_idx(tmp_path / "a")


def test_a_folder_of_idx_files_becomes_a_dataset_with_the_last_sixth_for_validation(idx_folder, splits):
    dataset = read(idx_folder)
    assert dataset.name == "idx, 10/2/3 images"
    assert dataset.image_shape == (1, 28, 28)
    assert dataset.train.x.dtype == np.uint8
    np.testing.assert_array_equal(dataset.train.x, splits[0][0])
    np.testing.assert_array_equal(dataset.valid.x, splits[1][0])
    np.testing.assert_array_equal(dataset.test.x, splits[2][0])
    np.testing.assert_array_equal(dataset.valid.y, splits[1][1])


def test_packed_and_plain_files_may_be_mixed(idx_folder):
    plain = idx_folder / "t10k-images-idx3-ubyte"
    plain.with_name(plain.name + ".gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    assert len(read(idx_folder).test.x) == 3


def test_names_with_a_dot_before_idx_are_known(idx_folder):
    (idx_folder / "t10k-images-idx3-ubyte").rename(idx_folder / "t10k-images.idx3-ubyte")
    assert len(read(idx_folder).test.x) == 3


def test_a_folder_that_lacks_one_of_the_four_names_it(idx_folder):
    (idx_folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(MissingFileError, match="found no t10k-labels-idx1-ubyte, expected"):
        read(str(idx_folder))


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("train-labels-idx1-ubyte", np.zeros(11, np.uint8), "12 images and 11 labels"),
        ("t10k-labels-idx1-ubyte", np.zeros(4, np.uint8), "3 images and 4 labels"),
        ("t10k-labels-idx1-ubyte", np.full(3, 70000, np.int32), "label 70000 at image 0, expected labels from 0 to 65535"),
        ("t10k-labels-idx1-ubyte", np.array([0, -1, 0], np.int8), "label -1 at image 1"),
        ("t10k-labels-idx1-ubyte", np.zeros(3, np.float32), "labels of type float32"),
        ("t10k-labels-idx1-ubyte", np.zeros((3, 1), np.uint8), "2 dimensions, expected one"),
        ("t10k-images-idx3-ubyte", np.zeros((3, 27, 28), np.uint8), r"shape \(1, 27, 28\), expected \(1, 28, 28\)"),
        ("t10k-images-idx3-ubyte", np.zeros(3, np.uint8), r"expected images, \(n, h, w\)"),
        ("t10k-images-idx3-ubyte", np.full((3, 28, 28), np.nan, np.float32), "nan at pixel 0 of image 0"),
        ("t10k-images-idx3-ubyte", np.full((3, 28, 28), 1.5, np.float64), "1.5 at pixel 0 of image 0"),
        ("t10k-images-idx3-ubyte", np.full((3, 28, 28), 256, np.int16), "integer pixels from 256 to 256"),
        ("t10k-images-idx3-ubyte", np.zeros((3, 28, 28), np.float32), "uint8, uint8, float32"),
    ],
)
def test_an_idx_folder_with_a_wrong_part_is_refused(idx_folder, name, array, message):
    write_idx(idx_folder / name, array)
    with pytest.raises(InputError, match=message):
        read(idx_folder)


def test_a_folder_without_test_images_is_refused(idx_folder):
    write_idx(idx_folder / "t10k-images-idx3-ubyte", np.zeros((0, 28, 28), np.uint8))
    write_idx(idx_folder / "t10k-labels-idx1-ubyte", np.zeros(0, np.uint8))
    with pytest.raises(InputError, match="no images"):
        read(idx_folder)


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_training_images_to_take_validation_from_are_refused(idx_folder, n):
    write_idx(idx_folder / "train-images-idx3-ubyte", np.zeros((n, 28, 28), np.uint8))
    write_idx(idx_folder / "train-labels-idx1-ubyte", np.zeros(n, np.uint8))
    with pytest.raises(InputError, match=f"found {n} images, expected at least two"):
        read(idx_folder)


def most_memory(call) -> int:
    """How many bytes the call has of Python and NumPy at the most."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["a.idx", "a.gz"])
def test_bytes_are_read_into_the_array_that_they_are(tmp_path, name):
    images = np.zeros((16000, 28, 28), np.uint8)
    write_idx(tmp_path / name, images)
    # a megabyte or two at a time is unpacked, and what grows has room for an eighth more
    assert most_memory(lambda: read_idx(tmp_path / name)) < 1.2 * images.nbytes + (3 << 20)


def test_the_parts_of_a_file_are_not_copied_and_lie_one_after_the_other(tmp_path):
    images = np.random.RandomState(0).randint(0, 256, (14000, 28, 28)).astype(np.uint8)
    write_idx(tmp_path / "a.idx", images)
    kept = []
    assert most_memory(lambda: kept.append(read(tmp_path / "a.idx"))) < 1.2 * images.nbytes + (3 << 20)
    (dataset,) = kept
    both = dataset.training_images()
    np.testing.assert_array_equal(both, images[:12000].reshape(-1, 784))
    assert np.shares_memory(both, dataset.train.x)
    assert np.shares_memory(both, dataset.valid.x)
