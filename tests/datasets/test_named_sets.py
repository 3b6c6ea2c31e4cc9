"""Sets known by a name: their files, their sums, and what each of them needs to be read right."""

from __future__ import annotations

import gzip
import io
import re
import string
import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from symae.datasets import available, download_set, read, write_idx
from symae.datasets.formats.idx import FILES
from symae.datasets.named import SETS
from symae.errors import InputError, MissingFileError

RNG = np.random.RandomState(0)


def test_each_set_has_a_sum_for_each_file_and_a_mirror():
    for name, known in SETS.items():
        assert all(re.fullmatch("[0-9a-f]{64}|[0-9a-f]{32}", found) for found in known.files.values()), name
        assert all(re.fullmatch(r"https?://\S+(/|/\d+)", mirror) for mirror in known.mirrors), name
        assert known.mirrors
        assert known.title


@pytest.mark.parametrize("name", ["fashion_mnist", "kmnist"])
def test_sets_of_mnists_form_have_names_for_their_classes(empty_data_folder, name):
    x = RNG.randint(0, 256, (12, 28, 28)).astype(np.uint8)
    (empty_data_folder / name).mkdir()
    for file, array in zip(FILES, (x, np.arange(12) % 10, x[:2], np.arange(2)), strict=True):
        write_idx(empty_data_folder / name / f"{file}.gz", array.astype(np.uint8))
    dataset = read(name)
    assert dataset.name.startswith(SETS[name].title)
    assert (len(dataset.class_names), dataset.class_names[1]) == (10, {"fashion_mnist": "Trouser", "kmnist": "ki"}[name])
    assert name in available()


def idx(array: np.ndarray, path: Path) -> bytes:
    write_idx(path, array.astype(np.uint8))
    return path.read_bytes()


def test_emnists_letters_stand_upright_and_begin_at_one(empty_data_folder, tmp_path):
    upright = RNG.randint(0, 256, (26, 28, 28)).astype(np.uint8)
    labels = np.arange(26) + 1
    (empty_data_folder / "emnist").mkdir()
    with zipfile.ZipFile(empty_data_folder / "emnist/gzip.zip", "w") as archive:
        for part, n in (("train", 26), ("test", 3)):
            stored = upright[:n].transpose(0, 2, 1)
            archive.writestr(f"gzip/emnist-letters-{part}-images-idx3-ubyte.gz", idx(stored, tmp_path / "x.gz"))
            archive.writestr(f"gzip/emnist-letters-{part}-labels-idx1-ubyte.gz", idx(labels[:n], tmp_path / "y.gz"))
    dataset = read("emnist")
    np.testing.assert_array_equal(dataset.test.x, upright[:3].reshape(3, -1))
    assert (dataset.test.y.tolist(), dataset.n_classes) == ([1, 2, 3], 27)
    assert dataset.class_names[1:] == tuple(string.ascii_lowercase)
    with pytest.raises(InputError, match=r"a broken or cut off archive .*emnist-digits"):
        read("emnist_digits")
    (empty_data_folder / "emnist/gzip.zip").write_bytes(b"nothing")
    with pytest.raises(InputError, match="a broken or cut off archive"):
        read("emnist")


def test_usps_has_the_digits_for_labels(empty_data_folder):
    import bz2

    (empty_data_folder / "usps").mkdir()
    line = " ".join(f"{i}:-1" for i in range(1, 257))
    for file in SETS["usps"].files:
        (empty_data_folder / "usps" / file).write_bytes(bz2.compress(f"7 {line}\n1 {line}\n".encode() * 3))
    dataset = read("usps")
    assert (dataset.test.y.tolist(), dataset.image_shape) == ([6, 0] * 3, (1, 16, 16))
    assert (dataset.test.x == 0).all()


def test_olivettis_faces_are_forty_people(empty_data_folder):
    (empty_data_folder / "olivetti").mkdir()
    savemat(empty_data_folder / "olivetti/olivettifaces.mat", {"faces": RNG.randint(0, 256, (4096, 400)).astype(float)})
    dataset = read("olivetti")
    assert (dataset.n_classes, dataset.image_shape, sum(len(part.x) for part in dataset.parts)) == (40, (1, 64, 64), 400)
    assert len(set(dataset.train.y.tolist())) == 40


def test_a_set_that_is_not_here_says_how_it_is_downloaded():
    with pytest.raises(
        MissingFileError, match=r"cifar10: found no copy in .*cifar10, expected .*symae data cifar10 downloads 170 MB"
    ):
        read("cifar10")
    with pytest.raises(InputError, match="name: found 'imagenet', expected one of mnist, fashion_mnist"):
        download_set("imagenet")


def test_a_file_is_taken_from_the_next_mirror_where_its_sum_is_wrong(empty_data_folder, monkeypatch):
    import symae.datasets.download as module

    sent = []

    def transfer(url, file, progress, algorithm):
        sent.append((url, algorithm))
        data = b"wrong" if len(sent) == 1 else b"right"
        file.write(data)
        return (
            module._hash(algorithm).copy().hexdigest()
            if data == b"wrong"
            else dict(SETS["olivetti"].files)["olivettifaces.mat"]
        )

    monkeypatch.setattr("symae.datasets.download._transfer", transfer)
    assert download_set("olivetti") == empty_data_folder / "olivetti"
    assert sent == [
        ("https://ndownloader.figshare.com/files/5976027", "SHA-256"),
        ("https://cs.nyu.edu/~roweis/data/olivettifaces.mat", "SHA-256"),
    ]
    assert (empty_data_folder / "olivetti/olivettifaces.mat").read_bytes() == b"right"


def test_cifar10_is_read_from_its_archive(empty_data_folder):
    import tarfile

    (empty_data_folder / "cifar10").mkdir()
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]:
            data = RNG.randint(0, 10, (2, 3073)).astype(np.uint8).tobytes()
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    (empty_data_folder / "cifar10/cifar-10-binary.tar.gz").write_bytes(gzip.compress(file.getvalue()))
    dataset = read("cifar10")
    assert (dataset.image_shape, [len(part.x) for part in dataset.parts]) == ((3, 32, 32), [9, 1, 2])
