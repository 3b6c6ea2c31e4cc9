"""Small data in every format, and a machine on which no MNIST lies around."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from symae.datasets import write_cntk_text, write_idx
from symae.datasets.formats.idx import FILES

Pair = tuple[np.ndarray, np.ndarray]
REAL_MNIST = os.environ.get("SYMAE_DATA")


@pytest.fixture(autouse=True)
def empty_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whatever lies in the developer's folders, the tests do not see it."""
    folder = tmp_path_factory.mktemp("empty")
    monkeypatch.setenv("SYMAE_DATA", str(folder))
    return folder


@pytest.fixture(autouse=True)
def empty_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing of what tests read is kept where the developer's own runs look for it."""
    folder = tmp_path_factory.mktemp("kept")
    monkeypatch.setattr("symae.datasets.kept_parts.cache_folder", lambda: folder)


@pytest.fixture
def real_mnist(monkeypatch: pytest.MonkeyPatch, empty_data_folder: Path) -> Path:
    if not REAL_MNIST:
        pytest.skip("needs real MNIST: set SYMAE_DATA to a folder with its four files")
    monkeypatch.setenv("SYMAE_DATA", REAL_MNIST)
    return Path(REAL_MNIST)


@pytest.fixture
def images() -> Callable[[int], Pair]:
    """Return a function from n to n images of noise, uint8, with labels."""
    random = np.random.RandomState(7)

    def draw(n: int) -> Pair:
        x = np.zeros((n, 784), np.uint8)
        x[:, 300:310] = random.randint(0, 256, (n, 10))
        x[:, 310] = 255
        return x, random.randint(0, 10, n)

    return draw


@pytest.fixture
def splits(images: Callable[[int], Pair]) -> list[Pair]:
    """10 training, 2 validation and 3 test images."""
    return [images(n) for n in (10, 2, 3)]


@pytest.fixture
def idx_folder(tmp_path: Path, splits: list[Pair]) -> Path:
    """Write the four IDX files of 12 training and 3 test images, plain."""
    folder = tmp_path / "idx"
    folder.mkdir()
    train = [np.concatenate(parts) for parts in zip(*splits[:2], strict=True)]
    for name, array in zip(FILES, [*train, *splits[2]], strict=True):
        write_idx(folder / name, array.reshape(-1, 28, 28) if "images" in name else array.astype(np.uint8))
    return folder


@pytest.fixture
def cntk_folder(tmp_path: Path, splits: list[Pair]) -> Path:
    folder = tmp_path / "cntk"
    folder.mkdir()
    train = [np.concatenate(parts) for parts in zip(*splits[:2], strict=True)]
    write_cntk_text(folder / "Train-28x28_cntk_text.txt", *train)
    write_cntk_text(folder / "Test-28x28_cntk_text.txt", *splits[2])
    return folder
