"""Saved models: what comes back is what went in, and a damaged or foreign file is named."""

from __future__ import annotations

import errno
import json
import os

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
import safetensors.numpy

from symae import (
    Autoencoder,
    ConvolutionalAutoencoder,
    CoordinateVAE,
    DenoisingAutoencoder,
    ImageAutoencoder,
    InputError,
    LogisticRegression,
    MissingFileError,
    StridedAutoencoder,
    UnwritableError,
)
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
    with pytest.raises(InputError, match=r"its keys should be n_visible, n_hidden\), expected the configuration of"):
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


# Nothing is built before its shapes are known to fit


@pytest.mark.parametrize(
    "configuration",
    [
        {"n_visible": 6, "n_hidden": 8_000_000},
        {"n_visible": 6, "n_hidden": float("inf")},
        {"n_visible": 6, "n_hidden": 10**400},
        {"n_visible": 6, "n_hidden": "4"},
        {"n_visible": 6, "n_hidden": 4.0},
        {"n_visible": 6, "n_hidden": True},
        {"n_visible": 6, "n_hidden": None},
        {"n_visible": 6, "n_hidden": [4]},
        {"n_visible": 0, "n_hidden": 4},
    ],
)
def test_a_size_that_the_weights_do_not_have_builds_nothing(saved, monkeypatch, configuration):
    edited(saved, configuration=configuration)
    monkeypatch.setattr(Autoencoder, "from_configuration", None)
    with pytest.raises(InputError, match=r"expected W of shape|configuration of class Autoencoder") as caught:
        Autoencoder.load(saved)
    assert len(str(caught.value)) < 1500


@pytest.mark.parametrize("value", ["3", 3.0, True, 0, 2**31])
def test_sizes_are_integers_of_at_least_1(value):
    for build in (
        lambda: Autoencoder(1, n_visible=value, n_hidden=2),
        lambda: Autoencoder(1, n_visible=2, n_hidden=value),
        lambda: LogisticRegression(pt.matrix(), value, 2),
        lambda: LogisticRegression(pt.matrix(), 2, value),
    ):
        with pytest.raises(InputError, match="expected an integer"):
            build()


@pytest.mark.parametrize(
    "model",
    [
        Autoencoder(1, n_visible=3, n_hidden=2),
        DenoisingAutoencoder(1, n_visible=3, n_hidden=2),
        LogisticRegression(pt.matrix(), 3, 2),
        ImageAutoencoder(1, maps=2, pool=3, image_shape=(3, 9, 8)),
        ImageAutoencoder(1, maps=(2, 3, 4), pool=2, image_shape=(1, 9, 8)),
        ConvolutionalAutoencoder(1, maps=(2, 3), image_shape=(2, 8, 12)),
        ConvolutionalAutoencoder(1, maps=(4, 3, 2)),
        *(StridedAutoencoder(1, code=3, maps=(2, 3, 4), image_shape=(2, h, h + 3)) for h in range(9, 14)),
        CoordinateVAE(1, n_latent=3, image_shape=(1, 5, 4)),
        CoordinateVAE(1, n_latent=3, affine=True, image_shape=(1, 5, 4)),
    ],
    ids=lambda model: type(model).__name__,
)
def test_each_class_tells_the_shapes_of_its_parameters_without_building_them(model):
    shapes = {name: value.shape for name, value in model.parameters().items()}
    configuration = json.loads(json.dumps(model.configuration()))
    assert type(model).parameter_shapes(configuration) == shapes


# What has changed on the disk, or went wrong before


def test_a_flipped_bit_is_found_or_changes_nothing(saved, model):
    for path in (saved, saved.with_suffix(".json")):
        whole = path.read_bytes()
        for place in range(0, len(whole), 3):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            try:
                again = Autoencoder.load(saved)
            except InputError:
                continue
            for name, value in model.parameters().items():
                np.testing.assert_array_equal(again.parameters()[name], value)
        path.write_bytes(whole)


def test_a_model_without_checksums_of_an_older_symae_is_loaded(saved):
    description = saved.with_suffix(".json")
    described = json.loads(description.read_text())
    del described["sha256"]
    description.write_text(json.dumps(described))
    saved.write_bytes(safetensors.numpy.save(safetensors.numpy.load(saved.read_bytes())))
    assert Autoencoder.load(saved).n_hidden == 4


def test_weights_that_are_not_finite_are_named(saved):
    model = Autoencoder.load(saved)
    model.b.set_value([0, np.nan, 0, 0])
    model.save(saved)
    with pytest.warns(RuntimeWarning, match=r"model\.safetensors: NaN or infinite values in b$"):
        Autoencoder.load(saved)
