"""Activations: values and gradients beside PyTorch's, far from zero too."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest

from symae import InputError, function
from symae.nn import ACTIVATIONS, activation, elu, leaky_relu, linear, relu, softmax

POINTS = np.array([[-1e4, -800.0, -30.0, -1.5, -1e-9, -0.0], [0.0, 1e-9, 0.3, 30.0, 800.0, 1e4]])
WEIGHTS = np.random.RandomState(0).normal(size=POINTS.shape)


def value_and_gradient(f, points=POINTS, weights=WEIGHTS):
    x = pt.tensor("x", dtype=points.dtype, shape=(None,) * points.ndim)
    return function([x], [f(x), pt.grad(pt.sum(f(x) * weights.astype(points.dtype)), x)])(points)


def torchs(f):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    x = torch.tensor(POINTS, requires_grad=True)
    y = f(torch.nn.functional, x)
    (y * torch.tensor(WEIGHTS)).sum().backward()
    return y.detach().numpy(), x.grad.numpy()


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (linear, lambda F, x: 1 * x),
        (relu, lambda F, x: F.relu(x)),
        (leaky_relu, lambda F, x: F.leaky_relu(x)),
        (lambda x: leaky_relu(x, 0.3), lambda F, x: F.leaky_relu(x, 0.3)),
        (elu, lambda F, x: F.elu(x)),
        (lambda x: elu(x, 0.5), lambda F, x: F.elu(x, 0.5)),
        ("sigmoid", lambda F, x: x.sigmoid()),
        ("tanh", lambda F, x: x.tanh()),
        ("softplus", lambda F, x: F.softplus(x, threshold=50)),
        (softmax, lambda F, x: F.softmax(x, dim=-1)),
    ],
    ids=["linear", "relu", "leaky_relu", "leaky_relu 0.3", "elu", "elu 0.5", "sigmoid", "tanh", "softplus", "softmax"],
)
def test_values_and_gradients_are_pytorchs(mine, theirs):
    for found, expected in zip(value_and_gradient(activation(mine)), torchs(theirs), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-300)


def test_relu_and_its_gradient_are_zero_below_and_at_zero():
    y, g = value_and_gradient(relu, np.array([-2.0, -0.0, 0.0, 3.0, np.nan]), np.ones(5))
    np.testing.assert_array_equal(y, [0, 0, 0, 3, np.nan])
    np.testing.assert_array_equal(g[:4], [0, 0, 0, 1])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_float32_stays_float32(name, float32):
    x = pt.fmatrix("x")
    y = activation(name)(x)
    assert (y.dtype, pt.grad(pt.sum(y), x).dtype) == ("float32", "float32")


def test_an_activation_is_had_by_its_name_and_a_function_is_taken_as_it_is():
    assert activation("relu") is relu
    assert activation(None) is linear
    assert activation(np.tanh) is np.tanh


def test_an_unknown_activation_is_refused_with_the_names_of_all():
    known = "linear, relu, leaky_relu, elu, sigmoid, tanh, softplus, softmax"
    with pytest.raises(InputError, match=f"activation: found 'selu', expected a function, or one of {known}"):
        activation("selu")
