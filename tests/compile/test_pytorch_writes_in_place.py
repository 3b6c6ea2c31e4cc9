"""A step that writes into its weights' arrays changes nothing else, and gives what is computed of the values before it."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from backend_params import on

from symae import function
from symae.errors import InputError

pytest.importorskip("torch")
pytestmark = pytest.mark.parametrize("backend", [on("pytorch")])

rng = np.random.RandomState(0)
N = 40
X = rng.randn(N, N) / N
i, x, counts = pt.lscalar("i"), pt.dmatrix("x"), pt.lvector("counts")
W, V = (pytensor.shared(np.zeros((N, N)), name=name) for name in "WV")
FIRST, SECOND = rng.randn(N, N), rng.randn(N, N)
cost = 2 * x[i : i + 1].sum()


@pytest.fixture(autouse=True)
def values():
    W.set_value(FIRST)
    V.set_value(SECOND)


def steps(step, *arguments):
    """Compute three steps, of which the second and third write in place where one may."""
    return [step(*arguments) for _ in range(3)]


def test_a_minibatch_of_the_weights_themselves_is_that_of_before_the_step(backend):
    rows = W[i : i + N]
    step = function([i, x], [rows[0] * 2], updates=[(W, W - pt.dot(x.T, rows)), (V, V - pt.dot(x, rows))], backend=backend)
    w, v = FIRST, SECOND
    for (found,) in steps(step, 0, X):
        np.testing.assert_allclose(found, 2 * w[0], rtol=1e-10)
        w, v = w - X.T @ w, v - X @ w
    np.testing.assert_allclose(W.get_value(), w, rtol=1e-10)
    np.testing.assert_allclose(V.get_value(), v, rtol=1e-10)


def test_a_row_of_the_weights_that_is_given_back_is_that_of_before_the_step(backend):
    step = function([i, x], W[i], updates=[(W, W - pt.dot(x.T, x))], backend=backend)
    for k, found in enumerate(steps(step, 1, X)):
        np.testing.assert_allclose(found, (FIRST - k * X.T @ X)[1], rtol=1e-10)


@pytest.mark.parametrize("order", [1, -1])
def test_an_entry_of_the_weights_that_multiplies_is_that_of_before_the_step(backend, order):
    updates = [(W, W - pt.dot(x.T, x)), (V, V + W[0, 0] * pt.dot(x, x))]
    steps(function([i, x], cost, updates=updates[::order], backend=backend), 0, X)
    w, v = FIRST, SECOND
    for _ in range(3):
        w, v = w - X.T @ X, v + w[0, 0] * X @ X
    np.testing.assert_allclose(V.get_value(), v, rtol=1e-10)


def test_weights_are_not_written_while_they_are_data_by_whatever_view(backend):
    step = function([i, x], cost, updates=[(W, W - pt.dot(x.T, x))], backend=backend)
    step(0, X)
    before = W.get_value()
    step(0, np.lib.stride_tricks.sliding_window_view(W.get_value(borrow=True), (N, N))[0, 0])
    np.testing.assert_allclose(W.get_value(), before - before.T @ before, rtol=1e-10)


@pytest.mark.parametrize("order", [1, -1])
def test_a_product_that_does_not_fit_leaves_all_weights_as_they_were(backend, order):
    some = pt.tanh(pt.repeat(x, counts, axis=0))  # of as many rows as the values say
    updates = [(W, W - pt.dot(x.T, x)), (V, V - pt.dot(x, x) - pt.dot(some, x))]
    step = function([i, x, counts], cost, updates=updates[::order], backend=backend)
    ones = np.ones(N, np.int64)
    steps(step, 0, X, ones)
    before = [W.get_value(), V.get_value()]
    with pytest.raises(InputError, match="matrix product"):
        step(0, X, np.where(np.arange(N) == 3, 0, ones))
    np.testing.assert_array_equal(W.get_value(), before[0])
    np.testing.assert_array_equal(V.get_value(), before[1])


def test_what_is_computed_of_a_number_is_the_callers_to_change(backend):
    rate = pytensor.shared(0.0)
    half, decayed = 0.5 * (2 * i).astype("float64"), pt.exp(-(2 * i).astype("float64"))
    step = function([i, x], [cost * half, half], updates=[(rate, decayed)], backend=backend)
    for _ in range(3):
        _, found = step(2, X)
        assert found == 2
        assert rate.get_value() == np.exp(-4)
        found += 100
        rate.get_value(borrow=True)[...] = 100
