"""Layers: their parameters and shapes, their values beside PyTorch's, and sizes that stay known."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode

from symae import ConvolutionalAutoencoder, InputError, StridedAutoencoder, function, nn
from symae.nn import Parameters, conv, deconv, dense, flatten, layer_of, layers_of, max_pool, reshape, upsample

IMAGES = np.random.RandomState(1).normal(size=(2, 3, 7, 6))


@pytest.fixture
def params():
    return Parameters(np.random.RandomState(0))


@pytest.fixture
def x():
    return pt.tensor("x", shape=(None, 3, 7, 6))


@pytest.fixture
def rows():
    return pt.tensor("rows", shape=(None, 5))


def with_values(params):
    """Parameters with biases that are not zero, as PyTorch's tensors."""
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    for p in params:
        p.set_value(np.random.RandomState(2).normal(size=p.get_value().shape))
    return torch.nn.functional, [torch.tensor(p.get_value()) for p in params]


def torch_images():
    return pytest.importorskip("torch", reason="the oracle is not installed").tensor(IMAGES)


def assert_computes(y, x, expected, values=IMAGES):
    """`y` of `values` is what PyTorch has, and its type says as much of its shape as can be known."""
    assert y.type.shape == (None, *expected.shape[1:])
    np.testing.assert_allclose(function([x], y)(values), expected.numpy(), rtol=1e-10, atol=1e-12)


# Values and shapes


@pytest.mark.parametrize("activation", [None, "relu", "sigmoid", pt.tanh])
def test_dense_is_pytorchs_linear(params, rows, activation):
    y = dense(params, "code", rows, 4, activation=activation)
    F, (W, b) = with_values(params)
    assert (params.names, tuple(W.shape), tuple(b.shape)) == (("code_W", "code_b"), (5, 4), (4,))
    values = np.random.RandomState(3).normal(size=(6, 5))
    linear = F.linear(W.new_tensor(values), W.T, b)
    expected = {None: linear, "relu": linear.relu(), "sigmoid": linear.sigmoid(), pt.tanh: linear.tanh()}[activation]
    assert_computes(y, rows, expected, values)


@pytest.mark.parametrize("activation", [None, "relu", "elu"])
@pytest.mark.parametrize(
    ("kernel", "border_mode", "subsample", "padding"),
    [
        (3, "same", 1, (1, 1, 1, 1)),
        ((5, 3), "same", 1, (1, 1, 2, 2)),
        (3, "valid", 1, (0, 0, 0, 0)),
        (3, "same", 2, (0, 1, 1, 1)),  # of 6 columns 3, which lack one pixel on the right
        ((3, 2), "valid", (1, 2), (0, 0, 0, 0)),
    ],
)
def test_conv_is_pytorchs(params, x, kernel, border_mode, subsample, padding, activation):
    y = conv(params, "c", x, 4, kernel, activation=activation, border_mode=border_mode, subsample=subsample)
    F, (W, b) = with_values(params)
    assert params.names == ("c_W", "c_b")
    assert tuple(W.shape[:2]) == (4, 3)
    expected = F.conv2d(F.pad(torch_images(), padding), W, b, stride=subsample)
    assert_computes(y, x, expected if activation is None else getattr(F, activation)(expected))


@pytest.mark.parametrize("activation", [None, "relu"])
@pytest.mark.parametrize(
    ("kernel", "border_mode", "subsample", "output_shape", "theirs"),
    [
        (3, "same", 1, None, {"padding": 1}),
        (3, "valid", 1, None, {}),
        (3, "valid", 2, None, {"stride": 2}),
        (3, "valid", 2, (16, 13), {"stride": 2, "output_padding": (1, 0)}),
        ((3, 5), "same", 2, (13, 11), {"stride": 2, "padding": (1, 2)}),
    ],
)
def test_deconv_is_pytorchs(params, x, kernel, border_mode, subsample, output_shape, theirs, activation):
    options = {"border_mode": border_mode, "subsample": subsample, "output_shape": output_shape}
    y = deconv(params, "d", x, 4, kernel, activation=activation, **options)
    F, (W, b) = with_values(params)
    assert params.names == ("d_W", "d_b")
    assert tuple(W.shape[:2]) == (3, 4)
    expected = F.conv_transpose2d(torch_images(), W, b, **theirs)
    assert_computes(y, x, expected if activation is None else F.relu(expected))


