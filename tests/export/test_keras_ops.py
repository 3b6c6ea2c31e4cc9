"""Keras models compute what PyTensor does: each row of the table, and images beside arrays of fewer axes."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from op_cases import CASES, RNG, VALUES, arrays_of, check, in_stages, inputs_of, outputs_of

from symae import BackendError, InputError, function
from symae.export import to_keras
from symae.export.conversion import retyped
from symae.export.keras_model import _keras
from symae.ops import conv2d

try:
    keras = _keras()
except BackendError as error:
    pytest.skip(f"no Keras 3: {error}", allow_module_level=True)

# Keras, of its own arrays
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")

REFUSED = {
    "either of two": "examples that are chosen",
    "stacks of products": "Transpose of images",
    "reductions": "sizes that depend on the input",
    "shapes": "examples that are chosen",
    "a vector beside a matrix": "examples that are chosen",
    "ranges": "sizes that depend on the input",
    "entries by two vectors": "sizes that depend on the input",
    "adding at repeated rows": "sizes that depend on the input",
    "repeated rows": "an array that is spread out",
    "setting": "examples that are chosen",
    "setting a column": "ScatterElements",
    "slices": "examples that are chosen, joined or added by their places",
    "backwards": "examples that are chosen",
    "backwards from and to a place": "examples that are chosen",
    "backwards from a symbolic place": "a slice whose ends depend on the input",
    "slices of symbolic lengths": "a slice whose ends depend on the input",
    "sorted, and in which order": "a sort along another than the last axis",
    "sorting": "a sort along another than the last axis",
    "numbers": "examples that are chosen",
    "rows by a vector": "indices that depend on the input",
    "columns by a vector": "indices that depend on the input",
    "a mask": "NonZero",
    "max pooling, overlapping borders": "maxima of images in a frame of other than Keras's size",
    "maxima and switches": "positions of maxima",
    "switches": "positions of maxima",
    "switches with padding": "positions of maxima",
    "unpooling with rows over": "positions of maxima",
    "unpooling of windows that overlap": "positions of maxima",
    "unpooling by switches": "positions of maxima",
    "neighbourhoods": "Pad",
    "neighbourhoods at borders": "Pad",
}


def with_sizes(name):
    """Return a row's inputs and outputs, where sizes of inputs are known but for the first, as Keras wants them."""
    inputs = inputs_of(name)
    known = {w: pt.tensor(w.name, dtype=w.type.dtype, shape=(None, *VALUES[w].shape[1:])) for w in inputs}
    become = retyped(known, outputs_of(name))
    return [known[w] for w in inputs], [become.get(v, v) for v in outputs_of(name)]


def computed(model, *arrays):
    """Return a model's outputs, of images with their channels first."""
    given = [np.moveaxis(a, 1, -1) if a.ndim == 4 else a for a in arrays]
    found = model(given if len(given) > 1 else given[0])
    found = map(keras.ops.convert_to_numpy, found if isinstance(found, list | tuple) else [found])
    return [np.moveaxis(a, -1, 1) if a.ndim == 4 else a for a in found]


@pytest.mark.parametrize("name", in_stages(name for name in CASES if name not in REFUSED))
def test_keras_computes_the_same(name):
    inputs, outputs = with_sizes(name)
    check(name, computed(to_keras(outputs, inputs=inputs), *arrays_of(name)))


@pytest.mark.parametrize("name", in_stages(REFUSED))
def test_what_keras_lacks_is_refused_in_a_line(name):
    inputs, outputs = with_sizes(name)
    with pytest.raises(InputError, match=REFUSED[name]) as refusal:
        to_keras(outputs, inputs=inputs)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "expression",
    [
        lambda x: x[:2],
        lambda x: x[1],
        lambda x: x[:, 0].take([0, 2]),
        lambda x: pt.concatenate([x, x], axis=0),
        lambda x: pt.split(x, [1, 2], n_splits=2, axis=0)[1],
        lambda x: pt.cumsum(x, axis=0),
    ],
    ids=["slice", "number", "indices", "concatenate", "split", "cumsum"],
)
def test_examples_are_not_told_apart_by_places_that_predict_counts_anew_in_each_minibatch(expression):
    x = pt.tensor("x", dtype="float32", shape=(None, 3))
    with pytest.raises(InputError, match="found examples that are chosen, joined or added by their places"):
        to_keras(expression(x), inputs=[x])


