"""Runs to look at, made without training: their weights are pieces of images, so that units like what they look like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from inspector_runs import write_run

from symae import Autoencoder, CoordinateVAE, StridedAutoencoder
from symae.datasets import read


@pytest.fixture(scope="session")
def digits() -> np.ndarray:
    """Return a hundred of symae's own digits, from 0 to 1."""
    return read("digits").train.x[:100] / 255.0


@pytest.fixture(scope="session")
def trained(digits: np.ndarray) -> Autoencoder:
    """Make an autoencoder of 40 units, each of which looks for one digit."""
    model = Autoencoder(np.random.RandomState(0), n_visible=784, n_hidden=40)
    W = 0.3 * (digits[:40] - digits.mean(axis=0)).T
    model.set_parameters({"W": W, "b": np.linspace(-2, 1, 40), "b_prime": np.full(784, -2.0)})
    return model


@pytest.fixture
def strided() -> StridedAutoencoder:
    return StridedAutoencoder(np.random.RandomState(1), code=3, maps=(2, 3, 4))


@pytest.fixture
def coordinate_vae() -> CoordinateVAE:
    return CoordinateVAE(np.random.RandomState(2), n_latent=2)


@pytest.fixture
def run(trained: Autoencoder, tmp_path: Path) -> Path:
    """Write the folder of a finished run."""
    return write_run(tmp_path / "first", trained)
