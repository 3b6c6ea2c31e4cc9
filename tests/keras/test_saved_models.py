"""Keras-style models as files: what is saved is what is loaded, and nothing else is."""

from __future__ import annotations

import json
import random
import shutil

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from symae import InputError, MissingFileError, RandomStreams, nn
from symae.keras import Input, Model, load_model
from symae.keras.graph import LAYERS
from symae.models.base import Model as SymaeModel

IMAGES = np.random.RandomState(0).rand(6, 1, 8, 8)


def every_layer():
    """Return a model that has one of each layer, and operations between them."""
    params, streams = nn.Parameters(0), RandomStreams(0)
    x, more = Input((1, 8, 8)), Input(3, name="more")
    h = nn.conv(params, "conv", x, 4, (3, 3), activation="relu", border_mode="same")
    h = nn.max_pool("pool", nn.batch_norm(params, "norm", h, momentum=0.2), 2)
    h = nn.dropout("drop", nn.flatten("flat", h), 0.25, streams)
    code = nn.dense(params, "code", pt.concatenate([h, more * 2], axis=1), 16, activation="tanh")
    code = pt.exp(-code) + code**2
    code.name = "bent"
    h = nn.upsample("up", nn.reshape("maps", code, (1, 4, 4)), (1, 1))
    drawn = nn.deconv(params, "deconv", h, 1, 3, subsample=2, output_shape=(8, 8), activation="sigmoid")
    seen = nn.dense(params, "seen", code.dimshuffle(0, 1), 2, activation="softmax")
    return Model([x, more], [drawn, seen])


MORE = np.random.RandomState(1).rand(6, 3)
TARGETS = [IMAGES, np.eye(2)[[0, 1, 0, 1, 1, 0]]]


@pytest.fixture
def saved(tmp_path):
    """Return a trained model of all layers, and where it is saved."""
    model = every_layer()
    model.compile("adamw", loss="mse", metrics=["binary_crossentropy"])
    model.fit([IMAGES, MORE], TARGETS, batch_size=3, epochs=2, verbose=0)
    model.save(tmp_path / "model")
    return model, tmp_path / "model"


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """Return where a model of all layers is saved as it was made."""
    path = tmp_path_factory.mktemp("untrained") / "model"
    model = every_layer()
    model.compile("sgd", loss="mse")
    model.save(path)
    return path


@pytest.fixture
def path(untrained, tmp_path):
    """Return a copy of it, to be changed."""
    for suffix in (".json", ".safetensors"):
        shutil.copy(untrained.with_suffix(suffix), tmp_path)
    return tmp_path / "model"


def rewritten(path, change):
    """Write the description at `path` again, as `change` leaves it, without its checksum."""
    file = path.with_suffix(".json")
    described = json.loads(file.read_text())
    change(described["configuration"])
    del described["sha256"]
    file.write_text(json.dumps(described))


def test_a_loaded_model_is_the_one_that_was_saved(saved):
    model, path = saved
    loaded = load_model(path)
    lines, same = [], []
    model.summary(print_fn=lines.append)
    loaded.summary(print_fn=same.append)
    assert same == lines
    for mine, theirs in zip(loaded.predict([IMAGES, MORE]), model.predict([IMAGES, MORE]), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert loaded.evaluate([IMAGES, MORE], TARGETS) == model.evaluate([IMAGES, MORE], TARGETS)
    assert [v.name for v in loaded.weights] == [v.name for v in model.weights]
    loaded.fit([IMAGES, MORE], TARGETS, verbose=0)
    assert any((mine != theirs).any() for mine, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True))


