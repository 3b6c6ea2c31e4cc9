"""MATLAB's files, written by SciPy."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from scipy.io import savemat

from symae.datasets import read
from symae.datasets.formats import mat
from symae.errors import InputError

RNG = np.random.RandomState(0)
X = RNG.randint(0, 256, (12, 16)).astype(np.uint8)
Y = np.array([4, 1, 3, 2, 1, 0, 2, 2, 3, 4, 1, 0])


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "i8", "f4", "f8"])
def test_arrays_of_all_types_are_as_scipy_wrote_them(tmp_path, packed, dtype):
    arrays = {"a": X.astype(dtype), "cube": X.reshape(3, 4, 16).astype(dtype), "one": np.ones((1, 1), dtype)}
    others = {"text": "words", "cell": np.array([1, "a"], object), "z": np.ones(2) * 1j, "record": {"x": 1}}
    savemat(tmp_path / "a.mat", arrays | others, do_compression=packed)
    found = mat.read_mat(tmp_path / "a.mat")
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(mat.load(tmp_path / "a.mat", found[name]), array)


def test_an_array_for_each_class_is_mnist_all(tmp_path):
    arrays = {f"train{k}": RNG.randint(0, 256, (k + 4, 784)).astype(np.uint8) for k in range(10)}
    arrays |= {f"test{k}": RNG.randint(0, 256, (2, 784)).astype(np.uint8) for k in range(10)}
    savemat(tmp_path / "mnist_all.mat", arrays)
    dataset = read(tmp_path / "mnist_all.mat")
    assert [len(part.x) for part in dataset.parts] == [71, 14, 20]
    assert dataset.test.y.tolist() == sorted([*range(10)] * 2)
    np.testing.assert_array_equal(dataset.test.x[6:8], arrays["test3"])
    assert len(set(dataset.valid.y.tolist())) > 5  # shuffled before it was cut


def test_images_may_be_columns_and_bytes_may_be_floats(tmp_path):
    savemat(tmp_path / "mnist-original.mat", {"data": X.T.astype(float), "label": Y[None].astype(float)})
    dataset = read(tmp_path / "mnist-original.mat")
    np.testing.assert_array_equal(dataset.train.x, X[:10])
    assert (dataset.train.x.dtype, dataset.train.y.tolist()) == (np.uint8, Y[:10].tolist())


def test_images_in_colours_may_have_their_number_last(tmp_path):
    images = RNG.randint(0, 256, (4, 5, 3, 9)).astype(np.uint8)
    savemat(tmp_path / "a.mat", {"X": images, "y": np.arange(9)[:, None] % 4 + 1})
    dataset = read(tmp_path / "a.mat")
    assert dataset.image_shape == (3, 4, 5)
    np.testing.assert_array_equal(dataset.train.x[0].reshape(3, 4, 5), images[..., 0].transpose(2, 0, 1))


def test_faces_of_frey_and_olivetti_stand_upright(tmp_path):
    frey = RNG.randint(0, 256, (560, 12)).astype(np.uint8)
    savemat(tmp_path / "frey_rawface.mat", {"ff": frey})
    dataset = read(tmp_path / "frey_rawface.mat")
    assert dataset.image_shape == (1, 28, 20)
    np.testing.assert_array_equal(dataset.train.x[0], frey[:, 0])
    faces = RNG.randint(0, 256, (4096, 400)).astype(float)
    savemat(tmp_path / "olivettifaces.mat", {"faces": faces})
    dataset = read(tmp_path / "olivettifaces.mat")
    assert (dataset.image_shape, dataset.n_classes) == ((1, 64, 64), 40)
    wanted = faces[:, 7].reshape(64, 64).T.reshape(-1)
    assert any((part.x == wanted).all(axis=1).any() for part in dataset.parts)


def header(version: int = 0x100) -> bytes:
    return b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", version) + b"IM"


def matrix(shape: tuple[int, ...], data: bytes, kind: int = 2) -> bytes:
    dims = struct.pack(f"<{len(shape)}i", *shape).ljust(8, b"\0")
    body = (
        struct.pack("<4I", 6, 8, 9, 0)
        + struct.pack("<2I", 5, 4 * len(shape))
        + dims
        + struct.pack("<2I", 1, 1)
        + b"x".ljust(8, b"\0")
    )
    body += struct.pack("<2I", kind, len(data)) + data + b"\0" * (-len(data) % 8)
    return struct.pack("<2I", 14, len(body)) + body


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"MATLAB 7.3 MAT-file".ljust(600, b" "),
            r"a.mat: found a MATLAB file of version 7.3, expected version 5 to 7.2, .*-v7",
        ),
        (b"nothing", "the first bytes 'nothing', expected a MATLAB file"),
        (header() + matrix((3, 4), b"\0" * 11), "found 11 bytes of values, expected as many as uint8"),
        (header() + matrix((2**31 - 1, 2**31 - 1), b"\0" * 16), "found 16 bytes of values"),
        (header() + matrix((-3, 4), b"\0" * 12), "numbers in two dimensions or more"),
        (header() + matrix((3, 4), b"\0" * 12, 99), "found type 99"),
        (header() + matrix((3, 4), b"\0" * 12)[:-9], "a file that is cut off"),
        (header() + struct.pack("<2I", 15, 5) + b"12345", "broken packed data"),
        (header() + b"\1\0\0", "a file that is cut off"),
        (header(), "found arrays nothing"),
    ],
)
def test_a_damaged_file_is_refused_before_memory_is_taken(tmp_path, data, message):
    (tmp_path / "a.mat").write_bytes(data)
    with pytest.raises(InputError, match=message):
        read(tmp_path / "a.mat")


def test_a_small_file_that_unpacks_to_a_thousand_times_its_length_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(mat, "UNSUSPICIOUS", 1 << 20)
    packed = zlib.compress(matrix((1 << 11, 1 << 11), bytes(1 << 22)))
    (tmp_path / "a.mat").write_bytes(header() + struct.pack("<2I", 15, len(packed)) + packed)
    with pytest.raises(InputError, match="unpacks to more than 200 times its length"):
        read(tmp_path / "a.mat")


def test_labels_of_another_number_are_refused(tmp_path):
    file = io.BytesIO()
    savemat(file, {"X": X, "y": Y[:5, None]})
    (tmp_path / "a.mat").write_bytes(file.getvalue())
    with pytest.raises(InputError, match="as many labels as images"):
        read(tmp_path / "a.mat")
