"""Images of other libraries that have their channels last, where they become rows and where they are made of rows."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from symae import InputError, RandomStreams, nn
from symae.keras import Input, Model
from symae.models import Model as OwnModel
from symae.models import load_weights
from symae.models.foreign.layouts import several
from symae.models.foreign.slots import slots_of

rng = np.random.RandomState(0)
IMAGES, ROWS = rng.normal(size=(4, 2, 3, 2)), rng.normal(size=(4, 5))
W, b = rng.normal(size=(12, 5)), rng.normal(size=5)
V, c = rng.normal(size=(5, 12)), rng.normal(size=12)
GAMMA, BETA, MEAN, VARIANCE = *rng.normal(size=(3, 12)), rng.uniform(1, 2, size=12)
# as Chainer would call them; its matrices are (out, in)
BEHIND = {"code/W": W.T, "code/b": b}
BEFORE = {"code/W": V.T, "code/b": c}
NORMAL = {"bn/gamma": GAMMA, "bn/beta": BETA, "bn/avg_mean": MEAN, "bn/avg_var": VARIANCE}


def rows_of(images):
    """Flatten images as a library does that has their channels last."""
    return images.transpose(0, 2, 3, 1).reshape(len(images), -1)


def images_of(rows):
    return rows.reshape(-1, 3, 2, 2).transpose(0, 3, 1, 2)


def normalised(rows):
    return GAMMA * (rows - MEAN) / np.sqrt(VARIANCE + 1e-5) + BETA


def softmax(rows):
    powers = np.exp(rows)
    return powers / powers.sum(axis=1, keepdims=True)


def dropped(x):
    return nn.dropout("d", x, 0.5, RandomStreams(1))


NETWORKS = {
    "flatten, dense": (
        lambda p, x: nn.dense(p, "code", nn.flatten("f", x), 5),
        BEHIND,
        lambda x: rows_of(x) @ W + b,
    ),
    "flatten, dropout, dense": (
        lambda p, x: nn.dense(p, "code", dropped(nn.flatten("f", x)), 5),
        BEHIND,
        lambda x: rows_of(x) @ W + b,
    ),
    "flatten, normalisation, dense": (
        lambda p, x: nn.dense(p, "code", nn.batch_norm(p, "bn", nn.flatten("f", x)), 5),
        BEHIND | NORMAL,
        lambda x: normalised(rows_of(x)) @ W + b,
    ),
    "flatten, concatenation, dense": (
        lambda p, x: nn.dense(p, "code", pt.concatenate([x[:, 0, 0, :1], nn.flatten("f", x), nn.flatten("g", x)], axis=1), 5),
        {"code/W": np.concatenate([V[:1, :5], W, 2 * W]).T, "code/b": b},
        lambda x: x[:, 0, 0, :1] @ V[:1, :5] + 3 * rows_of(x) @ W + b,
    ),
    "dense, reshape": (
        lambda p, x: nn.reshape("r", nn.dense(p, "code", x, 12), (2, 3, 2)),
        BEFORE,
        lambda x: images_of(x @ V + c),
    ),
    "dense, dropout, reshape": (
        lambda p, x: nn.reshape("r", dropped(nn.dense(p, "code", x, 12)), (2, 3, 2)),
        BEFORE,
        lambda x: images_of(x @ V + c),
    ),
    "dense, normalisation, reshape": (
        lambda p, x: nn.reshape("r", nn.batch_norm(p, "bn", nn.dense(p, "code", x, 12)), (2, 3, 2)),
        BEFORE | NORMAL,
        lambda x: images_of(normalised(x @ V + c)),
    ),
    "flatten, softmax, dense": (
        lambda p, x: nn.dense(p, "code", nn.softmax(nn.flatten("f", x)), 5),
        BEHIND,
        lambda x: softmax(rows_of(x)) @ W + b,
    ),
    "reshape, reshape, dense": (
        lambda p, x: nn.dense(p, "code", nn.reshape("s", nn.reshape("r", x, (2, 6)), (12,)), 5),
        BEHIND,
        lambda x: rows_of(x) @ W + b,
    ),
    "flatten, concatenation, slice, dense": (
        lambda p, x: nn.dense(p, "code", pt.concatenate([x[:, 0, 0, :2], nn.flatten("f", x)], axis=1)[:, 1:], 5),
        {"code/W": np.concatenate([V[:1, :5], W]).T, "code/b": b},
        lambda x: x[:, 0, 0, 1:2] @ V[:1, :5] + rows_of(x) @ W + b,
    ),
    "dense, slice, reshape": (
        lambda p, x: nn.reshape("r", nn.dense(p, "code", x, 15)[:, 2:14], (2, 3, 2)),
        {"code/W": np.hstack([W[:5, :2], V, W[:5, :1]]).T, "code/b": np.concatenate([b[:2], c, b[:1]])},
        lambda x: images_of(x @ V + c),
    ),
    "dense, reshape, activation, reshape": (
        lambda p, x: nn.reshape("r", pt.tanh(nn.reshape("s", nn.dense(p, "code", x, 12), (2, 6))), (2, 3, 2)),
        BEFORE,
        lambda x: images_of(np.tanh(x @ V + c)),
    ),
    "channels put last, flatten, dense": (
        lambda p, x: nn.dense(p, "code", nn.flatten("f", pt.tanh(x.dimshuffle(0, 2, 3, 1))), 5),
        BEHIND,
        lambda x: np.tanh(rows_of(x)) @ W + b,
    ),
    "dense, reshape, channels put first": (
        lambda p, x: pt.tanh(nn.reshape("r", nn.dense(p, "code", x, 12), (3, 2, 2))).dimshuffle(0, 3, 1, 2),
        BEFORE,
        lambda x: images_of(np.tanh(x @ V + c)),
    ),
    "flatten, normalisation, reshape": (
        lambda p, x: nn.reshape("r", nn.batch_norm(p, "bn", nn.flatten("f", x)), (2, 3, 2)),
        NORMAL,
        lambda x: images_of(normalised(rows_of(x))),
    ),
}


@pytest.mark.parametrize("network", NETWORKS)
def test_layers_between_a_matrix_and_images_do_not_hide_how_they_lie(network, tmp_path, fast_compile):
    build, arrays, oracle = NETWORKS[network]
    params, x = nn.Parameters(0), ROWS if network.startswith("dense") else IMAGES
    images = Input(x.shape[1:])
    model = Model(images, build(params, images))
    np.savez(tmp_path / "net.npz", **arrays)
    load_weights(model, tmp_path / "net.npz", channels_last=True)
    np.testing.assert_allclose(model.predict(x), oracle(x), atol=1e-6)


MIXED = {
    "denses, concatenation, reshape": lambda p, x: nn.reshape(
        "r", pt.concatenate([nn.dense(p, "code", x[:, 0, 0], 5), nn.dense(p, "more", x[:, 0, 0], 7)], axis=1), (2, 3, 2)
    ),
    "a slice of images": lambda p, x: nn.dense(p, "code", nn.flatten("f", x)[:, :8], 5),
    "images backwards": lambda p, x: nn.dense(p, "code", nn.flatten("f", x)[:, ::-1], 5),
    "sorted numbers of images": lambda p, x: nn.dense(p, "code", pt.sort(nn.flatten("f", x)), 5),
    "rows and columns changed over": lambda p, x: nn.dense(p, "code", nn.flatten("f", x.dimshuffle(0, 1, 3, 2)), 5),
    "a dense backwards, reshape": lambda p, x: nn.reshape("r", nn.dense(p, "code", x[:, 0, 0], 12)[:, ::-1], (2, 3, 2)),
}


@pytest.mark.parametrize("network", MIXED)
def test_rows_whose_order_is_not_known_are_refused_if_the_file_has_its_channels_last(network, tmp_path):
    params, images = nn.Parameters(0), Input((2, 3, 2))
    model = Model(images, MIXED[network](params, images))
    arrays = {name.replace("_", "/"): value for name, value in model.parameters().items()}
    np.savez(tmp_path / "net.npz", **{name: value.T for name, value in arrays.items()})
    message = (
        r"net\.npz, (code|more)/W: found (rows|columns) of (code|more)_W whose order is not known here, of images "
        r"that are \(h, w, channels\) there, expected images of known sizes, "
        r".*, or channels_last=\{'(code|more)_W': False, \.\.\.\}"
    )
    with pytest.raises(InputError, match=message) as caught:
        load_weights(model, tmp_path / "net.npz", channels_last=True)
    assert "\n" not in str(caught.value)
    load_weights(model, tmp_path / "net.npz", channels_last=False)
    of_layers = [slot.name for slot in slots_of(model) if several(slot.rows) or several(slot.columns)]
    load_weights(model, tmp_path / "net.npz", channels_last=dict.fromkeys(of_layers, False))


@pytest.fixture
def fast_compile():
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        yield


class Own(OwnModel):
    """A model of one's own, of one matrix."""

    parameter_names = ("code_W",)

    def __init__(self, shape, multiplied, x=None):
        self.x = pt.tensor("x", dtype="float64", shape=(None, *(x or (2, 3, 2))))
        self.params = [pytensor.shared(np.zeros(shape), "code_W", shape=shape)]
        self.y = multiplied(self.x, self.params[0])

    @property
    def nodes(self):
        return {"y": self.y}