def test_what_is_computed_within_each_example_is_the_same_over_several_minibatches():
    x = pt.tensor("x", dtype="float32", shape=(None, 3))
    rows = RNG.rand(40, 3).astype("float32")
    found = to_keras(pt.concatenate([x[:, ::-1], pt.cumsum(x, axis=1), x[:, 1:2]], axis=1), inputs=[x]).predict(rows, verbose=0)
    np.testing.assert_allclose(found, np.hstack([rows[:, ::-1], rows.cumsum(1), rows[:, 1:2]]), rtol=1e-6)


# as many channels as columns, and as rows: no error tells where axes are confused
square = pt.tensor("square", dtype="float32", shape=(None, 3, 3, 3))
gate = pt.sigmoid(square.sum(axis=(2, 3)))
BESIDE_IMAGES = {
    "a row": square * pt.constant(np.arange(3, dtype="float32")),
    "an image": square - pytensor.shared(RNG.rand(3, 3).astype("float32"), name="mean"),
    "an image of channels": square / pt.constant(1 + RNG.rand(3, 3, 3).astype("float32")),
    "a number for each channel": square * gate.dimshuffle(0, 1, "x", "x"),
    "what is computed of it": square + square.sum(axis=1).dimshuffle(0, "x", 1, 2),
    "parts of images": square[:, 1:, ::-1, ::2],
    "channels beside channels": pt.concatenate([square[:, :1], square * 2, square[:, ::-2]], axis=1),
    "rows split and put together": pt.concatenate(pt.split(square, [1, 2], n_splits=2, axis=2)[::-1], axis=2),
    "sums along rows": pt.cumsum(square, axis=2),
    "sums of columns": square - square.sum(axis=(0, 1, 2)),
}


@pytest.mark.parametrize("name", BESIDE_IMAGES)
def test_what_stands_beside_images_is_turned_as_they_are(name):
    images = RNG.rand(2, 3, 3, 3).astype("float32")
    expected = function([square], BESIDE_IMAGES[name], mode="FAST_COMPILE")(images)
    np.testing.assert_allclose(computed(to_keras(BESIDE_IMAGES[name]), images)[0], expected, rtol=1e-5, atol=1e-6)


def test_pieces_of_arrays_are_saved_as_keras_saves_them(tmp_path):
    name = "slices within examples"
    inputs, outputs = with_sizes(name)
    to_keras(outputs, inputs=inputs).save(tmp_path / "model.keras")
    check(name, computed(keras.saving.load_model(tmp_path / "model.keras"), *arrays_of(name)))


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (pt.matmul(square, pytensor.shared(np.eye(3, dtype="float32"), name="W")), "MatMul of images"),
        (pt.matmul(square, square), "MatMul of images"),
        (square.sum(axis=(0, 2)), r"images that are reduced along axes \[0, 2\] alone"),
        (
            conv2d(
                square,
                pytensor.shared(np.ones((1, 3, 2, 2), "float32"), name="F"),
                subsample=2,
                dilation=(2, 2),
                filter_flip=False,
            ),
            r"output/Conv: found what Keras refuses: .*`strides > 1` not supported in conjunction with `dilation_rate > 1`",
        ),
    ],
)
def test_what_keras_cannot_do_with_images_is_refused_with_the_nodes_name(expression, message):
    with pytest.raises(InputError, match=message) as refusal:
        to_keras(expression)
    assert "\n" not in str(refusal.value)