@pytest.mark.parametrize(("saved_in", "loaded_in"), [("float64", "float32"), ("float32", "float64")])
def test_what_floatX_is_in_the_process_that_loads_a_model_changes_nothing(saved_in, loaded_in, tmp_path):
    values, targets = IMAGES[:, 0, :3, 0], np.eye(4)[[0, 1, 2, 3, 0, 1]]

    def learned(model):
        model.fit(values, targets, batch_size=3, epochs=1, verbose=0)
        return model.get_weights()

    with pytensor.config.change_flags(floatX=saved_in):
        params, x = nn.Parameters(0), Input(3)
        h = nn.conv(params, "conv", nn.reshape("row", x, (1, 1, 3)), 2, 1, activation="relu")
        h = nn.flatten("flat", nn.batch_norm(params, "norm", nn.deconv(params, "deconv", h, 2, 1)))
        model = Model(x, nn.dense(params, "drawn", h, 4, activation="sigmoid"))
        model.compile("sgd", loss="mse")
        learned(model)
        model.save(tmp_path / "model")
        drawn, before = model.predict(values), model.get_weights()
        after = learned(Model.load(tmp_path / "model"))
    with pytensor.config.change_flags(floatX=loaded_in):
        loaded = Model.load(tmp_path / "model")
        np.testing.assert_array_equal(loaded.predict(values), drawn, strict=True)
        for mine, theirs in zip(loaded.get_weights(), before, strict=True):
            np.testing.assert_array_equal(mine, theirs, strict=True)
        for mine, theirs in zip(learned(loaded), after, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-7)
            assert mine.dtype == theirs.dtype == saved_in


def test_every_layer_can_be_saved_and_saved_again(path, tmp_path):
    described = json.loads(path.with_suffix(".json").read_text())["configuration"]
    assert {node["layer"] for node in described["graph"]["nodes"] if "layer" in node} == LAYERS.keys()
    Model.load(path).save(tmp_path / "again")
    assert json.loads((tmp_path / "again.json").read_text())["configuration"] == described


def test_functions_in_compile_are_not_kept_and_one_input_stays_one(tmp_path):
    x = Input(4)
    model = Model(x, nn.dense(nn.Parameters(0), "code", x, 2))
    model.compile(lambda cost, params: [], loss="mse")
    loaded = Model.load(model.save(tmp_path / "m.keras"))
    assert loaded.predict(np.ones((2, 4))).shape == (2, 2)
    with pytest.raises(InputError, match="model: found no loss, expected compile"):
        loaded.evaluate(np.ones((2, 4)), np.ones((2, 2)))