@pytest.mark.parametrize(
    ("shape", "multiplied"),
    [
        ((12, 5), lambda x, W: x.flatten(2) @ W),
        ((12, 5), lambda x, W: pt.dot(pt.specify_shape(x.flatten(2), (None, 12)), W)),
        ((12, 5), lambda x, W: pt.dot(pt.join_dims(x, 1, 3), W)),
        ((12, 5), lambda x, W: x.reshape((x.shape[0], -1)) @ W.astype("float32")),
        ((5, 12), lambda x, W: x.flatten(2) @ W.T),
    ],
    ids=["@", "specify_shape", "join_dims", "cast", "transposed"],
)
def test_however_a_product_is_written_its_rows_are_seen(shape, multiplied):
    (slot,) = slots_of(Own(shape, multiplied))
    assert (slot.rows, slot.columns) == ((((2, 3, 2),), None) if shape == (12, 5) else (None, ((2, 3, 2),)))


@pytest.mark.parametrize("split", [lambda y: y.reshape((-1, 2, 3, 2)), lambda y: pt.split_dims(y, (2, 3, 2), axis=1)])
def test_however_images_are_made_their_columns_are_seen(split):
    (slot,) = slots_of(Own((5, 12), lambda x, W: split(x @ W), (5,)))
    assert (slot.rows, slot.columns) == (None, ((2, 3, 2),))
    (slot,) = slots_of(Own((12, 5), lambda x, W: split(x @ W.T), (5,)))
    assert (slot.rows, slot.columns) == (((2, 3, 2),), None)


