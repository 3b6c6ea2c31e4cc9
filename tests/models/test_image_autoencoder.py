"""CNTK's image autoencoder: its nodes, its training beside PyTorch's, its files."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from symae import ImageAutoencoder, InputError, function
from symae.models.base import Model

ONE = {"maps": 3, "pool": 4, "image_shape": (1, 8, 8)}
TWO = {"maps": (5, 1), "pool": 2, "image_shape": (1, 8, 8)}
BOTH = pytest.mark.parametrize("settings", [ONE, TWO], ids=["one layer", "two layers"])


def small(settings=ONE, **keywords):
    return ImageAutoencoder(np.random.RandomState(1), **{**settings, **keywords})


@pytest.fixture
def images():
    """Black borders, so that there are windows full of ties."""
    images = np.random.RandomState(0).uniform(size=(6, 1, 8, 8))
    images[:, :, :2] = images[:, :, :, 5:] = 0
    return images


def test_one_layer_has_cntks_names():
    model = ImageAutoencoder(np.random.RandomState(0))
    assert model.node_names() == ["input", "conv1", "pool1", "unpool1", "deconv1"]
    assert (model.code_name, model.output_name) == ("pool1", "deconv1")
    assert [model.node(name).type.shape[1:] for name in model.node_names()] == [
        (1, 28, 28),
        (1, 28, 28),
        (1, 7, 7),
        (1, 28, 28),
        (1, 28, 28),
    ]


def test_two_layers_are_called_A_and_B():
    model = ImageAutoencoder(np.random.RandomState(0), maps=(5, 1), pool=2)
    names = ["input", "conv_A", "pool_A", "conv_B", "pool_B", "unpool_B", "deconv_B", "unpool_A", "deconv_A"]
    assert model.node_names() == names
    assert model.node("pool_B").type.shape == (None, 1, 7, 7)
    assert model.node("deconv_B").type.shape == (None, 5, 14, 14)
    assert model.parameter_names == ("W_A", "b_A", "W_B", "b_B", "V_B", "V_A")


def test_a_node_that_is_not_there_is_named_beside_those_that_are():
    with pytest.raises(InputError, match=r"node: found 'pool9', expected one of input, conv1, pool1, unpool1, deconv1"):
        small().node("pool9")


def test_the_weights_are_glorots_and_the_last_deconvolutions_a_thousandth():
    W, _, V = (p.get_value() for p in ImageAutoencoder(np.random.RandomState(0), maps=8).params)
    limit = np.sqrt(6 / (9 * 25))
    assert 0.95 * limit < np.abs(W).max() <= limit
    assert 0.95e-3 * limit < np.abs(V).max() <= 1e-3 * limit
    V_B, V_A = (p.get_value() for p in ImageAutoencoder(np.random.RandomState(0), maps=(5, 4), pool=2).params[-2:])
    assert np.abs(V_B).max() > 0.1
    assert np.abs(V_A).max() < 1e-3


def test_the_decoder_draws_each_code_value_where_its_maximum_was(images):
    model = small()
    conv, pooled, unpooled = (model.node_values(name, images) for name in ("conv1", "pool1", "unpool1"))
    for n, c in np.ndindex(6, 3):
        for i, j in np.ndindex(2, 2):
            window = np.s_[4 * i : 4 * i + 4, 4 * j : 4 * j + 4]
            seen = conv[n, c][window]
            expected = np.zeros(16)
            expected[seen.argmax()] = seen.max()  # argmax is the first of equal ones
            assert pooled[n, c, i, j] == seen.max()
            np.testing.assert_array_equal(unpooled[n, c][window].ravel(), expected)


def torch_model(model, settings):
    """Build the same network in PyTorch, from the same weights: its parameters, and the function from images to the cost."""
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    F = torch.nn.functional
    values = {name: torch.tensor(value, requires_grad=True) for name, value in model.parameters().items()}
    layers = [name[1:] for name in values if name.startswith("W")]

    def cost(x):
        y, stack = x, []
        for name, size in zip(layers, model.pool, strict=True):
            y = F.relu(F.conv2d(y, values[f"W{name}"], values[f"b{name}"], padding=2))
            shape = y.shape
            y, switches = F.max_pool2d(y, size, return_indices=True)
            stack.append((name, size, switches, shape))
        for name, size, switches, shape in reversed(stack):
            y = F.max_unpool2d(y, switches, size, output_size=shape)
            y = F.conv_transpose2d(y, values[f"V{name}"], padding=2)
        return ((y - x) ** 2).flatten(1).mean(1).sqrt().mean()

    return torch, values, cost


@BOTH
def test_training_goes_pytorchs_way(images, settings):
    model = small(settings)
    torch, values, torch_cost = torch_model(model, settings)
    # larger drawings than at the beginning, so that the gradients of all layers count
    for p in model.params:
        if p.name.startswith("V"):
            value = np.random.RandomState(7).normal(scale=0.3, size=p.get_value().shape)
            p.set_value(value)
            values[p.name].data[...] = torch.tensor(value)
    cost, updates = model.get_cost_updates(learning_rate=0.05, time_constant=20)
    step = function([model.x], cost, updates=updates)
    m, velocity = np.exp(-len(images) / 20), dict.fromkeys(values, 0)
    x = torch.tensor(images)
    for _ in range(4):
        theirs = torch_cost(x)
        gradients = dict(zip(values, torch.autograd.grad(theirs, list(values.values())), strict=True))
        np.testing.assert_allclose(step(images), theirs.item(), rtol=1e-10)
        for name, p in values.items():
            velocity[name] = m * velocity[name] + (1 - m) * gradients[name]
            p.data -= 0.05 * len(images) * velocity[name]
    for name, value in model.parameters().items():
        np.testing.assert_allclose(value, values[name].detach().numpy(), rtol=1e-8, atol=1e-12)


def train(backend, images, steps=3):
    model = small(ONE)
    x = pt.tensor("x", dtype=images.dtype, shape=images.shape)
    cost, updates = model.get_cost_updates(0.01, 20)
    step = function([x], cost, updates=updates, givens={model.x: x}, backend=backend)
    return [float(step(images)) for _ in range(steps)]


def test_every_backend_trains_alike(training_backend, images):
    images = images.astype("float32")
    plain = function_costs(images)
    np.testing.assert_allclose(train(training_backend, images), plain, rtol=2e-5)


def function_costs(images):
    """Compute the costs in NumPy, by the definitions of the ops."""
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        return train(None, images)


def test_a_minibatch_of_flat_rows_is_seen_as_images(images):
    rows = pt.matrix("rows", dtype="float64")
    model = small(input=rows)
    np.testing.assert_array_equal(model.reconstruct(images.reshape(6, 64)), small().reconstruct(images))
    assert small(input=pt.tensor("rows", shape=(5, 64))).output.type.shape == (5, 1, 8, 8)


def test_the_score_is_the_mean_over_all_images_whatever_their_number(images, monkeypatch):
    monkeypatch.setattr("symae.models.base.CHUNK", 4)
    model = small()
    errors = np.sqrt(((model.reconstruct(images) - images) ** 2).mean(axis=(1, 2, 3)))
    assert model.score(images) == pytest.approx(errors.mean(), rel=1e-12)


def test_a_model_of_minibatches_of_one_size_takes_any_number_of_images(images):
    four = small(input=pt.tensor("x", shape=(4, 64)))
    np.testing.assert_allclose(four.reconstruct(images), small().reconstruct(images), rtol=1e-12)


def test_a_saved_model_comes_back_by_its_class_and_by_any(images, tmp_path):
    model = small(TWO)
    model.save(tmp_path / "two")
    for cls in (ImageAutoencoder, Model):
        again = cls.load(tmp_path / "two")
        assert type(again) is ImageAutoencoder
        assert (again.maps, again.pool, again.image_shape) == ((5, 1), (2, 2), (1, 8, 8))
        np.testing.assert_array_equal(again.transform(images), model.transform(images))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"maps": 0}, r"maps: found 0, expected an integer of at least 1"),
        ({"maps": "three"}, r"maps: found 'three', expected an integer"),
        ({"maps": ()}, r"maps: found \(\), expected"),
        ({"maps": (2, 3), "pool": (2, 2, 2)}, r"pool: found \(2, 2, 2\), expected 2 numbers"),
        ({"pool": 9}, r"pool: found 9 x 9 windows on maps of 8 x 8, expected windows no larger"),
        ({"maps": (2, 2), "pool": 4}, r"pool: found 4 x 4 windows on maps of 2 x 2"),
        ({"image_shape": (8, 8)}, r"image_shape: found \(8, 8\), expected 3 numbers"),
        ({"input": pt.dtensor3("x")}, r"input: found 3 dimensions, expected symbolic images \(n, 1, 8, 8\)"),
        ({"input": pt.tensor("x", shape=(None, 65))}, r"input: found shape \(None, 65\), expected symbolic images"),
        ({"input": np.zeros((2, 64))}, "input: found a ndarray, expected symbolic images"),
        ({"maps": True}, "maps: found True"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        small(ONE, **settings)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((2, 1, 8, 9)), r"X: found shape \(2, 1, 8, 9\), expected \(n, 1, 8, 8\) or \(n, 64\)"),
        (np.full((2, 64), np.nan), "X: found NaN or infinite values"),
        (["a"], "X: found something that is not an array of numbers"),
        (np.zeros((0, 64)), "X: found no rows"),
    ],
)
def test_images_that_do_not_fit_are_refused(X, message):
    with pytest.raises(InputError, match=message):
        small().score(X)
