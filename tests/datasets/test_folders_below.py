"""MNIST as other programs leave it: one folder down, or each file in a folder of its name."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import numpy as np
import pytest

from symae.datasets import available, read, write_idx
from symae.datasets.folders import find_mnist, mnist_folder
from symae.datasets.formats.idx import FILES
from symae.errors import InputError, MissingFileError


def four_files(folder: Path, first: int = 7) -> None:
    rng = np.random.RandomState(0)
    for name, n in zip(FILES, (12, 12, 4, 4), strict=True):
        array = rng.randint(0, 256, (n, 28, 28)) if "images" in name else (np.arange(n) + first) % 10
        folder.mkdir(parents=True, exist_ok=True)
        write_idx(folder / name, array.astype(np.uint8))


@pytest.mark.parametrize("below", ["MNIST/raw", "MNIST", "mnist", "raw"])
def test_torchvisions_folder_is_found_from_above(tmp_path, monkeypatch, below):
    four_files(tmp_path / below)
    assert read(tmp_path).train.y[0] == 7
    monkeypatch.setenv("SYMAE_DATA", str(tmp_path))
    assert find_mnist() == mnist_folder() == tmp_path / below
    assert "mnist" in available()


def test_two_folders_below_are_named_and_none_is_taken(tmp_path, monkeypatch):
    for below in ("MNIST/raw", "raw"):
        four_files(tmp_path / below)
    monkeypatch.setenv("SYMAE_DATA", str(tmp_path))
    for reading in (lambda: read(tmp_path), mnist_folder):
        with pytest.raises(InputError, match=r"MNIST's four files in .*raw and in .*raw, expected one of these"):
            reading()
    assert find_mnist() is None


def test_another_data_set_with_files_of_these_names_is_not_taken_for_mnist_but_pointed_at(tmp_path, monkeypatch):
    four_files(tmp_path / "FashionMNIST" / "raw")
    monkeypatch.setenv("SYMAE_DATA", str(tmp_path))
    for reading in (lambda: read(tmp_path), mnist_folder):
        with pytest.raises(MissingFileError, match=r", but all four in .*FashionMNIST.raw, expected"):
            reading()
    four_files(tmp_path / "MNIST" / "raw", first=3)
    assert read(tmp_path).train.y[0] == 3


def test_kaggles_files_are_found_in_folders_of_their_names(tmp_path):
    four_files(tmp_path / "flat")
    for name in FILES:
        outer = tmp_path / "kaggle" / name
        outer.mkdir(parents=True)
        (tmp_path / "flat" / name).rename(outer / name.replace("-idx", ".idx"))
    assert len(read(tmp_path / "kaggle").test.y) == 4


def test_a_file_is_found_in_a_folder_of_its_name(tmp_path, monkeypatch):
    parts = tuple((np.zeros((n, 784), np.float32), np.arange(n)) for n in (3, 2, 1))
    (tmp_path / "mnist.pkl.gz").mkdir()
    (tmp_path / "mnist.pkl.gz" / "mnist.pkl.gz").write_bytes(gzip.compress(pickle.dumps(parts)))
    assert len(read(tmp_path / "mnist.pkl.gz").train.y) == len(read(tmp_path).train.y) == 3
    monkeypatch.setenv("SYMAE_DATA", str(tmp_path))
    assert len(read("mnist.pkl.gz").train.y) == 3