def test_a_matrix_of_pixels_that_the_model_is_shown_has_no_layout():
    (slot,) = slots_of(Own((12, 12), lambda x, W: pt.tanh(x @ W) @ W.T + x.reshape((-1, 2, 3, 2)).flatten(2), (12,)))
    assert slot.rows is None


@pytest.mark.parametrize(
    ("multiplied", "sizes"),
    [
        (lambda x, W: x.flatten(2) @ W, (2, None, None)),
        (
            lambda x, W: pt.concatenate([x[:, 0].flatten(2), x[:, 0].sum(axis=1)[:, : x.shape[0]], x.flatten(2)], axis=1) @ W,
            (2, 3, 2),
        ),
        (lambda x, W: x.flatten(2) @ (2 * W), (2, 3, 2)),
        (lambda x, W: (W.T @ x.flatten(2).T).T, (2, 3, 2)),
    ],
    ids=["images", "what lies beside them", "a matrix that is computed", "the product's transpose"],
)
def test_what_is_not_known_of_rows_is_known_not_to_be(multiplied, sizes):
    (slot,) = slots_of(Own((12, 5), multiplied, sizes))
    assert slot.rows == ()


@pytest.mark.parametrize(
    "multiplied",
    [
        lambda x, W: x.reshape((-1, 2, 6)).mean(axis=2) @ W,
        lambda x, W: x.mean(axis=(2, 3)) @ W,
        lambda x, W: x.reshape((-1, 2, 6)).dimshuffle(0, 2, 1).reshape((-1, 2)) @ W,
        lambda x, W: x.reshape((-1, 2, 6)).dimshuffle(0, 2, 1) @ W,
        lambda x, W: pt.concatenate([x.flatten(2).sum(axis=1, keepdims=True)] * 2, axis=1) @ W,
    ],
    ids=["means", "means of images", "pixels as rows", "pixels", "sums"],
)
def test_numbers_that_are_no_longer_of_several_channels_and_pixels_have_no_order(multiplied):
    (slot,) = slots_of(Own((2, 5), multiplied))
    assert slot.rows is None


