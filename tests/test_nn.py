"""Activations, costs and initial weights."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from symae import function
from symae.nn import glorot_uniform, relu, root_mean_square_error


def test_relu_and_its_gradient_are_zero_below_and_at_zero():
    x = pt.dvector("x")
    f = function([x], [relu(x), pt.grad(pt.sum(relu(x)), x)])
    y, g = f(np.array([-2.0, -0.0, 0.0, 3.0, np.nan]))
    np.testing.assert_array_equal(y, [0, 0, 0, 3, np.nan])
    np.testing.assert_array_equal(g[:4], [0, 0, 0, 1])


@pytest.mark.parametrize("shape", [(4, 6), (4, 2, 3, 5)])
def test_the_root_mean_square_error_is_over_all_but_the_first_axis(shape):
    rng = np.random.RandomState(0)
    a, b = rng.normal(size=shape), rng.normal(size=shape)
    x, z = pt.tensor("x", shape=(None,) * len(shape)), pt.tensor("z", shape=(None,) * len(shape))
    expected = np.sqrt(((a - b).reshape(4, -1) ** 2).mean(axis=1))
    np.testing.assert_allclose(function([x, z], root_mean_square_error(x, z))(a, b), expected, rtol=1e-12)


def test_an_image_that_is_met_exactly_has_no_gradient_instead_of_nan():
    x, z = pt.dmatrix("x"), pt.dmatrix("z")
    error = root_mean_square_error(x, z)
    f = function([x, z], [error, pt.grad(pt.sum(error), z)])
    errors, gradient = f(np.zeros((2, 4)), np.array([[0.0] * 4, [2.0] * 4]))
    np.testing.assert_array_equal(errors, [0, 2])
    np.testing.assert_array_equal(gradient, [[0] * 4, [0.25] * 4])


def test_glorots_filters_fill_their_range():
    filters = glorot_uniform(np.random.RandomState(0), (32, 16, 5, 5), scale=0.5)
    limit = 0.5 * np.sqrt(6 / ((32 + 16) * 25))
    assert filters.dtype == pytensor.config.floatX
    assert 0.99 * limit < np.abs(filters).max() <= limit
    assert abs(filters.mean()) < 0.01 * limit
