"""Keras's two autoencoders: their layers, their training beside PyTorch's, their files."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest

from symae import ConvolutionalAutoencoder, InputError, StridedAutoencoder, function
from symae.models.base import Model

SHAPE = (1, 12, 12)  # 12, 6, 3, 2: as with 28 pixels, one pooling layer has an odd size, and conv6 has no padding
POOLED = (ConvolutionalAutoencoder, {"maps": (3, 2, 2), "image_shape": SHAPE})
STRIDED = (StridedAutoencoder, {"maps": (3, 2, 4), "code": 3, "image_shape": SHAPE})
BOTH = pytest.mark.parametrize("kind", [POOLED, STRIDED], ids=["pooled", "strided"])


def small(kind, **keywords):
    cls, settings = kind
    return cls(np.random.RandomState(1), **{**settings, **keywords})


@pytest.fixture
def images():
    return np.random.RandomState(0).uniform(size=(6, *SHAPE))


def shapes(model):
    return {name: model.node(name).type.shape[1:] for name in model.node_names()}


def test_pooling_halves_28_pixels_to_4_and_the_decoder_comes_back():
    model = ConvolutionalAutoencoder(np.random.RandomState(0))
    assert shapes(model) == {
        "input": (1, 28, 28),
        "conv1": (16, 28, 28),
        "pool1": (16, 14, 14),
        "conv2": (8, 14, 14),
        "pool2": (8, 7, 7),
        "conv3": (8, 7, 7),
        "pool3": (8, 4, 4),
        "conv4": (8, 4, 4),
        "up1": (8, 8, 8),
        "conv5": (8, 8, 8),
        "up2": (8, 16, 16),
        "conv6": (16, 14, 14),
        "up3": (16, 28, 28),
        "output": (1, 28, 28),
    }
    assert (model.code_name, model.output_name) == ("pool3", "output")
    assert model.parameter_names[-2:] == ("output_W", "output_b")
    assert sum(p.get_value().size for p in model.params) == 4385  # as Keras's summary has it


def test_two_layers_of_32_maps_have_a_code_of_7_by_7():
    model = ConvolutionalAutoencoder(np.random.RandomState(0), maps=(32, 32))
    assert model.code.type.shape == (None, 32, 7, 7)
    assert model.output.type.shape == (None, 1, 28, 28)


def test_strides_halve_28_pixels_and_the_code_is_a_vector():
    model = StridedAutoencoder(np.random.RandomState(0), code=10)
    assert shapes(model) == {
        "input": (1, 28, 28),
        "conv1": (32, 14, 14),
        "conv2": (64, 7, 7),
        "conv3": (128, 3, 3),
        "code": (10,),
        "dense": (1152,),
        "deconv1": (64, 7, 7),
        "deconv2": (32, 14, 14),
        "output": (1, 28, 28),
    }
    assert (model.code_name, model.output_name) == ("code", "output")


def torch_pooled(model, F, values, x):
    """Compute the logits of the same network in PyTorch."""

    def conv(y, name, padding=1):
        return F.conv2d(y, values[f"{name}_W"], values[f"{name}_b"], padding=padding)

    for number in (1, 2, 3):
        x = F.max_pool2d(F.relu(conv(x, f"conv{number}")), 2, ceil_mode=True)
    for number, padding in ((4, 1), (5, 1), (6, 0)):
        x = F.interpolate(F.relu(conv(x, f"conv{number}", padding)), scale_factor=2)
    return conv(x, "output")


def torch_strided(model, F, values, x):
    """Compute the logits of the same network in PyTorch; of "same" padding, an odd pixel comes after the image."""
    sizes = [x.shape[-1]]
    for name, same in (("conv1", True), ("conv2", True), ("conv3", False)):
        padded = F.pad(x, (1, 2, 1, 2)) if same else x
        x = F.relu(F.conv2d(padded, values[f"{name}_W"], values[f"{name}_b"], stride=2))
        sizes.append(x.shape[-1])
    shape = x.shape[1:]
    x = x.flatten(1) @ values["code_W"] + values["code_b"]
    x = F.relu(x @ values["dense_W"] + values["dense_b"]).unflatten(1, shape)
    for name, same, size in (("deconv1", False, sizes[2]), ("deconv2", True, sizes[1]), ("output", True, sizes[0])):
        x = F.conv_transpose2d(x, values[f"{name}_W"], values[f"{name}_b"], stride=2)
        first = int(same)
        x = x[:, :, first : first + size, first : first + size]
        x = x if name == "output" else F.relu(x)
    return x


@pytest.mark.parametrize("target", [False, True], ids=["itself", "a target"])
@BOTH
def test_training_goes_pytorchs_way(images, kind, target):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    F = torch.nn.functional
    model = small(kind)
    rng = np.random.RandomState(7)
    for p in model.params:  # biases too begin elsewhere than at zero, where a rectifier may not be differentiable
        p.set_value(rng.normal(scale=0.4, size=p.get_value().shape))
    values = {name: torch.tensor(value, requires_grad=True) for name, value in model.parameters().items()}
    logits = {POOLED[0]: torch_pooled, STRIDED[0]: torch_strided}[type(model)]
    optimizer = torch.optim.Adadelta(values.values(), lr=1.0, rho=0.95, eps=1e-7)

    clean = rng.uniform(size=images.shape) if target else images
    t = pt.tensor4("target", dtype="float64")
    cost, updates = model.get_cost_updates(t if target else None)
    step = function([model.x, t], cost, updates=updates, on_unused_input="ignore")
    for _ in range(4):
        optimizer.zero_grad()
        theirs = F.binary_cross_entropy_with_logits(logits(model, F, values, torch.tensor(images)), torch.tensor(clean))
        theirs.backward()
        np.testing.assert_allclose(step(images, clean), theirs.item(), rtol=1e-10)
        optimizer.step()
    for name, value in model.parameters().items():
        np.testing.assert_allclose(value, values[name].detach().numpy(), rtol=1e-7, atol=1e-11, err_msg=name)


def costs(backend, cls, images, **settings):
    """Those of three steps; of models as small as can be, because what takes time is compiling."""
    model = cls(np.random.RandomState(1), image_shape=images.shape[1:], **settings)
    x = pt.tensor("x", dtype=images.dtype, shape=images.shape)
    cost, updates = model.get_cost_updates()
    step = function([x], cost, updates=updates, givens={model.x: x}, backend=backend)
    return [float(step(images)) for _ in range(3)]


def test_every_backend_trains_alike(training_backend):
    images = np.random.RandomState(0).uniform(size=(5, 1, 4, 4)).astype("float32")
    plain = costs(None, ConvolutionalAutoencoder, images, maps=2)
    assert plain[2] < plain[0]
    np.testing.assert_allclose(costs(training_backend, ConvolutionalAutoencoder, images, maps=2), plain, rtol=2e-5)


@pytest.mark.long
def test_strides_are_trained_alike_by_kernels_and_by_definition(native_backend):
    images = np.random.RandomState(0).uniform(size=(5, 1, 9, 9))
    settings = {"maps": (2, 2, 2), "code": 2}
    plain = costs(None, StridedAutoencoder, images, **settings)
    assert plain[2] < plain[0]
    np.testing.assert_allclose(costs(native_backend, StridedAutoencoder, images, **settings), plain, rtol=1e-10)


@BOTH
def test_the_score_is_the_mean_cross_entropy_and_outputs_are_probabilities(images, kind):
    model = small(kind)
    z = model.reconstruct(images)
    assert 0 < z.min() < z.max() < 1
    expected = -(images * np.log(z) + (1 - images) * np.log(1 - z)).mean()
    assert model.score(images) == pytest.approx(expected, rel=1e-12)


@BOTH
def test_rows_of_pixels_are_seen_as_images(images, kind):
    rows = pt.matrix("rows", dtype="float64")
    np.testing.assert_array_equal(small(kind, input=rows).transform(images.reshape(6, 144)), small(kind).transform(images))


@BOTH
def test_a_saved_model_comes_back_by_its_class_and_by_any(images, kind, tmp_path):
    model = small(kind)
    model.save(tmp_path / "model")
    for cls in (kind[0], Model):
        again = cls.load(tmp_path / "model")
        assert type(again) is kind[0]
        assert again.configuration() == model.configuration()
        np.testing.assert_array_equal(again.transform(images), model.transform(images))
    other = ({POOLED[0], STRIDED[0]} - {kind[0]}).pop()
    with pytest.raises(InputError, match=f"found a saved {kind[0].__name__}, expected a saved {other.__name__}"):
        other.load(tmp_path / "model")


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (POOLED, {"maps": 0}, "maps: found 0, expected an integer of at least 1"),
        (POOLED, {"maps": ()}, r"maps: found \(\), expected"),
        (POOLED, {"maps": "many"}, "maps: found 'many', expected"),
        (POOLED, {"image_shape": (28, 28)}, r"image_shape: found \(28, 28\), expected 3 numbers"),
        (
            POOLED,
            {"maps": (2, 2), "image_shape": (1, 10, 10)},
            r"image_shape: found \(1, 10, 10\), expected what the decoder comes back to, not 12 x 12; \(1, 8, 8\) fits, --im",
        ),
        (POOLED, {"input": np.zeros((2, 144))}, "input: found a ndarray, expected symbolic images"),
        (STRIDED, {"code": 0}, "code: found 0, expected an integer of at least 1"),
        (STRIDED, {"code": 2.5}, "code: found 2.5, expected an integer of at least 1"),
        (STRIDED, {"maps": (2, 2)}, r"maps: found \(2, 2\), expected 3 numbers"),
        (STRIDED, {"image_shape": (1, 8, 12)}, r"image_shape: found \(1, 8, 12\), expected images of at least 9 x 9"),
        (STRIDED, {"input": pt.dtensor3("x")}, r"input: found 3 dimensions, expected symbolic images \(n, 1, 12, 12\)"),
    ],
)
def test_settings_that_cannot_be_are_refused(kind, settings, message):
    with pytest.raises(InputError, match=message):
        small(kind, **settings)


@BOTH
def test_images_that_do_not_fit_are_refused(kind):
    with pytest.raises(InputError, match=r"X: found shape \(2, 1, 12, 13\), expected \(n, 1, 12, 12\) or \(n, 144\)"):
        small(kind).transform(np.zeros((2, 1, 12, 13)))
