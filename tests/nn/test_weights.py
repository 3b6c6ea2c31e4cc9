"""Initial weights: their ranges, deviations and dtypes."""

from __future__ import annotations

import numpy as np
import pytensor
import pytest

from symae import InputError
from symae.nn import glorot_normal, glorot_uniform, he_normal, he_uniform, tutorial_weights

MATRIX, FILTERS = (300, 200), (32, 16, 5, 5)


@pytest.mark.parametrize(
    ("weights", "shape", "limit"),
    [
        (glorot_uniform, MATRIX, np.sqrt(6 / 500)),
        (glorot_uniform, FILTERS, np.sqrt(6 / ((32 + 16) * 25))),
        (he_uniform, MATRIX, np.sqrt(6 / 300)),
        (he_uniform, FILTERS, np.sqrt(6 / (16 * 25))),
    ],
)
def test_uniform_weights_fill_their_range(weights, shape, limit):
    values = weights(np.random.RandomState(0), shape, scale=0.5)
    assert values.shape == shape
    assert values.dtype == pytensor.config.floatX
    assert 0.99 * 0.5 * limit < np.abs(values).max() <= 0.5 * limit
    assert abs(values.mean()) < 0.01 * limit


@pytest.mark.parametrize(
    ("weights", "shape", "deviation"),
    [
        (glorot_normal, MATRIX, np.sqrt(2 / 500)),
        (glorot_normal, FILTERS, np.sqrt(2 / ((32 + 16) * 25))),
        (he_normal, MATRIX, np.sqrt(2 / 300)),
        (he_normal, FILTERS, np.sqrt(2 / (16 * 25))),
    ],
)
def test_normal_weights_have_their_deviation(weights, shape, deviation):
    values = weights(np.random.RandomState(0), shape, scale=2.0)
    assert values.shape == shape
    assert values.dtype == pytensor.config.floatX
    assert values.std() == pytest.approx(2 * deviation, rel=0.02)
    assert abs(values.mean()) < 4 * 2 * deviation / np.sqrt(values.size)


def test_the_variances_are_those_of_pytorch():
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    theirs = torch.empty(FILTERS)
    for mine, initialise in [(glorot_normal, torch.nn.init.xavier_normal_), (he_normal, torch.nn.init.kaiming_normal_)]:
        initialise(theirs, generator=torch.Generator().manual_seed(0))
        assert mine(np.random.RandomState(0), FILTERS).std() == pytest.approx(float(theirs.std()), rel=0.02)


def test_weights_of_the_tutorials_are_glorots_times_four():
    expected = 4 * glorot_uniform(np.random.RandomState(7), (5, 3))
    np.testing.assert_allclose(tutorial_weights(np.random.RandomState(7), 5, 3), expected, rtol=1e-15)


@pytest.mark.parametrize("weights", [glorot_uniform, glorot_normal, he_uniform, he_normal])
def test_weights_are_of_float_x_whatever_that_is(weights, float32):
    assert weights(np.random.RandomState(0), (2, 3)).dtype == np.float32


@pytest.mark.parametrize("shape", [(3,), (2, 3, 4), ()])
def test_other_shapes_are_refused(shape):
    with pytest.raises(InputError, match=r"shape of weights: found \(.*\), expected \(n_in, n_out\) or \(maps, channels"):
        glorot_uniform(np.random.RandomState(0), shape)
