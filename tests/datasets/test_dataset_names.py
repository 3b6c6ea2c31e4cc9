"""Names and paths: what is found where, and what is said when it is not."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from symae import datasets
from symae.datasets import available, default, read, write_idx
from symae.datasets.formats.idx import FILES
from symae.errors import InputError, MissingFileError


@pytest.fixture
def unset(monkeypatch, tmp_path):
    """SYMAE_DATA is not set, symae runs from a checkout in tmp_path, and the cache lies there too."""
    monkeypatch.delenv("SYMAE_DATA")
    (tmp_path / "checkout" / "data").mkdir(parents=True)
    (tmp_path / "cache").mkdir()
    monkeypatch.setattr("symae.datasets.folders._checkout", lambda: tmp_path / "checkout")
    monkeypatch.setattr("symae.datasets.folders.cache_folder", lambda: tmp_path / "cache")
    return tmp_path


@pytest.fixture
def mnist_sized(tmp_path):
    """Four files with MNIST's counts; an image's first two pixels are its number."""
    folder = tmp_path / "mnist_sized"
    folder.mkdir()
    for names, n in ((FILES[:2], 60000), (FILES[2:], 10000)):
        x = np.zeros((n, 28, 28), np.uint8)
        x[:, 0, 0], x[:, 0, 1] = divmod(np.arange(n), 256)
        write_idx(folder / names[0], x)
        write_idx(folder / names[1], (np.arange(n) % 10).astype(np.uint8))
    return folder


def numbers(split):
    return (split.x[:, 0].astype(int) * 256 + split.x[:, 1]).tolist()


def put_empty_files(folder: Path) -> None:
    for name in FILES:
        (folder / f"{name}.gz").touch()


def test_the_embedded_digits_are_always_there():
    dataset = read("digits")
    assert dataset.name == "symae's own stroke digits, 5000/1000/1000 images"
    assert [len(split.x) for split in (dataset.train, dataset.valid, dataset.test)] == [5000, 1000, 1000]
    assert dataset.train.x.dtype == np.uint8
    assert "digits" in available()


def test_mnist_is_50000_training_10000_validation_and_10000_test_images(monkeypatch, mnist_sized):
    monkeypatch.setenv("SYMAE_DATA", str(mnist_sized))
    dataset = read("mnist")
    assert dataset.name == "MNIST, 50000/10000/10000 images"
    assert numbers(dataset.train) == list(range(50000))
    assert numbers(dataset.valid) == list(range(50000, 60000))
    assert numbers(dataset.test) == list(range(10000))


def test_mini_mnist_is_the_first_images_of_each_part_of_mnist(monkeypatch, mnist_sized):
    monkeypatch.setenv("SYMAE_DATA", str(mnist_sized))
    dataset = read("mini_mnist")
    assert dataset.name == "mini-MNIST, the first 5000/1000/1000 images of MNIST"
    assert numbers(dataset.train) == list(range(5000))
    assert numbers(dataset.valid) == list(range(50000, 51000))
    assert numbers(dataset.test) == list(range(1000))
    assert dataset.valid.y[:3].tolist() == [0, 1, 2]


def test_real_mini_mnist_begins_with_the_digits_everybody_knows(real_mnist):
    dataset = read("mini_mnist")
    assert dataset.train.y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert dataset.valid.y[:5].tolist() == [3, 8, 6, 9, 6]
    assert dataset.test.y[:5].tolist() == [7, 2, 1, 0, 4]
    assert available() == ("mini_mnist", "mnist", "digits")


def test_real_mnist_by_its_path_is_the_same_as_by_its_name(real_mnist):
    by_path, by_name = read(real_mnist), read("mnist")
    np.testing.assert_array_equal(by_path.valid.x, by_name.valid.x)
    np.testing.assert_array_equal(by_path.train.y, by_name.train.y)


@pytest.mark.parametrize("name", ["mnist", "mini_mnist"])
def test_a_smaller_set_is_not_taken_for_mnist(monkeypatch, idx_folder, name):
    monkeypatch.setenv("SYMAE_DATA", str(idx_folder))
    with pytest.raises(InputError, match=r"idx: found 12 training images, expected 60000"):
        read(name)


@pytest.mark.parametrize("name", ["mnist", "mini_mnist"])
def test_a_data_folder_without_mnist_is_named_with_what_it_lacks(empty_data_folder, name):
    with pytest.raises(
        MissingFileError, match=r"found no train-images-idx3-ubyte and no .* because SYMAE_DATA names"
    ) as caught:
        read(name)
    assert caught.value.where == str(empty_data_folder)


def test_a_data_folder_that_does_not_exist_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("SYMAE_DATA", str(tmp_path / "gone"))
    with pytest.raises(MissingFileError, match="gone: found no"):
        read("mnist")
    assert default() == "digits"


def test_without_a_data_folder_the_places_searched_are_named(unset):
    with pytest.raises(MissingFileError, match=r"MNIST: found no copy in .*data or .*cache, expected .*symae data mnist"):
        read("mnist")


def test_an_empty_variable_counts_as_not_set(unset, monkeypatch):
    monkeypatch.setenv("SYMAE_DATA", "")
    with pytest.raises(MissingFileError, match="found no copy in"):
        read("mnist")


@pytest.mark.parametrize("place", ["checkout/data", "cache"])
def test_mnist_in_the_checkout_or_the_cache_is_the_default(unset, place, monkeypatch):
    monkeypatch.setattr("symae.datasets.sources.digits_file", lambda: None)
    assert default() == "digits"
    assert available() == ("digits",)
    put_empty_files(unset / place)
    assert default() == "mini_mnist"
    assert available() == ("mini_mnist", "mnist", "digits")


def test_the_data_folder_that_is_named_is_the_only_one_searched(unset, monkeypatch):
    put_empty_files(unset / "cache")
    (unset / "named").mkdir()
    monkeypatch.setenv("SYMAE_DATA", str(unset / "named"))
    assert default() == "digits"


def test_three_of_the_four_files_are_not_mnist(unset):
    put_empty_files(unset / "cache")
    (unset / "cache" / f"{FILES[2]}.gz").unlink()
    assert default() == "digits"


def test_the_cache_folder_is_the_users(monkeypatch, tmp_path):
    from symae.datasets.folders import search_folders

    monkeypatch.delenv("SYMAE_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert search_folders()[-1].name == "symae"


def test_nothing_is_asked_for_means_the_default():
    assert read().name == read("digits").name


def test_an_installation_carries_the_digits_beside_the_module(monkeypatch, tmp_path, splits):
    monkeypatch.setattr("symae.datasets.folders.PACKAGE", tmp_path / "site-packages" / "symae" / "datasets")
    with pytest.raises(MissingFileError, match="expected the embedded digits"):
        read("digits")
    assert available() == ()
    (tmp_path / "site-packages" / "symae" / "datasets").mkdir(parents=True)
    names = ("train_x", "train_y", "valid_x", "valid_y", "test_x", "test_y")
    arrays = dict(zip(names, [array for pair in splits for array in pair], strict=True))
    np.savez(tmp_path / "site-packages" / "symae" / "datasets" / "digits.npz", **arrays)
    assert len(read("digits").train.x) == 10


def test_a_file_name_without_a_folder_is_looked_for_where_mnist_is(empty_data_folder, splits):
    (empty_data_folder / "mnist.pkl").write_bytes(pickle.dumps(splits))
    assert read("mnist.pkl").name == "mnist.pkl, 10/2/3 images"


def test_a_folder_that_holds_the_lisa_labs_file_is_read(tmp_path, splits):
    (tmp_path / "mnist.pkl").write_bytes(pickle.dumps(splits))
    assert len(read(tmp_path).train.x) == 10


def test_a_path_object_is_never_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingFileError, match=r"digits: found no such file or folder"):
        read(Path("digits"))


@pytest.mark.parametrize("name", ["minist", "mnist.tar", "nowhere/", "", "a\0b", "x" * 5000])
def test_a_name_that_is_neither_is_refused_with_what_there_is(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"found .*, expected .*IDX files"):
        read(name)


@pytest.mark.parametrize("name", ["a.doc", "train", "a.gz"])
def test_a_file_of_an_unknown_kind_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"1,2,3")
    with pytest.raises(InputError, match=r"a file of an unknown kind .*, expected a folder with MNIST's four IDX files"):
        read(tmp_path / name)


def test_an_empty_folder_is_refused_with_what_is_read(tmp_path):
    with pytest.raises(MissingFileError, match="none of the files that symae reads"):
        read(tmp_path)


def test_the_public_names_are_these():
    assert datasets.__all__ == sorted(datasets.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name))
    assert all(hasattr(datasets, name) for name in datasets.__all__)


def test_importing_and_reading_needs_neither_compiler_nor_network_nor_pictures():
    heavy = "{'pytensor', 'numba', 'pooch', 'requests', 'PIL', 'tqdm', 'scipy'}"
    # symae itself is an empty shell here: what its own __init__ imports is not at issue.
    code = f"""
import sys, types
sys.modules["symae"] = shell = types.ModuleType("symae")
shell.__path__ = ["symae"]
import symae.datasets
symae.datasets.read("digits")
print(sorted({heavy} & set(sys.modules)))
"""
    root = Path(__file__).parents[2]
    result = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