@pytest.mark.parametrize(
    ("added", "columns"),
    [
        (lambda y, b: y + b.reshape((1, 12)), ((2, 3, 2),)),
        (lambda y, b: y + b[::-1], ()),
        (lambda y, b: y.reshape((-1, 2, 6)) + b[:2, None], None),
    ],
    ids=["as a matrix", "backwards", "of channels"],
)
def test_a_bias_lies_as_the_rows_that_it_is_added_to(added, columns):
    model = Own((12,), lambda x, b: added(x, b).reshape((-1, 2, 3, 2)), (12,))
    (slot,) = slots_of(model)
    assert slot.columns == columns


def test_a_tied_decoder_is_the_transpose_with_its_axes_changed_over(tmp_path):
    model = Own((12, 5), lambda x, W: x.flatten(2) @ W @ W.T)
    np.savez(tmp_path / "net.npz", **{"code/W": W.T, "decoder/W": W})
    load_weights(model, tmp_path / "net.npz", channels_last=True)
    np.testing.assert_allclose(IMAGES.reshape(4, -1) @ model.parameters()["code_W"], rows_of(IMAGES) @ W)
    np.savez(tmp_path / "net.npz", **{"code/W": W.T, "decoder/W": W[::-1]})
    with pytest.raises(InputError, match=r"decoder/W .* not the transpose of the array for code_W"):
        load_weights(model, tmp_path / "net.npz", channels_last=True)


def keras_file(path, layers, arrays):
    """Write a .keras: `layers` are (class, settings), `arrays` by their places in its HDF5."""
    h5py = pytest.importorskip("h5py")
    described = [{"class_name": cls, "config": settings} for cls, settings in layers]
    with h5py.File(path.with_suffix(".weights.h5"), "w") as file:
        for name, array in arrays.items():
            file[name] = array
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps({"config": {"layers": described}}))
        archive.write(path.with_suffix(".weights.h5"), "model.weights.h5")
    return path


def flattening(path, flatten):
    """Write a network with images that have their channels first."""
    layers = [
        ("MaxPooling2D", {"name": "pool", "data_format": "channels_first"}),
        ("Flatten", {"name": "flat", "data_format": flatten}),
        ("Dense", {"name": "code"}),
    ]
    return keras_file(path, layers, {"layers/dense/vars/0": W, "layers/dense/vars/1": b})


@pytest.mark.parametrize(("flatten", "last"), [("channels_first", True), ("channels_last", False)])
def test_a_keras_file_says_how_its_rows_lie_and_is_not_talked_out_of_it(flatten, last, tmp_path):
    """Keras's Flatten turns images that it is given as having channels first, and leaves others as they are."""
    params, x = nn.Parameters(0), Input((2, 3, 2))
    model, path = Model(x, nn.dense(params, "code", nn.flatten("f", x), 5)), flattening(tmp_path / "a.keras", flatten)
    for said in (None, False):
        load_weights(model, path, channels_last=said)
        rows = rows_of(IMAGES) if last else IMAGES.reshape(4, -1)
        np.testing.assert_allclose(IMAGES.reshape(4, -1) @ params["code_W"].get_value(), rows @ W)
    message = "channels_last: found True, expected None, as the file says of its layers: channels_first"
    with pytest.raises(InputError, match=message):
        load_weights(model, path, channels_last=True)


@pytest.fixture
def without_layouts(tmp_path):
    """Return a network with rows of images at both ends, and a .weights.h5, which does not say how images lie."""
    params, x = nn.Parameters(0), Input((2, 3, 2))
    code = nn.dense(params, "code", nn.flatten("f", x), 5)
    model = Model(x, nn.reshape("r", nn.dense(params, "drawn", code, 12), (2, 3, 2)))
    arrays = {"layers/dense/vars/0": W, "layers/dense/vars/1": b, "layers/dense_1/vars/0": V, "layers/dense_1/vars/1": c}
    keras_file(tmp_path / "a.keras", [], arrays)
    return model, tmp_path / "a.weights.h5"


