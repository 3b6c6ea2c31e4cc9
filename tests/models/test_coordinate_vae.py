"""The coordinate network's autoencoder: beside NumPy and PyTorch, its poses, its pictures of any size, its files."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from symae import CoordinateVAE, InputError, RandomStreams, function
from symae.models.base import Model
from symae.models.coordinate_vae import coordinates

SHAPE = (1, 5, 6)
COLOURS = (3, 5, 6)
AFFINE = pytest.mark.parametrize("affine", [False, True], ids=["plain", "affine"])
SHAPES = pytest.mark.parametrize("shape", [SHAPE, COLOURS], ids=["grey", "colours"])
SEED = 234


def small(affine=False, **keywords):
    settings = {"n_latent": 3, "affine": affine, "image_shape": SHAPE, "theano_rng": RandomStreams(SEED), **keywords}
    return CoordinateVAE(np.random.RandomState(1), **settings)


def posed(**keywords):
    """Return an affine model whose encoder finds other poses in other images."""
    model = small(affine=True, **keywords)
    for name in ("pose_W", "pose_b"):
        p = model.params[model.parameter_names.index(name)]
        p.set_value(np.random.RandomState(5).normal(scale=0.1, size=p.get_value().shape).astype(p.dtype))
    return model


@pytest.fixture
def images():
    return np.random.RandomState(0).uniform(size=(4, *SHAPE))


@pytest.fixture
def codes():
    return np.random.RandomState(2).normal(size=(2, 3))


# The same in NumPy


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def relu(a):
    return np.maximum(a, 0)


def encoded(values, rows):
    """mean, log_variance, and the pose if there is one."""
    h = rows
    for name in ("encoder1", "encoder2"):
        h = relu(h @ values[f"{name}_W"] + values[f"{name}_b"])
    return [h @ values[f"{name}_W"] + values[f"{name}_b"] for name in ("mean", "log_variance", "pose") if f"{name}_W" in values]


def moved(places, pose):
    """Where each image's decoder looks for each place: (n, m, 2)."""
    s, a, t_u, t_v = (pose[:, i, None] for i in range(4))
    u, v = places[:, 0] - t_u, places[:, 1] - t_v
    return np.stack([np.exp(-s) * (np.cos(a) * u + np.sin(a) * v), np.exp(-s) * (np.cos(a) * v - np.sin(a) * u)], axis=2)


def decoded(values, z, places, pose=None):
    """Logits by a network that sees (u, v, z) of every pixel of every image, channel after channel."""
    places = np.broadcast_to(places, (len(z), *places.shape)) if pose is None else moved(places, pose)
    h = np.concatenate([places, np.broadcast_to(z[:, None], (len(z), places.shape[1], z.shape[1]))], axis=2)
    layers = [name for name in values if name.startswith("decoder") and name.endswith("_W")]
    for name in layers[:-1]:
        h = relu(h @ values[name] + values[f"{name[:-1]}b"])
    return np.moveaxis(h @ values[layers[-1]] + values[f"{layers[-1][:-1]}b"], 2, 1).reshape(len(z), -1)


def generators(seed=SEED):
    """Theano's streams: uniform numbers from the first, normal ones from the second."""
    seeds = np.random.RandomState(seed)
    return [np.random.RandomState(int(seeds.randint(2**30))) for _ in range(2)]


def nll(x, a):
    return (np.maximum(a, 0) + np.log1p(np.exp(-np.abs(a))) - x * a).sum(axis=1)


def test_the_nodes_are_in_the_order_in_which_they_are_computed():
    assert CoordinateVAE(np.random.RandomState(0)).node_names() == ["input", "mean", "log_variance", "output"]
    assert small(affine=True).node_names() == ["input", "mean", "log_variance", "pose", "output"]
    assert (small().code_name, small().output_name) == ("mean", "output")


def test_the_layers_have_the_sizes_that_the_picture_shows():
    model = CoordinateVAE(np.random.RandomState(0))
    shapes = {name: value.shape for name, value in model.parameters().items() if name.endswith("_W")}
    assert shapes == {
        "encoder1_W": (784, 256),
        "encoder2_W": (256, 256),
        "mean_W": (256, 8),
        "log_variance_W": (256, 8),
        "decoder1_W": (10, 256),
        "decoder2_W": (256, 256),
        "decoder3_W": (256, 256),
        "decoder4_W": (256, 1),
    }
    widths = [value.shape for name, value in small(affine=True).parameters().items() if name[-2:] == "_W" and "decoder" in name]
    assert widths == [(5, 32), (32, 64), (64, 32), (32, 1)]
    assert model.node("output").type.shape == (None, 1, 28, 28)
    assert model.x.type.shape == (None, 784)


