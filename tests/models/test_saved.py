"""Saved models: what comes back is what went in, and a damaged or foreign file is named."""

from __future__ import annotations

import errno
import json
import os

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from symae import Autoencoder, DenoisingAutoencoder, InputError, LogisticRegression, MissingFileError, UnwritableError
from symae.models.saved import read_model, write_model


@pytest.fixture
def model():
    return Autoencoder(np.random.RandomState(1), n_visible=6, n_hidden=4)


@pytest.fixture
def saved(model, tmp_path):
    model.save(tmp_path / "model")
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("name", ["", "model", "model.safetensors", "model.json"])
def test_a_model_is_loaded_by_its_folder_its_stem_or_either_file(saved, model, name):
    again = Autoencoder.load(saved.parent / name)
    assert (again.n_visible, again.n_hidden) == (6, 4)
    np.testing.assert_array_equal(again.W.get_value(), model.W.get_value())


def test_a_dot_in_the_name_stays_part_of_it(model, tmp_path):
    assert model.save(tmp_path / "epoch.10") == tmp_path / "epoch.10.safetensors"
    Autoencoder.load(tmp_path / "epoch.10")


def test_arrays_of_any_layout_keep_their_elements(tmp_path):
    value = np.arange(12.0).reshape(3, 4)
    write_model(tmp_path / "m", "M", {}, {"a": value.T, "b": value[::2, ::-1]})
    _, _, arrays = read_model(tmp_path / "m")
    np.testing.assert_array_equal(arrays["a"], value.T)
    np.testing.assert_array_equal(arrays["b"], value[::2, ::-1])


def test_names_in_the_file_are_the_parameters_whatever_the_variables_are_called(tmp_path):
    W = pytensor.shared(np.ones((6, 4)))
    Autoencoder(np.random.RandomState(1), n_visible=6, n_hidden=4, W=W).save(tmp_path / "m")
    assert sorted(read_model(tmp_path / "m")[2]) == ["W", "b", "b_prime"]


def test_a_logistic_regression_comes_back(tmp_path):
    model = LogisticRegression(pt.matrix("x"), 3, 2)
    model.W.set_value(np.arange(6.0).reshape(3, 2))
    model.save(tmp_path)
    again = LogisticRegression.load(tmp_path)
    np.testing.assert_array_equal(again.predict(np.eye(3)), [1, 1, 1])


def test_another_class_is_refused(saved):
    with pytest.raises(InputError, match="found a saved Autoencoder, expected a saved DenoisingAutoencoder"):
        DenoisingAutoencoder.load(saved)


def test_the_file_of_another_precision_is_loaded_in_floatX(saved, float32):
    assert Autoencoder.load(saved).W.get_value().dtype == np.float32


@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
def test_a_missing_half_is_named(saved, suffix):
    saved.with_suffix(suffix).unlink()
    with pytest.raises(MissingFileError, match=rf"model\{suffix}: found no such file"):
        Autoencoder.load(saved)


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_truncated_weights_are_refused(saved, keep):
    saved.write_bytes(saved.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"model\.safetensors: found a damaged file"):
        Autoencoder.load(saved)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b'{"symae": 1}',
        b"\xff\xfe",
        b"null",
        b'{"symae":1,"model":"A","configuration":{},"parameters":{"W":3}}',
    ],
)
def test_a_damaged_description_is_refused(saved, text):
    saved.with_suffix(".json").write_bytes(text)
    with pytest.raises(InputError, match=r"model\.json: found damaged JSON"):
        Autoencoder.load(saved)


def edited(saved, **changes):
    description = saved.with_suffix(".json")
    description.write_text(json.dumps({**json.loads(description.read_text()), **changes}))


def test_a_later_format_is_refused(saved):
    edited(saved, symae=2)
    with pytest.raises(InputError, match="found format 2, expected format 1"):
        Autoencoder.load(saved)


def test_names_and_shapes_must_be_those_described(saved):
    shapes = json.loads(saved.with_suffix(".json").read_text())["parameters"]
    edited(saved, parameters={**shapes, "W": {"shape": [4, 6], "dtype": "float64"}})
    with pytest.raises(InputError, match=r"found W of shape \(6, 4\) and dtype float64, expected W of shape \(4, 6\)"):
        Autoencoder.load(saved)
    edited(saved, parameters={"W": shapes["W"], "b": shapes["b"]})
    with pytest.raises(InputError, match=r"found b_prime of shape \(6,\) and dtype float64, expected no b_prime"):
        Autoencoder.load(saved)


def test_names_and_shapes_must_be_those_of_the_class(tmp_path):
    write_model(
        tmp_path / "m",
        "Autoencoder",
        {"n_visible": 6, "n_hidden": 5},
        {"W": np.ones((6, 4)), "b": np.ones(4), "b_prime": np.ones(6)},
    )
    with pytest.raises(InputError, match=r"found W of shape \(6, 4\), expected W of shape \(6, 5\)"):
        Autoencoder.load(tmp_path / "m")
    write_model(tmp_path / "m", "Autoencoder", {"n_visible": 6, "n_hidden": 4}, {"V": np.ones((6, 4))})
    with pytest.raises(InputError, match="expected exactly W, b, b_prime"):
        Autoencoder.load(tmp_path / "m")


def test_a_configuration_that_builds_nothing_is_refused(saved):
    edited(saved, configuration={"n_visible": 6, "depth": 3})
    with pytest.raises(InputError, match=r"unexpected keyword argument .* expected the configuration of class Autoencoder"):
        Autoencoder.load(saved)


@pytest.mark.parametrize("good_calls", [0, 1])
def test_a_full_disk_leaves_the_old_model_whole_whichever_file_it_hits(saved, monkeypatch, good_calls):
    before = saved.read_bytes(), saved.with_suffix(".json").read_bytes()
    calls = iter(range(10))

    def full(descriptor):
        if next(calls) >= good_calls:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnwritableError, match="found No space left on device"):
        Autoencoder(np.random.RandomState(1), n_visible=6, n_hidden=5).save(saved)
    assert (saved.read_bytes(), saved.with_suffix(".json").read_bytes()) == before
    assert sorted(p.name for p in saved.parent.iterdir()) == ["model.json", "model.safetensors"]


def test_sizes_may_be_numpys_integers(tmp_path):
    Autoencoder(np.random.RandomState(1), n_visible=np.prod((2, 3)), n_hidden=np.int64(4)).save(tmp_path)
    assert Autoencoder.load(tmp_path).n_visible == 6


def test_a_name_that_is_too_long_is_named(tmp_path):
    with pytest.raises(InputError, match="File name too long"):
        Autoencoder.load(tmp_path / ("x" * 300))


def test_a_missing_folder_is_named(model, tmp_path):
    with pytest.raises(UnwritableError, match="No such file or directory"):
        model.save(tmp_path / "nowhere" / "model")
