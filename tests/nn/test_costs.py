"""Costs: values and gradients beside PyTorch's, and where rounding could spoil them."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest

from symae import ConvolutionalAutoencoder, StridedAutoencoder, function
from symae.nn import (
    Parameters,
    bernoulli_nll,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    dense,
    gaussian_kl,
    mean_squared_error,
    reshape,
    root_mean_square_error,
    sigmoid,
)

rng = np.random.RandomState(0)
X, Z, A = rng.rand(3, 8), rng.uniform(0.01, 0.99, (3, 8)), rng.normal(size=(3, 8))
SHAPES = [(3, 8), (3, 2, 2, 2)]

# logits far out, with every target beside each of them
LOGITS, TARGETS = (grid.reshape(3, -1) for grid in np.meshgrid([-1e4, -100, -1, 0, 1, 100, 1e4], [0.0, 0.25, 1.0]))


def costs_and_gradient(cost, x, z):
    x_, z_ = (pt.tensor(name, dtype=v.dtype, shape=(None,) * v.ndim) for name, v in (("x", x), ("z", z)))
    costs = cost(x_, z_)
    return function([x_, z_], [costs, pt.grad(pt.sum(costs), z_)])(x, z)


def torchs(cost, x, z):
    """PyTorch's `cost`, a number for each pixel, summed over each image, and its gradient."""
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    z_ = torch.tensor(z, requires_grad=True)
    costs = cost(torch.nn.functional, torch.tensor(x), z_).flatten(1).sum(1)
    costs.sum().backward()
    return costs.detach().numpy(), z_.grad.numpy()


def bce(F, x, z):
    return F.binary_cross_entropy(z, x, reduction="none")


def bce_with_logits(F, x, a):
    return F.binary_cross_entropy_with_logits(a, x, reduction="none")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("mine", "theirs", "z", "pixels"),
    [
        (binary_cross_entropy, bce, Z, 8),
        (binary_cross_entropy_with_logits, bce_with_logits, A, 8),
        (lambda x, a: binary_cross_entropy(x, sigmoid(a)), bce_with_logits, A, 8),
        (bernoulli_nll, bce_with_logits, A, 1),
        (mean_squared_error, lambda F, x, z: F.mse_loss(z, x, reduction="none"), Z, 8),
    ],
    ids=["binary_cross_entropy", "with_logits", "of a sigmoid", "bernoulli_nll", "mean_squared_error"],
)
def test_costs_and_gradients_are_pytorchs(mine, theirs, z, pixels, shape):
    found = costs_and_gradient(mine, X.reshape(shape), z.reshape(shape))
    for value, expected in zip(found, torchs(theirs, X.reshape(shape), z.reshape(shape)), strict=True):
        np.testing.assert_allclose(value, expected / pixels, rtol=1e-12)


def test_the_tutorials_cross_entropy_is_pytorchs():
    for value, expected in zip(costs_and_gradient(cross_entropy, X, Z), torchs(bce, X, Z), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-12)


# Binary cross-entropy where sigmoids are 0 and 1 to all digits


def expected_cross_entropy():
    """In float64, for each pixel, by a formula that is exact there: values and gradients with respect to the logits."""
    a, x = LOGITS, TARGETS
    return np.maximum(a, 0) - x * a + np.log1p(np.exp(-np.abs(a))), np.exp(-np.logaddexp(0, -a)) - x


def test_cross_entropy_far_out_is_right_in_float32_on_every_backend(float32_backend):
    # a pixel an image, so that none hides behind another; JAX needs to know how many
    x, a, z = (
        pt.tensor(name, dtype="float32", shape=(n, 1)) for name, n in (("x", TARGETS.size), ("a", TARGETS.size), ("z", 4))
    )
    costs = binary_cross_entropy(x, reshape("pixel", sigmoid(a), (1,)))
    sure = binary_cross_entropy(pt.constant(np.array([[0], [1], [0], [1]], "float32")), z)
    outputs = [costs, pt.grad(pt.sum(costs), a), sure, pt.grad(pt.sum(sure), z)]
    compute = function([x, a, z], outputs, backend=float32_backend)
    arguments = TARGETS.reshape(-1, 1), LOGITS.reshape(-1, 1), np.array([[0], [1], [1], [0]])
    found, gradient, sure, slope = compute(*(values.astype("float32") for values in arguments))
    expected, slopes = expected_cross_entropy()
    np.testing.assert_allclose(found, expected.reshape(-1), rtol=1e-6, atol=1e-37)
    np.testing.assert_allclose(gradient, slopes.reshape(-1, 1), rtol=1e-6, atol=1e-37)
    # probabilities that are 0 and 1 exactly, right and wrong
    least = -np.log(np.finfo("float32").tiny)
    np.testing.assert_allclose(sure, [0, 0, least, least], rtol=1e-6)
    np.testing.assert_array_equal(slope[2:], 0)
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("build", [ConvolutionalAutoencoder, StridedAutoencoder])
def test_a_models_cost_is_computed_from_its_logits(build, float32):
    model = build(
        np.random.RandomState(0), maps=(1, 1, 1), image_shape=(1, 12, 12) if build is StridedAutoencoder else (1, 8, 8)
    )
    cost, _ = model.get_cost_updates()
    f = function([model.x], [cost, *pt.grad(cost, model.params)])
    images = np.ones((2, *model.image_shape), "float32")
    for bias in (-1e4, -100.0):
        dict(zip(model.parameter_names, model.params, strict=True))["output_b"].set_value(np.float32([bias]))
        value, *gradients = f(images)
        assert value == pytest.approx(-bias, rel=0.02)
        assert all(np.isfinite(g).all() for g in gradients)
        assert gradients[-1] == pytest.approx(-1, rel=1e-6)