def test_weights_begin_as_hes_and_biases_at_zero():
    values = CoordinateVAE(np.random.RandomState(0), affine=True).parameters()
    assert values["encoder1_W"].std() == pytest.approx(np.sqrt(2 / 784), rel=0.02)
    assert values["decoder2_W"].std() == pytest.approx(np.sqrt(2 / 32), rel=0.05)
    assert not any(values[name].any() for name in values if name.endswith("_b") or name == "pose_W")


def test_coordinates_go_from_corner_to_corner_row_by_row():
    np.testing.assert_array_equal(coordinates(2, 3), [[-1, -1], [0, -1], [1, -1], [-1, 1], [0, 1], [1, 1]])
    np.testing.assert_array_equal(coordinates(1, 2), [[-1, 0], [1, 0]])
    assert coordinates(28, 28).shape == (784, 2)
    with pytensor.config.change_flags(floatX="float32"):
        assert coordinates(2, 2).dtype == "float32"


@pytest.mark.table(2)
@SHAPES
@AFFINE
def test_the_decoder_is_a_network_of_place_and_code_together(affine, shape):
    images = np.random.RandomState(0).uniform(size=(4, *shape))
    model = posed(image_shape=shape) if affine else small(image_shape=shape)
    values, rows = model.parameters(), images.reshape(4, -1)
    mean, log_variance, *pose = encoded(values, rows)
    logits = decoded(values, mean, coordinates(*shape[1:]), *pose)
    np.testing.assert_allclose(model.transform(images), mean, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(model.node_values("log_variance", images), log_variance, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(model.reconstruct(images), sigmoid(logits).reshape(images.shape), rtol=1e-10)
    if affine:
        np.testing.assert_allclose(model.node_values("pose", images), pose[0], rtol=1e-10, atol=1e-12)
    assert model.score(images) == pytest.approx(nll(rows, logits).mean() / rows.shape[1], rel=1e-12)


@SHAPES
@AFFINE
def test_the_costs_are_those_of_the_definition_with_theanos_random_numbers(affine, shape):
    images = np.random.RandomState(0).uniform(size=(4, *shape))
    model = posed(image_shape=shape) if affine else small(image_shape=shape)
    cost, _ = model.get_cost_updates()
    compute = function([model.x], [cost, model.nll, model.kl])
    values, rows, (uniform, normal) = model.parameters(), images.reshape(4, -1), generators()
    for _ in range(2):  # other numbers at each call
        binary = (uniform.uniform(size=rows.shape) < rows).astype("float64")
        mean, log_variance, *pose = encoded(values, binary)
        z = mean + np.exp(log_variance / 2) * normal.normal(size=mean.shape)
        likelihood = nll(rows, decoded(values, z, coordinates(*SHAPE[1:]), *pose)).mean() / rows.shape[1]
        divergence = (mean**2 + np.exp(log_variance) - log_variance - 1).sum(axis=1).mean() / 2
        expected = [(likelihood + divergence / rows.shape[1]) / 3, likelihood, divergence]
        np.testing.assert_allclose(compute(rows), expected, rtol=1e-10)


@AFFINE
def test_training_goes_pytorchs_way(images, affine):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    F = torch.nn.functional
    model = posed() if affine else small()
    values = {name: torch.tensor(value, requires_grad=True) for name, value in model.parameters().items()}
    optimizer = torch.optim.Adam(values.values(), lr=0.01)
    cost, updates = model.get_cost_updates(0.01)
    step = function([model.x], cost, updates=updates)
    rows, (uniform, normal) = images.reshape(4, -1), generators()
    x, grid = torch.tensor(rows), torch.tensor(coordinates(*SHAPE[1:])).expand(4, 30, 2)

    def dense(name, h):
        return h @ values[f"{name}_W"] + values[f"{name}_b"]

    for _ in range(3):
        h = torch.tensor((uniform.uniform(size=rows.shape) < rows).astype("float64"))
        for name in ("encoder1", "encoder2"):
            h = torch.relu(dense(name, h))
        mean, log_variance, places = dense("mean", h), dense("log_variance", h), grid
        if affine:
            s, a, t_u, t_v = (column[:, None] for column in dense("pose", h).T)
            u, v = grid[:, :, 0] - t_u, grid[:, :, 1] - t_v
            turned = torch.cos(a) * u + torch.sin(a) * v, torch.cos(a) * v - torch.sin(a) * u
            places = torch.exp(-s)[:, :, None] * torch.stack(turned, dim=2)
        z = mean + torch.exp(log_variance / 2) * torch.tensor(normal.normal(size=(4, 3)))
        drawn = torch.cat([places, z[:, None].expand(4, 30, 3)], dim=2)
        for i in (1, 2, 3):
            drawn = torch.relu(dense(f"decoder{i}", drawn))
        error = F.binary_cross_entropy_with_logits(dense("decoder4", drawn)[:, :, 0], x)
        divergence = (mean**2 + log_variance.exp() - log_variance - 1).sum(1).mean() / 2
        theirs = (error + divergence / 30) / 3
        optimizer.zero_grad()
        theirs.backward()
        optimizer.step()
        np.testing.assert_allclose(step(rows), theirs.item(), rtol=1e-9)
    for name, value in model.parameters().items():
        np.testing.assert_allclose(value, values[name].detach().numpy(), rtol=1e-6, atol=1e-9)


def train(backend, affine):
    shape = (1, 6, 6)
    rows = np.random.RandomState(0).uniform(size=(3, 36)).astype("float32")
    model = posed(image_shape=shape) if affine else small(image_shape=shape)
    x = pt.tensor("x", dtype="float32", shape=rows.shape)
    cost, updates = model.get_cost_updates(0.01)
    step = function([x], cost, updates=updates, givens={model.x: x}, backend=backend)
    return [float(step(rows)) for _ in range(2)]


def test_every_backend_trains_alike(training_backend):
    np.testing.assert_allclose(train(training_backend, False), train(None, False), rtol=2e-5)


@pytest.mark.parametrize("name", ["jax", pytest.param("numba", marks=pytest.mark.long)])
def test_with_poses_too(name, float32):
    pytest.importorskip(name, reason=f"{name} is not installed")
    np.testing.assert_allclose(train(name, True), train(None, True), rtol=2e-5)


@pytest.mark.parametrize("shape", [(None,) * 4, (None, *SHAPE), (None, None), (None, 30)], ids=str)
def test_images_and_rows_of_pixels_are_the_same_to_it(images, shape):
    rows, plain = images.reshape(4, -1), small()
    model = small(input=pt.tensor("x", dtype="float64", shape=shape))
    np.testing.assert_array_equal(model.reconstruct(rows), plain.reconstruct(images))
    given = images if len(shape) == 4 else rows
    costs = [function([m.x], m.get_cost_updates()[0])(x) for m, x in ((model, given), (plain, rows))]
    assert costs[0] == pytest.approx(costs[1], rel=1e-12)


# Poses


def test_at_the_beginning_every_digit_stands_in_the_middle(images):
    model = small(affine=True)
    np.testing.assert_array_equal(model.node_values("pose", images), np.zeros((4, 4)))
    drawn = model.render(model.transform(images), SHAPE[1:])
    np.testing.assert_allclose(model.reconstruct(images)[:, 0], drawn, rtol=1e-12)


def test_the_identity_is_a_pose_like_any_other(codes):
    model = small(affine=True)
    np.testing.assert_allclose(model.render(codes, (7, 4), np.zeros((2, 4))), model.render(codes, (7, 4)), rtol=1e-12)


# a pose, and what it makes of pictures of 9 by 9 pixels: (seen in 5 by 5 or 9 by 9, the same pixels without it)
POSES = {
    "two pixels to the right": ((0, 0, 0.5, 0), np.s_[:, 2:], np.s_[:, :-2]),
    "two pixels down": ((0, 0, 0, 0.5), np.s_[2:], np.s_[:-2]),
    "twice as large": ((np.log(2), 0, 0, 0), np.s_[::2, ::2], np.s_[2:7, 2:7]),
    "half as large": ((-np.log(2), 0, 0, 0), np.s_[2:7, 2:7], np.s_[::2, ::2]),
    "upside down": ((0, np.pi, 0, 0), np.s_[:], np.s_[::-1, ::-1]),
    "half as large, then to the right and down": ((-np.log(2), 0, 0.25, 0.5), np.s_[4:9, 3:8], np.s_[::2, ::2]),
}


@pytest.mark.parametrize(("pose", "seen", "same"), POSES.values(), ids=POSES)
def test_a_pose_moves_turns_and_scales_the_picture(codes, pose, seen, same):
    model = small(affine=True)
    plain, drawn = (model.render(codes, (9, 9), p) for p in (None, np.tile(pose, (2, 1))))
    for one, other in zip(drawn, plain, strict=True):
        np.testing.assert_allclose(one[seen], other[same], rtol=1e-9)
    assert np.ptp(plain, axis=(1, 2)).min() > 1e-3


def test_a_quarter_turn_goes_from_right_to_down(codes):
    model = small(affine=True)
    plain, drawn = (model.render(codes, 9, p) for p in (None, np.tile([0, np.pi / 2, 0, 0], (2, 1))))
    np.testing.assert_allclose(drawn, np.rot90(plain, -1, axes=(1, 2)), rtol=1e-9)


# Pictures of any size


@AFFINE
def test_a_picture_of_the_training_size_is_the_reconstruction(images, affine):
    model = posed() if affine else small()
    pose = model.node_values("pose", images) if affine else None
    drawn = model.render(model.transform(images), SHAPE[1:], pose)
    np.testing.assert_allclose(drawn, model.reconstruct(images)[:, 0], rtol=1e-12)


@AFFINE
def test_a_picture_in_colours_is_the_reconstruction_at_its_size_and_larger_at_others(affine):
    model = posed(image_shape=COLOURS) if affine else small(image_shape=COLOURS)
    images = np.random.RandomState(0).uniform(size=(4, *COLOURS))
    pose = model.node_values("pose", images) if affine else None
    codes = model.transform(images)
    np.testing.assert_allclose(model.render(codes, COLOURS[1:], pose), model.reconstruct(images), rtol=1e-10)
    fine = model.render(codes, (9, 11), pose)
    assert fine.shape == (4, 3, 9, 11)
    np.testing.assert_allclose(fine[:, :, ::2, ::2], model.render(codes, (5, 6), pose), rtol=1e-10)


@AFFINE
def test_a_larger_picture_has_the_same_pixels_where_the_grids_meet(codes, affine):
    model = posed() if affine else small()
    pose = np.random.RandomState(0).normal(size=(2, 4)) if affine else None
    fine, coarse = model.render(codes, (9, 5), pose), model.render(codes, (5, 3), pose)
    assert (fine.shape, coarse.shape) == ((2, 9, 5), (2, 5, 3))
    np.testing.assert_allclose(fine[:, ::2, ::2], coarse, rtol=1e-12)


@AFFINE
def test_strips_do_not_change_the_picture(codes, affine, monkeypatch):
    model = small(affine)
    pose = np.random.RandomState(0).normal(size=(2, 4)) if affine else None
    whole = model.render(codes, (8, 9), pose)
    for strip in (1, 7, 72):
        monkeypatch.setattr("symae.models.coordinate_vae.STRIP", strip)
        np.testing.assert_allclose(model.render(codes, (8, 9), pose), whole, rtol=1e-12)


def test_progress_is_told_after_each_strip(codes, monkeypatch):
    monkeypatch.setattr("symae.models.coordinate_vae.STRIP", 40)
    told = []
    small().render(codes, (8, 9), progress=lambda done, total: told.append((done, total)))
    assert told == [(40, 144), (72, 144), (112, 144), (144, 144)]


@pytest.mark.table(2)
@AFFINE
def test_the_memory_does_not_grow_with_the_picture(codes, affine, monkeypatch):
    monkeypatch.setattr("symae.models.coordinate_vae.STRIP", 50)
    model, units = small(affine), 32 if affine else 256
    model.render(codes, (2, 2))  # compiled now
    peaks = []
    for _ in range(3):  # threads that tests before have left may take memory too
        tracemalloc.start()
        images = model.render(codes, (100, 100))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # a hidden layer at all places would be `units` times as large as a picture
    assert min(peaks) < images.nbytes + images[0].nbytes * units / 2


def test_a_single_pixel_and_no_codes_are_pictures_too(codes):
    model = small()
    middle = model.render(codes, (1, 1))
    np.testing.assert_allclose(middle[:, 0, 0], model.render(codes, (3, 3))[:, 1, 1], rtol=1e-12)
    assert model.render(np.zeros((0, 3)), (4, 5)).shape == (0, 4, 5)


def test_pictures_are_in_floatX(float32, codes):
    assert small().render(codes, 4).dtype == "float32"


# Files, and what is refused


@pytest.mark.table(2)
@AFFINE
def test_a_saved_model_comes_back_by_its_class_and_by_any(images, tmp_path, affine):
    model = posed() if affine else small()
    model.save(tmp_path / "vae")
    assert json.loads((tmp_path / "vae.json").read_text())["configuration"] == {
        "n_latent": 3,
        "affine": affine,
        "image_shape": [1, 5, 6],
    }
    for cls in (CoordinateVAE, Model):
        again = cls.load(tmp_path / "vae")
        assert type(again) is CoordinateVAE
        np.testing.assert_array_equal(again.reconstruct(images), model.reconstruct(images))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_latent": 0}, "n_latent: found 0, expected an integer of at least 1"),
        ({"n_latent": (2, 3)}, r"n_latent: found \(2, 3\), expected 1 numbers"),
        ({"n_latent": True}, "n_latent: found True"),
        ({"n_latent": 2.5}, "n_latent: found 2.5"),
        ({"affine": 1}, "affine: found 1, expected True or False"),
        ({"image_shape": (5, 6)}, r"image_shape: found \(5, 6\), expected 3 numbers"),
        ({"input": pt.dtensor3("x")}, r"input: found 3 dimensions, expected symbolic images \(n, 1, 5, 6\)"),
        ({"input": pt.tensor("x", shape=(None, 31))}, r"input: found shape \(None, 31\), expected symbolic images"),
        ({"input": np.zeros((2, 30))}, "input: found a ndarray, expected symbolic images"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        small(**settings)


@pytest.mark.parametrize(
    ("affine", "arguments", "message"),
    [
        (False, {"Z": np.zeros((2, 4))}, r"Z: found shape \(2, 4\), expected \(n, 3\)"),
        (False, {"Z": np.zeros(3)}, r"Z: found shape \(3,\), expected \(n, 3\)"),
        (False, {"Z": np.full((2, 3), np.nan)}, "Z: found NaN or infinite values"),
        (False, {"Z": [["a", "b", "c"]]}, "Z: found something that is not an array of numbers"),
        (False, {"size": 0}, "size: found 0, expected an integer of at least 1"),
        (False, {"size": (4, -1)}, r"size: found \(4, -1\), expected an integer of at least 1"),
        (False, {"size": (4, 4, 4)}, r"size: found \(4, 4, 4\), expected 2 numbers"),
        (False, {"size": (4.0, 4)}, r"size: found \(4.0, 4\), expected an integer"),
        (False, {"pose": np.zeros((2, 4))}, "pose: found an array, expected none: the model is not affine"),
        (True, {"pose": np.zeros((2, 3))}, r"pose: found shape \(2, 3\), expected \(n, 4\)"),
        (True, {"pose": np.zeros((1, 4))}, "pose: found 1 poses, expected 2, one for each code"),
        (True, {"pose": np.full((2, 4), np.inf)}, "pose: found NaN or infinite values"),
    ],
)
def test_pictures_that_cannot_be_drawn_are_refused(affine, arguments, message):
    with pytest.raises(InputError, match=message):
        small(affine).render(**{"Z": np.zeros((2, 3)), "size": (4, 4), **arguments})


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((2, 1, 5, 5)), r"X: found shape \(2, 1, 5, 5\), expected \(n, 1, 5, 6\) or \(n, 30\)"),
        (np.full((2, 30), np.nan), "X: found NaN or infinite values"),
        (np.zeros((0, 30)), "X: found no rows"),
    ],
)
def test_images_that_do_not_fit_are_refused(X, message):
    with pytest.raises(InputError, match=message):
        small().score(X)
