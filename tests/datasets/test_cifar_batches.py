"""CIFAR's batches: pickles of Python 2 and 3, records of bytes, folders and archives."""

from __future__ import annotations

import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest

from symae.datasets import read
from symae.errors import InputError, MissingFileError

RNG = np.random.RandomState(0)
NAMES = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]


def pairs(n: int = 12) -> dict[str, tuple[np.ndarray, list[int]]]:
    return {name: (RNG.randint(0, 256, (n, 3072)).astype(np.uint8), RNG.randint(0, 10, n).tolist()) for name in NAMES}


def pickles(batches: dict[str, tuple[np.ndarray, list[int]]], protocol: int = 2) -> dict[str, bytes]:
    files = {}
    for name, (x, y) in batches.items():
        content = {"batch_label": name, "labels": y, "data": x, "filenames": [f"{name}_{i}.png" for i in range(len(y))]}
        files[name] = pickle.dumps(content, protocol)
    return files | {"batches.meta": pickle.dumps({"label_names": [*"abcdefghij"], "num_vis": 3072}, protocol)}


def records(batches: dict[str, tuple[np.ndarray, list[int]]]) -> dict[str, bytes]:
    rows = {name: np.column_stack([np.array(y, np.uint8), x]).tobytes() for name, (x, y) in batches.items()}
    return {f"{name}.bin": data for name, data in rows.items()} | {"batches.meta.txt": b"a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n"}


def write(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize("make", [pickles, records, lambda batches: pickles(batches, 4)])
def test_five_batches_are_training_images(tmp_path, make):
    batches = pairs()
    write(tmp_path / "cifar-10-batches-py", make(batches))
    dataset = read(tmp_path)
    assert (dataset.image_shape, dataset.n_classes, dataset.class_names) == ((3, 32, 32), 10, tuple("abcdefghij"))
    assert [len(part.x) for part in dataset.parts] == [50, 10, 12]
    np.testing.assert_array_equal(dataset.train.x[12:24], batches["data_batch_2"][0])
    assert dataset.test.y.tolist() == batches["test_batch"][1]


@pytest.mark.parametrize(("make", "name"), [(pickles, "cifar-10-python.tar.gz"), (records, "cifar-10-binary.tar.gz")])
def test_archives_are_read_as_they_are(tmp_path, make, name):
    batches = pairs(3)
    with tarfile.open(tmp_path / name, "w:gz") as archive:
        for member, data in {**make(batches), "readme.html": b"hello"}.items():
            info = tarfile.TarInfo(f"cifar/{member}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    dataset = read(tmp_path / name)
    np.testing.assert_array_equal(dataset.test.x, batches["test_batch"][0])
    assert len(dataset.training_images()) == 15


def test_cifar_100_has_its_fine_labels(tmp_path):
    x = RNG.randint(0, 256, (6, 3072)).astype(np.uint8)
    fine = [99, 0, 17, 3, 4, 5]
    files = {part: pickle.dumps({"data": x, "fine_labels": fine, "coarse_labels": [0] * 6}, 2) for part in ("train", "test")}
    assert read(write(tmp_path / "python", files)).test.y.tolist() == fine
    rows = np.column_stack([np.zeros(6, np.uint8), np.array(fine, np.uint8), x]).tobytes()
    assert read(write(tmp_path / "binary", {"train.bin": rows, "test.bin": rows})).test.y.tolist() == fine
    assert len(read(tmp_path / "binary/train.bin").train.x) == 4


def test_a_batch_of_ten_thousand_pictures_with_their_file_names_is_read(tmp_path):
    x = np.zeros((10000, 3072), np.uint8)
    files = pickles({name: (x[:10], [0] * 10) for name in NAMES} | {"data_batch_1": (x, [*range(10)] * 1000)}, 1)
    assert len(read(write(tmp_path / "cifar", files)).training_images()) == 10040


class Evil:
    def __reduce__(self):
        return print, ("run",)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"data_batch_3": None}, MissingFileError, "expected all of data_batch_1, data_batch_2"),
        ({"test_batch": None}, MissingFileError, "0 files test_batch"),
        ({"data_batch_1": pickle.dumps(Evil(), 2)}, InputError, "data_batch_1: found a pickle that asks for"),
        ({"data_batch_1": pickle.dumps({"data": [1, 2]}, 2)}, InputError, r"expected data of shape \(n, 3072\)"),
        ({"data_batch_1": pickle.dumps({"data": np.zeros((2, 3072), "u1"), "labels": ["a"]}, 2)}, InputError, "whole numbers"),
        ({"data_batch_1": pickle.dumps({"data": np.zeros((2, 3072), "u1"), "labels": [1]}, 2)}, InputError, "as many labels"),
        ({"data_batch_1": pickle.dumps([1], 2)}, InputError, "a pickle of a list, expected a dictionary"),
        ({"data_batch_1": pickles(pairs(2))["data_batch_1"][:-9]}, InputError, "a pickle that is cut off"),
        ({"data_batch_1": pickle.dumps([[] for _ in range(20000)], 2)}, InputError, "more than 10000 containers"),
        ({"data_batch_1": None, "data_batch_1.bin": b"\0" * 5000}, InputError, "5000 bytes, expected records of 3073 or 3074"),
    ],
)
def test_damaged_batches_are_refused_and_nothing_is_run(tmp_path, capsys, change, error, message):
    files = {name: data for name, data in (pickles(pairs(2)) | change).items() if data is not None}
    with pytest.raises(error, match=message):
        read(write(tmp_path / "cifar", files))
    assert capsys.readouterr().out == ""


def test_an_archive_that_claims_more_than_it_holds_is_refused(tmp_path, monkeypatch):
    long_names = tarfile.TarInfo("a" * 200).tobuf(tarfile.GNU_FORMAT)[:1024]
    sparse = bytearray(tarfile.TarInfo("data_batch_1").tobuf(tarfile.GNU_FORMAT))
    sparse[156:157], sparse[483:495] = b"S", b"00777777777\0"
    sparse[148:156] = b"%06o\0 " % tarfile.calc_chksums(bytes(sparse))[0]
    monkeypatch.setattr("symae.datasets.formats.cifar.LARGEST", 999)
    large = tarfile.TarInfo("readme")
    large.size = 1000
    for content, message in (
        (long_names * 3000, "a broken archive"),
        (sparse, "'data_batch_1': a sparse file"),
        (large.tobuf() + bytes(1024), "'readme': more than 0 MiB"),
        (tarfile.TarInfo("a" * (2 << 20)).tobuf(tarfile.GNU_FORMAT), "a broken archive .*a name of 2097153 bytes"),
    ):
        (tmp_path / "a-python.tar").write_bytes(content + bytes(1024))
        with pytest.raises(InputError, match=message):
            read(tmp_path / "a-python.tar")
