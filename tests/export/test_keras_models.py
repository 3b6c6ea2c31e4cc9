"""Models of symae as Keras models, saved, and loaded again."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytensor.tensor as pt
import pytest
from exported import MODELS, ends_of, examples, nodes_of, trained

from symae import BackendError, InputError, UnwritableError
from symae.export import export_keras
from symae.export.keras_model import _keras

try:
    keras = _keras()
except BackendError as error:
    pytest.skip(f"no Keras 3: {error}", allow_module_level=True)

# unpooling by positions is no layer of Keras, and its windows have to tile the images
REFUSED = {
    ("images, two layers", "encoder"): "positions of maxima",
    ("images, two layers", "decoder"): "Keras has no layer",
    ("images, windows that leave rows", "whole"): "positions of maxima",
    ("classifier", "decoder"): "draws nothing",
}
ROWS = [
    *((name, "whole") for name in MODELS),
    *((name, part) for name in ("k-sparse", "strided, odd", "coordinates, affine") for part in ("encoder", "decoder")),
]
# Keras, of its own arrays
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")


def channels_last(array):
    return np.moveaxis(array, 1, -1) if array.ndim == 4 else array


@pytest.mark.parametrize(("name", "part"), [row for row in ROWS if row not in REFUSED])
def test_the_loaded_model_computes_the_same(name, part, tmp_path):
    model = trained(name)
    X = examples(model)
    path = export_keras(model, tmp_path / "model.keras", part=part)
    loaded = keras.saving.load_model(path)
    given = [X]
    if part == "decoder":
        given = nodes_of(model, [layer.name for layer in loaded.inputs], X)
    arrays = [channels_last(a).astype("float32") for a in given]
    found = loaded(arrays if len(arrays) > 1 else arrays[0])
    found = found[0] if isinstance(found, list) else found
    (expected,) = nodes_of(model, [ends_of(model, part)], X)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(found), channels_last(expected), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("name", "part"), REFUSED)
def test_what_keras_has_no_layers_for_is_refused_in_a_line(name, part, tmp_path):
    with pytest.raises(InputError, match=REFUSED[name, part]):
        export_keras(trained(name), tmp_path / "model.keras", part=part)
    assert not list(tmp_path.iterdir())


def test_layers_have_the_names_of_the_nodes_and_their_activations(tmp_path):
    layers = keras.saving.load_model(export_keras(trained("convolutional"), tmp_path / "model.keras")).layers
    assert [layer.name for layer in layers][1:5] == ["conv1", "pool1", "conv2", "pool2"]
    assert layers[1].activation is keras.activations.relu
    assert layers[-1].activation is keras.activations.sigmoid


def test_it_loads_without_symae(tmp_path):
    path = export_keras(trained("strided"), tmp_path / "model.keras")
    check = "import sys, keras; m = keras.saving.load_model(sys.argv[1]); print(m.output_shape, 'pytensor' in sys.modules)"
    environment = {**os.environ, "KERAS_BACKEND": keras.config.backend()}
    done = subprocess.run([sys.executable, "-c", check, str(path)], capture_output=True, text=True, env=environment)
    assert done.stdout.splitlines()[-1] == "(None, 28, 28, 1) False", done.stderr


@pytest.mark.parametrize("path", ["model.h5", "no_folder/model.keras"])
def test_a_path_that_does_not_do_is_refused_and_nothing_written(path, tmp_path):
    with pytest.raises(UnwritableError):
        export_keras(trained("autoencoder"), tmp_path / path)
    assert not list(tmp_path.iterdir())


def test_sizes_that_are_free_beside_the_first_are_refused(tmp_path):
    with pytest.raises(InputError, match="only the first size free, for Keras"):
        export_keras(pt.matrix("x") * 2, tmp_path / "model.keras")


def test_without_keras_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(BackendError, match=r'found no keras, expected it installed: pip install "symae\[keras\]"'):
        export_keras(trained("autoencoder"), tmp_path / "model.keras")
