"""Any graph is looked at like a model: expressions by name, and Keras-style models."""

from __future__ import annotations

import json
import re

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

import symae
from symae import keras, nn, ops
from symae.errors import InputError
from symae.inspector.api.routes import Answers
from symae.inspector.opened_model import OpenedModel


def shared(shape, name, seed=0):
    return pytensor.shared(np.random.RandomState(seed).standard_normal(shape) / 10, name=name)


@pytest.fixture
def images():
    return np.random.RandomState(1).rand(12, 6, 8)


@pytest.fixture
def expressions():
    """Make a user's own autoencoder of images of 6 x 8 pixels, with tied weights."""
    x, W, b = pt.matrix("x"), shared((48, 5), "W"), shared(5, "b")
    hidden = pt.sigmoid(x @ W + b)
    return {"hidden": hidden, "drawn": pt.sigmoid(hidden @ W.T), "cost": pt.mean((hidden @ W.T - x) ** 2)}


def test_weights_code_and_drawing_are_found_in_expressions(expressions, images):
    inspection = symae.inspect(expressions, images)
    W, b = (inspection.model.parameters()[name] for name in ("W", "b"))
    np.testing.assert_allclose(inspection.filters("W").pictures, W.T.reshape(5, 6, 8), rtol=1e-6)
    hidden = 1 / (1 + np.exp(-(images.reshape(12, 48) @ W + b)))
    np.testing.assert_allclose(inspection.latent.codes, hidden, rtol=1e-5)
    np.testing.assert_allclose(inspection.activity("W").mean, hidden.mean(axis=0), rtol=1e-5)
    found = inspection.reconstruct(3)
    np.testing.assert_allclose(found.output.reshape(-1), 1 / (1 + np.exp(-(hidden[3] @ W.T))), rtol=1e-5)
    best = inspection.best_input("W", 2, 1.0)
    np.testing.assert_allclose(best.input, W[:, 2] / np.linalg.norm(W[:, 2]), rtol=1e-6)
    assert "cost" not in inspection.nodes  # a number for all images together is in the graph only
    assert inspection.graphs.names == ["all", "cost", "drawn", "hidden"]


def test_units_that_do_not_rise_with_the_product_are_climbed_to(images):
    x, W = pt.matrix("x"), shared((48, 3), "W")
    inspection = symae.inspect({"waves": pt.sin(5 * (x @ W))}, images)
    best = inspection.best_input("W", 1, 2.0)
    assert best.how.startswith("gradient ascent")
    assert best.value > 0.99


def test_layers_on_something_else_than_pixels_are_no_first_layers(images):
    x, V = pt.matrix("x"), shared((48, 4), "V")
    params = nn.Parameters(np.random.RandomState(0))
    first = pt.specify_shape(pt.tanh(x @ V), (None, 4))
    inspection = symae.inspect({"first": first, "second": nn.dense(params, "second", first, 3)}, images)
    assert {name: layer.sees_pixels for name, layer in inspection.layers.items()} == {"second_W": False, "V": True}


def test_weights_with_a_row_for_each_unit_are_read_by_rows(images):
    x, W = pt.matrix("x"), shared((7, 48), "W")
    inspection = symae.inspect({"hidden": pt.tanh(x @ W.T)}, images)
    np.testing.assert_allclose(inspection.filters("W").pictures, inspection.model.parameters()["W"].reshape(7, 6, 8), rtol=1e-6)


def test_coloured_maps_go_through_a_convolution():
    x, W = pt.tensor4("x"), shared((4, 3, 3, 3), "W")
    colours = np.random.RandomState(0).rand(6, 3, 10, 9)
    inspection = symae.inspect({"maps": ops.conv2d(x, W)}, colours)
    assert inspection.filters("W").pictures.shape == (4, 3, 3, 3)
    assert inspection.node_values(inspection.image(0))["maps"].shape == (4, 8, 7)
    assert inspection.codes("maps").values.shape == (6, 4 * 8 * 7)


def test_other_inputs_are_held_at_a_value(images):
    x, level, mask = pt.matrix("x"), pt.scalar("level"), pt.matrix("mask")
    graph = {"out": x * mask + level}
    with pytest.raises(InputError, match=r"several free variables, (\w+, )+\w+, expected values of all but one"):
        symae.inspect(graph, images)
    found = symae.inspect(graph, images, inputs={level: 0.25, mask: np.arange(48) % 2})
    np.testing.assert_allclose(
        found.node_values(found.image(2))["out"], images[2].reshape(-1) * (np.arange(48) % 2) + 0.25, rtol=1e-6
    )
    with pytest.raises(InputError, match=r"inputs, mask: found shape \(3, 48\), expected one example's value"):
        symae.inspect(graph, images, inputs={level: 0.25, mask: np.zeros((3, 48))})


def test_an_expression_can_be_the_input(expressions):
    hidden = expressions["hidden"]
    decoder = symae.inspect({"drawn": expressions["drawn"]}, np.random.RandomState(0).rand(4, 5), inputs=hidden)
    assert decoder.model.example_shape == (5,)
    assert decoder.node_values(np.zeros(5))["drawn"] == pytest.approx(np.full(48, 0.5))