def test_weights_can_be_taken_out_of_a_saved_model(path):
    other = every_layer()
    other.set_weights([w + 1 for w in other.get_weights()])
    other.load_weights(path)
    for mine, theirs in zip(other.get_weights(), every_layer().get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


# what is refused


def strange(x):
    return x * 2


def of(make):
    params, x = nn.Parameters(0), Input(4)
    return Model(x, nn.dense(params, "drawn", make(nn.dense(params, "code", x, 3), x), 4))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: of(lambda code, x: pt.sort(code)),
            "save: found Sort.* between the layers, expected layers of symae.nn, joined by",
        ),
        (
            lambda: of(lambda code, x: code * pytensor.shared(np.ones(3), name="s")),
            "save: found s, a variable that is no layer's",
        ),
        (lambda: of(lambda code, x: code[:, ::-1]), "save: found .*Subtensor.* between the layers"),
        (lambda: of(lambda code, x: code * pt.constant(np.ones((5000, 3)))[:1]), "save: found a constant of 15000 numbers"),
        (
            lambda: of(lambda code, x: nn.dense(nn.Parameters(0), "own", x, 3, activation=strange)),
            "own: activation: found the function strange, expected one of linear, relu",
        ),
    ],
)
def test_what_has_no_description_is_named(build, message, tmp_path):
    with pytest.raises(InputError, match=message):
        build().save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["graph"]["nodes"][0].update(layer="eval"),
        lambda c: c["graph"]["nodes"][0].update(layer="Parameters"),
        lambda c: c["graph"]["nodes"][0].update(name="../other"),
        lambda c: c["graph"]["nodes"][0].update(name="a\nb"),
        lambda c: c["graph"]["nodes"][0].update(input=99),
        lambda c: c["graph"]["nodes"][0].update(input=True),
        lambda c: c["graph"]["nodes"][0]["arguments"].update(maps=10**12),
        lambda c: c["graph"]["nodes"][0]["arguments"].update(maps="4"),
        lambda c: c["graph"]["nodes"][0]["arguments"].update(activation="__import__"),
        lambda c: c["graph"]["nodes"][0]["arguments"].update(activation=["relu"]),
        lambda c: c["graph"]["nodes"][0]["arguments"].update(W="os.system"),
        lambda c: c["graph"]["nodes"][0]["arguments"].pop("kernel"),
        lambda c: c["graph"]["nodes"].append({"operation": "eval", "inputs": [0]}),
        lambda c: c["graph"]["nodes"].append({"operation": ["add"], "inputs": [0]}),
        lambda c: c["graph"]["nodes"].append({"constant": [[1], [1, 2]], "dtype": "float64"}),
        lambda c: c["graph"]["nodes"].append({"constant": [1], "dtype": "object"}),
        lambda c: c["graph"]["nodes"].append(3),
        lambda c: c["graph"]["nodes"].append({}),
        lambda c: c["graph"]["inputs"][0].update(shape=[1, 0, 8]),
        lambda c: c["graph"]["inputs"][0].update(dtype="complex128"),
        lambda c: c["graph"]["inputs"].pop(),
        lambda c: c["graph"].update(outputs=[]),
        lambda c: c["graph"].update(outputs=[0.5]),
        lambda c: c["graph"].pop("nodes"),
        lambda c: c.update(graph=None),
        lambda c: c.update(one=[True, True]),
        lambda c: c.update(one=1),
        lambda c: c.update(compile={"optimizer": "lion", "loss": "mse", "metrics": []}),
        lambda c: c.update(compile={"optimizer": 1}),
    ],
)
def test_a_description_that_is_none_is_refused_in_one_line(path, change):
    rewritten(path, change)
    with pytest.raises(InputError) as refused:
        Model.load(path)
    assert "\n" not in str(refused.value)
    assert "model" in str(refused.value)


def test_random_changes_are_refused_or_make_a_model(path):
    """Change one value at a time, to others that JSON has."""
    file = path.with_suffix(".json")
    described = json.loads(file.read_text())
    del described["sha256"]
    described["configuration"]["compile"] = None  # takes most of the time
    whole = json.dumps(described["configuration"])
    rng, refused = random.Random(0), 0
    for _ in range(80):
        described["configuration"] = configuration = json.loads(whole)
        places = list(leaves(configuration))
        where, key = rng.choice(places)
        where[key] = rng.choice([0, -1, 3, 2**40, 0.5, "x", "relu", "", None, True, [], {}, [1, 2], float("nan")])
        file.write_text(json.dumps(described))
        try:
            Model.load(path)
        except InputError:
            refused += 1
    assert refused > 30


def leaves(value):
    """Yield each place in lists and dictionaries of `value`."""
    for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(entry, dict | list):
            yield from leaves(entry)


def test_weights_alone_and_other_models_are_no_models_to_load(tmp_path):
    model = of(lambda code, x: code)
    model.save_weights(tmp_path / "weights")
    with pytest.raises(
        InputError, match="weights: found what save_weights wrote, weights without layers, expected a Keras-style"
    ):
        Model.load(tmp_path / "weights")
    with pytest.raises(MissingFileError):
        load_model(tmp_path / "nothing")
    model.save(tmp_path / "whole")
    with pytest.raises(InputError, match=r"found a saved keras.Model, expected .*symae.keras.load_model reads"):
        SymaeModel.load(tmp_path / "whole")


def test_parameters_of_another_shape_are_refused(path, tmp_path):
    of(lambda code, x: code).save(tmp_path / "small")
    path.with_suffix(".safetensors").write_bytes((tmp_path / "small.safetensors").read_bytes())
    with pytest.raises(InputError, match=r"model.safetensors: found .*, as model.json says"):
        Model.load(path)