def test_rows_of_a_keras_file_that_may_be_either_way_are_asked_for(without_layouts):
    model, path = without_layouts
    before = model.get_weights()
    message = (
        r"a\.weights\.h5, dense/kernel: found channels_last=False, which does not say how Flatten lays rows, "
        r"expected channels_last=\{'code_W': \.\.\., 'drawn_W': False\}, True for rows \(h, w, channels\), or a \.keras"
    )
    with pytest.raises(InputError, match=message) as caught:
        load_weights(model, path, channels_last=False)
    assert "\n" not in str(caught.value)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("rows", [True, False], ids=["Keras's setting for all layers", "layers given one by one"])
def test_rows_of_each_layer_are_as_they_are_told(rows, without_layouts, fast_compile):
    """Keras with channels_first for all layers flattens to (h, w, channels); given one by one, it leaves images as they are."""
    model, path = without_layouts
    load_weights(model, path, channels_last={"code_W": rows, "drawn_W": False})
    code = (rows_of(IMAGES) if rows else IMAGES.reshape(4, -1)) @ W + b
    np.testing.assert_allclose(model.predict(IMAGES), (code @ V + c).reshape(IMAGES.shape), atol=1e-6)


def test_layouts_of_layers_are_of_layers_that_have_one_and_of_all_of_them(without_layouts):
    model, path = without_layouts
    for given, message in (
        ({"code_W": True}, "channels_last: found nothing of drawn_W, drawn_b, expected a bool for each layer beside images"),
        (
            {"code_b": True},
            r"channels_last: found 'code_b', expected parameters of the model beside rows .*: code_W, drawn_W, drawn_b",
        ),
        (
            {"code_W": True, "drawn_W": True, "drawn_b": False},
            "channels_last: found True of drawn_W and False of drawn_b, expected the same of both, .* of the layer drawn",
        ),
        ({"code_W": 1, "drawn_W": True}, r"channels_last\['code_W'\]: found 1, expected True or False"),
    ):
        with pytest.raises(InputError, match=message):
            load_weights(model, path, channels_last=given)


def test_a_matrix_of_kerass_that_takes_and_makes_images_has_no_single_layout(tmp_path):
    """Keras with channels_first for all layers has rows (h, w, channels) and makes (channels, h, w) of columns."""
    params, x = nn.Parameters(0), Input((2, 3, 2))
    model = Model(x, nn.reshape("r", nn.dense(params, "code", nn.flatten("f", x), 12), (2, 3, 2)))
    square, path = rng.normal(size=(12, 12)), tmp_path / "a.weights.h5"
    keras_file(tmp_path / "a.keras", [], {"layers/dense/vars/0": square, "layers/dense/vars/1": c})
    message = r"dense/kernel: found channels_last=True of code_W, which takes rows of images and makes some, .*, or a \.keras"
    with pytest.raises(InputError, match=message):
        load_weights(model, path, channels_last={"code_W": True})
    load_weights(model, path, channels_last={"code_W": False})
    np.testing.assert_array_equal(params["code_W"].get_value(), square)
    load_weights(model, path, channels_last=True)
    np.testing.assert_allclose(
        IMAGES.reshape(4, -1) @ params["code_W"].get_value(), images_of(rows_of(IMAGES) @ square).reshape(4, -1)
    )


def normalising(**settings):
    params, x = nn.Parameters(0), Input((12,))
    return Model(x, nn.batch_norm(params, "bn", x, **settings))


def test_another_epsilon_is_one_line_of_warning(tmp_path, recwarn):
    layers = [("BatchNormalization", {"name": "bn", "epsilon": 1e-3})]
    arrays = {f"layers/batch_normalization/vars/{i}": array for i, array in enumerate((GAMMA, BETA, MEAN, VARIANCE))}
    path = keras_file(tmp_path / "a.keras", layers, arrays)
    load_weights(normalising(epsilon=1e-3), path)
    assert not recwarn
    with pytest.warns(RuntimeWarning, match=r"a\.keras: bn has epsilon 0.001 there and 1e-05 here: nn.batch_norm") as caught:
        load_weights(normalising(), path)
    assert len(caught) == 1


def test_three_arrays_of_a_normalisation_are_not_guessed_at(tmp_path):
    arrays = {f"layers/batch_normalization/vars/{i}": array for i, array in enumerate((BETA, MEAN, VARIANCE))}
    keras_file(tmp_path / "a.keras", [], arrays)
    with pytest.raises(InputError, match=r"no array for bn_gamma .*among batch_normalization/0 \(12,\), ") as caught:
        load_weights(normalising(), tmp_path / "a.weights.h5")
    assert "\n" not in str(caught.value)