def test_same_deconv_with_a_stride_enlarges_by_it_as_the_conv_that_it_undoes_makes_smaller(params):
    small, large = pt.tensor("small", shape=(None, 3, 7, 6)), pt.tensor("large", shape=(None, 2, 14, 12))
    y = deconv(params, "d", small, 2, 5, subsample=2)
    assert y.type.shape == (None, 2, 14, 12)
    undone = nn.layers.conv2d(large, params["d_W"], border_mode="same", subsample=2, filter_flip=False)
    transposed = pt.grad(pt.sum(undone * small), large)
    images = np.random.RandomState(3).normal(size=(2, 2, 14, 12))
    f = function([small, large], [y, transposed], on_unused_input="ignore")
    np.testing.assert_allclose(*f(IMAGES, images), rtol=1e-10, atol=1e-12)


def test_max_pool_loses_nothing(x):
    F, _ = with_values([])
    expected = F.max_pool2d(F.pad(torch_images(), (0, 0, 0, 1), value=-np.inf), 2)
    assert_computes(max_pool("pool", x, 2), x, expected)
    assert_computes(max_pool("pool", x, (2, 3), pad=0), x, F.max_pool2d(torch_images(), (2, 3)))


def test_upsample_repeats_pixels(x):
    F, _ = with_values([])
    assert_computes(upsample("up", x, 2), x, F.interpolate(torch_images(), scale_factor=2))
    assert_computes(upsample("up", x, (1, 3)), x, torch_images().repeat_interleave(3, 3))


def test_flatten_and_reshape_keep_the_order_of_numbers(x):
    flat = flatten("flat", x)
    assert_computes(flat, x, torch_images().flatten(1))
    assert_computes(reshape("maps", flat, (6, 3, 7)), x, torch_images().reshape(2, 6, 3, 7))


def test_flatten_of_images_of_unknown_size():
    x = pt.tensor("x", shape=(None, 3, None, None))
    np.testing.assert_array_equal(function([x], flatten("flat", x))(IMAGES), IMAGES.reshape(2, -1))


def test_initial_weights_are_drawn_by_the_given_function_and_biases_are_zero(params, x):
    conv(params, "c", x, 4, 3, W=lambda rng, shape: np.full(shape, rng.rand()))
    expected = np.random.RandomState(0).rand()
    np.testing.assert_array_equal(params["c_W"].get_value(), np.full((4, 3, 3, 3), expected))
    np.testing.assert_array_equal(params["c_b"].get_value(), np.zeros(4))


# What a layer is called


def test_an_expression_tells_what_it_is_as_a_layer(params, x, rows):
    layer = layer_of(conv(params, "c1", x, 4, 3, activation="relu", subsample=2))
    assert (layer.name, layer.kind) == ("c1", "convolution 3 x 3, stride 2, relu")
    assert layer.params == (params["c1_W"], params["c1_b"])
    kinds = [
        (deconv(params, "d1", x, 4, (3, 2), subsample=(2, 1)), "deconvolution 3 x 2, stride 2 x 1"),
        (dense(params, "h1", rows, 4, activation=lambda v: v), "dense, <lambda>"),
        (dense(params, "h2", rows, 4, activation="tanh"), "dense, tanh"),
        (max_pool("pool", x, (2, 3)), "max pooling 2 x 3"),
        (upsample("up", x, 2), "upsampling 2 x 2"),
        (flatten("flat", x), "flatten"),
        (reshape("form", rows, (5, 1)), "reshape"),
    ]
    assert [layer_of(y).kind for y, _ in kinds] == [kind for _, kind in kinds]
    assert all(y.name == layer_of(y).name for y, _ in kinds)
    assert layer_of(x) is None
    assert layer_of(x + 1) is None


def test_layers_come_in_the_order_of_computation_and_those_outside_do_not_come(params, rows):
    first = dense(params, "first", rows, 4)
    second = dense(params, "second", first + 1, 3)
    dense(params, "aside", first, 2)
    third = flatten("third", second)
    assert [layer.name for layer, _ in layers_of([rows], [third])] == ["first", "second", "third"]
    assert [v for _, v in layers_of([rows], [third])] == [first, second, third]
    assert [layer.name for layer, _ in layers_of([first], [third])] == ["second", "third"]


