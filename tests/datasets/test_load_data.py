"""`load_data`: the tutorials' function, on PyTensor."""

from __future__ import annotations

import numpy as np
import pytensor
import pytest
from pytensor.compile.mode import Mode
from pytensor.compile.sharedvalue import SharedVariable

from symae.datasets import load_data, read
from symae.errors import MissingFileError

NAMES = ("train", "valid", "test")


@pytest.mark.parametrize("floatX", ["float32", "float64"])
def test_pixels_are_bytes_over_256_to_the_last_bit(idx_folder, floatX):
    with pytensor.config.change_flags(floatX=floatX):
        pairs = load_data(idx_folder)
    dataset = read(idx_folder)
    for (x, _), name in zip(pairs, NAMES, strict=True):
        assert isinstance(x, SharedVariable)
        assert x.dtype == floatX
        assert x.name == f"{name}_x"
        expected = getattr(dataset, name).x / 256
        assert expected.dtype == np.float64
        np.testing.assert_array_equal(x.get_value(), expected)


@pytest.mark.parametrize("floatX", ["float32", "float64"])
def test_labels_are_shared_in_floatX_and_cast_to_int32(idx_folder, floatX):
    with pytensor.config.change_flags(floatX=floatX):
        pairs = load_data(str(idx_folder), borrow=False)
    dataset = read(idx_folder)
    for (_, y), name in zip(pairs, NAMES, strict=True):
        assert y.dtype == "int32"
        (shared,) = y.owner.inputs
        assert isinstance(shared, SharedVariable)
        assert shared.dtype == floatX
        assert shared.name == f"{name}_y"
        np.testing.assert_array_equal(y.eval(mode=Mode(linker="py")), getattr(dataset, name).y)


def test_floats_are_taken_as_they_are(tmp_path, splits):
    arrays = {f"{name}_x": (x / 255).astype(np.float32) for name, (x, _) in zip(NAMES, splits, strict=True)}
    labels = {f"{name}_y": y for name, (_, y) in zip(NAMES, splits, strict=True)}
    np.savez(tmp_path / "a.npz", **arrays, **labels)
    with pytensor.config.change_flags(floatX="float64"):
        pairs = load_data(tmp_path / "a.npz")
    np.testing.assert_array_equal(pairs[2][0].get_value(), arrays["test_x"].astype(np.float64))


def test_what_is_not_there_is_a_missing_file():
    with pytest.raises(MissingFileError, match=r"mnist.pkl.gz"):
        load_data("mnist.pkl.gz")


def test_mini_mnist_is_scaled_as_the_worksheet_scaled_it(real_mnist):
    with pytensor.config.change_flags(floatX="float64"):
        (x, _), _, _ = load_data("mini_mnist")
    values = x.get_value(borrow=True)
    assert values.shape == (5000, 784)
    assert values.max() == 255 / 256
    np.testing.assert_array_equal(values, read("mini_mnist").train.x.astype(np.float64) / 256)