def test_values_beyond_0_and_1_are_drawn_from_the_least_to_the_largest(expressions):
    signals = np.random.RandomState(0).standard_normal((9, 48))
    inspection = symae.inspect(expressions, signals)
    assert inspection.limits == (pytest.approx(signals.min(), rel=1e-6), pytest.approx(signals.max(), rel=1e-6))
    damaged = inspection.reconstruct(1, "noise", 1.0).corrupted
    assert signals.min() - 1e-6 <= damaged.min() < -1


@pytest.fixture
def model():
    params = nn.Parameters(np.random.RandomState(0))
    x = keras.Input((3, 8, 8))
    code = nn.max_pool("code", nn.conv(params, "conv1", x, 4, 3, activation="relu"), 4)
    return keras.Model(x, nn.conv(params, "drawn", nn.upsample("up", code, 4), 3, 3, activation="sigmoid"))


def test_a_keras_style_model_is_looked_at_layer_by_layer(model):
    images = np.random.RandomState(0).rand(10, 3, 8, 8)
    inspection = symae.inspect(model, images)
    assert list(inspection.nodes) == ["x", "conv1", "code", "up", "drawn"]
    assert list(inspection.layers) == ["conv1_W", "drawn_W"]
    assert inspection.described.drawn_from == ("code", "drawn")
    np.testing.assert_allclose(inspection.reconstruct(4).output, np.moveaxis(model.predict(images)[4], 0, 2), rtol=1e-4)
    assert inspection.filters("conv1_W").pictures.shape == (4, 3, 3, 3)
    drawn = inspection.latent.draw(inspection.latent.codes[4])
    np.testing.assert_allclose(drawn, inspection.reconstruct(4).output, rtol=1e-4)


def test_drawing_and_measuring_a_keras_style_models_training_step_trains_nothing(model):
    model.compile("adam", "mse")
    inspection = symae.inspect(model, np.random.RandomState(0).rand(10, 3, 8, 8))
    before = model.parameters()
    assert "training step" in inspection.graphs.names
    graph = inspection.graph("training step", "after", backend="numba", profile=True)
    assert any(node.seconds for node in graph.nodes)
    for name, value in model.parameters().items():
        np.testing.assert_array_equal(value, before[name])


def test_lines_of_a_graph_have_measured_shapes_and_dtypes(expressions, images):
    inspection = symae.inspect(expressions, images)
    for stage in ("before", "after"):
        labels = {label for node in inspection.graph("drawn", stage).nodes for label in node.arrays}
        assert {"n × 48 f64", "48 × 5 f64", "n × 5 f64"} <= labels
    assert 'class="array"' in inspection.graph("drawn").svg()


def test_the_page_hides_tabs_that_have_nothing_to_show(expressions, images):
    tabs = {}
    for name, inspection in {
        "all": symae.inspect(expressions, images),
        "classifier": symae.inspect({"hidden": expressions["hidden"]}, images),
        "blind": symae.inspect({"hidden": expressions["hidden"]}),
        "no weights": symae.inspect({"twice": 2 * pt.matrix("x")}, images),
    }.items():
        about = json.loads(Answers([OpenedModel(inspection)]).get("0/model/model", {})[1])
        tabs[name] = about["tabs"]
    assert tabs["all"] == ["filters", "reconstructions", "preferred", "latent", "graph"]
    assert tabs["classifier"] == ["filters", "preferred", "latent", "graph"]
    assert tabs["blind"] == ["filters", "preferred", "graph"]
    assert "training" not in tabs["no weights"]


def test_names_with_slashes_are_found_by_the_page_and_in_its_file(images, tmp_path):
    x, W = pt.matrix("x"), shared((48, 2), "enc/W?")
    inspection = symae.inspect({"enc/out": pt.tanh(x @ W)}, images)
    answers = Answers([OpenedModel(inspection)])
    assert json.loads(answers.get("0/model/filters/enc%2FW%3F", {})[1])["count"] == 2
    inspection.export(tmp_path / "page.html")
    kept = json.loads(re.search('id="exported">(.*?)</script>', (tmp_path / "page.html").read_text(), re.DOTALL).group(1))
    assert kept["0/model/filters/enc%2FW%3F"]["count"] == 2
    assert [path for path, value in kept.items() if isinstance(value, dict) and "refused" in value] == []


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: {}, "expressions: found none"),
        (lambda: {"a": 3}, "expressions, a: found a int, expected a symbolic array"),
        (lambda: {3: pt.matrix()}, "expressions: found the name 3, expected texts"),
        (lambda: {"w": shared((2, 2), "w") * 2}, "inputs: found no free variable in the graph"),
        (lambda: {"v": 2 * pt.vector("v")}, "inputs: found v of 1 dimensions"),
        (lambda: {"x": 2 * pt.matrix("x")}, "names: found an expression called x, as the input is"),
        (lambda: {"y": pt.matrix("x") @ shared((3, 2), "W")}, r"graph, for examples of shape \(48,\): found "),
        (lambda: object(), "model: found a object, expected a model, expressions by name"),
    ],
)
def test_what_is_no_graph_is_refused_in_one_line(make, words, images):
    with pytest.raises(InputError, match=words) as refused:
        symae.inspect(make(), images)
    assert "\n" not in str(refused.value)