def test_the_sigmoid_of_a_layer_is_seen_through_a_reshape_and_a_copy():
    x, t = pt.matrix("x", shape=(None, 4)), pt.tensor4("t", shape=(None, 1, 2, 3))
    params = Parameters(np.random.RandomState(0))
    drawn = reshape("image", dense(params, "drawn", x, 6, activation="sigmoid"), (1, 2, 3))
    params["drawn_b"].set_value(np.full(6, -900.0))
    target = np.ones((2, 1, 2, 3))
    value = function([x, t], binary_cross_entropy(t, pt.tensor_copy(drawn)))(np.zeros((2, 4)), target)
    np.testing.assert_allclose(value, [900, 900], rtol=1e-12)


@pytest.mark.parametrize(("dtype", "most"), [("float32", 87.34), ("float64", 708.4)])
def test_a_probability_that_is_wrong_for_certain_costs_a_finite_number_and_pulls_nowhere(dtype, most):
    x, z = np.array([[0, 1], [0, 1]], dtype), np.array([[0, 1], [1, 0]], dtype)
    costs, gradient = costs_and_gradient(binary_cross_entropy, x, z)
    np.testing.assert_allclose(costs, [0, most], rtol=1e-4)
    np.testing.assert_array_equal(gradient[1], [0, 0])
    assert np.isfinite(gradient).all()


# Gaussian KL


@pytest.mark.parametrize("shape", SHAPES)
def test_gaussian_kl_and_its_gradients_are_pytorchs(shape):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    mean, log_variance = pt.tensor("m", shape=(None,) * len(shape)), pt.tensor("v", shape=(None,) * len(shape))
    costs = gaussian_kl(mean, log_variance)
    f = function([mean, log_variance], [costs, *pt.grad(pt.sum(costs), [mean, log_variance])])
    m, v = (torch.tensor(values.reshape(shape), requires_grad=True) for values in (X, A))
    normal = torch.distributions.Normal
    theirs = torch.distributions.kl_divergence(normal(m, torch.exp(v / 2)), normal(0.0, 1.0)).flatten(1).sum(1)
    theirs.sum().backward()
    expected = [theirs.detach().numpy(), m.grad.numpy(), v.grad.numpy()]
    for found, wanted in zip(f(X.reshape(shape), A.reshape(shape)), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize(("dtype", "size"), [("float64", 1e-6), ("float32", 1e-2)])
def test_gaussian_kl_near_zero_keeps_half_of_its_digits(dtype, size):
    # expected is the series of (exp(l) - 1 - l) / 2; without expm1 no digit would be left of size 1e-8
    m, v = pt.tensor("m", dtype=dtype, shape=(None, None)), pt.tensor("v", dtype=dtype, shape=(None, None))
    f = function([m, v], [gaussian_kl(m, v), pt.grad(pt.sum(gaussian_kl(m, v)), v)])
    near = np.array([[size], [-size]], dtype)
    exact = near.astype("float64")
    eps = np.finfo(dtype).eps
    divergence, gradient = f(np.zeros_like(near), near)
    expected = (exact**2 / 4 + exact**3 / 12 + exact**4 / 48)[:, 0]
    np.testing.assert_allclose(divergence, expected, rtol=4 * eps / size)
    np.testing.assert_allclose(gradient, np.expm1(exact) / 2, atol=eps)


def test_gaussian_kl_of_the_standard_normal_distribution_is_zero():
    m, v = pt.dmatrix("m"), pt.dmatrix("v")
    np.testing.assert_array_equal(function([m, v], gaussian_kl(m, v))(np.zeros((2, 3)), np.zeros((2, 3))), [0, 0])


# Root mean square errors


@pytest.mark.parametrize("shape", [(4, 6), (4, 2, 3, 5)])
def test_the_root_mean_square_error_is_over_all_but_the_first_axis(shape):
    rng = np.random.RandomState(0)
    a, b = rng.normal(size=shape), rng.normal(size=shape)
    x, z = pt.tensor("x", shape=(None,) * len(shape)), pt.tensor("z", shape=(None,) * len(shape))
    expected = np.sqrt(((a - b).reshape(4, -1) ** 2).mean(axis=1))
    np.testing.assert_allclose(function([x, z], root_mean_square_error(x, z))(a, b), expected, rtol=1e-12)


def test_an_image_that_is_met_exactly_has_no_gradient_instead_of_nan():
    errors, gradient = costs_and_gradient(root_mean_square_error, np.zeros((2, 4)), np.array([[0.0] * 4, [2.0] * 4]))
    np.testing.assert_array_equal(errors, [0, 2])
    np.testing.assert_array_equal(gradient, [[0] * 4, [0.25] * 4])


@pytest.mark.parametrize(
    "cost",
    [binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy, mean_squared_error, root_mean_square_error],
)
def test_float32_stays_float32(cost):
    x, z = pt.fmatrix("x"), pt.fmatrix("z")
    costs = cost(x, z)
    assert (costs.dtype, pt.grad(pt.sum(costs), z).dtype) == ("float32", "float32")