def test_a_layer_that_changes_nothing_is_another_expression_than_the_one_before(params, rows):
    first = dense(params, "first", rows, 4)
    changed = [flatten("again", first), reshape("again", first, (4,))]
    assert [[layer.name for layer, _ in layers_of([rows], [y])] for y in changed] == [["first", "again"]] * 2
    assert first.name == "first"


# What is refused


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda p, x, rows: dense(p, "h", x, 4),
            r"h: x: found shape \(None, 3, 7, 6\), expected \(n, n_in\) with a known n_in",
        ),
        (lambda p, x, rows: dense(p, "h", pt.matrix("m"), 4), r"h: x: found shape \(None, None\), expected"),
        (lambda p, x, rows: dense(p, "h", rows, 0), "h: n_out: found 0, expected an integer of at least 1"),
        (lambda p, x, rows: dense(p, "h", rows, True), "h: n_out: found True"),
        (lambda p, x, rows: dense(p, "h", rows, 2.0), "h: n_out: found 2.0"),
        (lambda p, x, rows: dense(p, "h", rows, 2, activation="selu"), "activation: found 'selu'"),
        (
            lambda p, x, rows: conv(p, "c", rows, 4, 3),
            r"c: x: found shape \(None, 5\), expected \(n, channels, h, w\) with known",
        ),
        (lambda p, x, rows: conv(p, "c", pt.tensor4("t"), 4, 3), r"c: x: found shape \(None, None, None, None\)"),
        (lambda p, x, rows: conv(p, "c", x, -1, 3), "c: maps: found -1, expected an integer of at least 1"),
        (lambda p, x, rows: conv(p, "c", x, 4, 0), "c: kernel"),
        (lambda p, x, rows: conv(p, "c", x, 4, (3, 3, 3)), "c: kernel"),
        (lambda p, x, rows: conv(p, "c", x, 4, 3, border_mode="some"), "border_mode"),
        (lambda p, x, rows: conv(p, "c", x, 4, 3, subsample=0), "subsample"),
        (lambda p, x, rows: deconv(p, "d", rows, 4, 3), r"d: x: found shape \(None, 5\)"),
        (
            lambda p, x, rows: deconv(p, "d", x, 4, 3, subsample=2, output_shape=(90, 90)),
            r"found maps of shape \(None, 3, 7, 6\)",
        ),
        (lambda p, x, rows: max_pool("pool", x, 0), "ws"),
        (lambda p, x, rows: upsample("up", x, 0), "factor: found 0|ratio: found 0"),
        (lambda p, x, rows: reshape("r", rows, (2, 3)), r"r: shape: found \(2, 3\), expected as many numbers as x has, \(5,\)"),
    ],
)
def test_what_does_not_fit_is_refused(params, x, rows, build, message):
    with pytest.raises(InputError, match=message):
        build(params, x, rows)


def test_a_refused_layer_leaves_no_parameters(params, rows, x):
    for build in (
        lambda: dense(params, "h", rows, 2, activation="selu"),
        lambda: conv(params, "c", x, 4, 3, border_mode="some"),
        lambda: deconv(params, "d", x, 4, 3, subsample=2, output_shape=(90, 90)),
    ):
        with pytest.raises(InputError):
            build()
    assert params.names == ()


def test_a_second_layer_of_a_name_is_refused(params, rows):
    dense(params, "h", rows, 2)
    with pytest.raises(InputError, match="parameter: found a second h_W"):
        dense(params, "h", rows, 2)


# Sizes that stay known: kernels are made for them


@pytest.mark.parametrize("shape", [(5, 1, 28, 28), (5, 784)])
@pytest.mark.parametrize("build", [ConvolutionalAutoencoder, StridedAutoencoder])
def test_with_minibatches_of_a_known_size_all_sizes_are_known(build, shape):
    x = pt.tensor("x", shape=(None, *shape[1:]))
    model = build(np.random.RandomState(0), input=x)
    minibatch = pt.tensor("minibatch", shape=shape)
    cost, updates = model.get_cost_updates()
    f = pytensor.function([minibatch], cost, updates=updates, givens=[(x, minibatch)], mode=Mode("py", None))
    unknown = [v for v in f.maker.fgraph.variables if None in getattr(v.type, "shape", ())]
    assert not unknown
