"""Maxima and minima are NumPy's on Numba: NaN comes through, and nothing has none."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest

from symae import function

AXES = [None, 0, 1]


def reductions(x):
    return [*(x.max(axis=axis) for axis in AXES), x.T.max(axis=1), x.min(axis=1), x.argmax(axis=1)]


@pytest.fixture(scope="module")
def extremes():
    """Reductions of a matrix, and the gradient of its largest entries in each row."""
    x = pt.fmatrix("x")
    return function([x], [*reductions(x), pt.grad(x.max(axis=1).sum(), x)], backend="numba")


@pytest.mark.parametrize("shape", [(3, 4), (5, 200), (200, 3), (1, 1)])
@pytest.mark.parametrize("where", ["nowhere", "first", "last", "many"])
def test_nan_comes_through_maxima_and_minima(extremes, shape, where):
    x = np.random.RandomState(0).normal(size=shape).astype("float32")
    x.flat[{"nowhere": [], "first": [0], "last": [-1], "many": slice(None, None, 7)}[where]] = np.nan
    *got, gradient = extremes(x)
    for one, other in zip(got, reductions(x), strict=True):
        np.testing.assert_array_equal(one, other)
    if where == "nowhere":
        np.testing.assert_array_equal(gradient, x == x.max(axis=1, keepdims=True))


def test_nothing_has_no_maximum():
    x = pt.dmatrix("x")
    maxima = {axis: function([x], x.max(axis), backend="numba") for axis in AXES}
    for axis, shape in ((None, (0, 3)), (None, (3, 0)), (0, (0, 3)), (1, (3, 0))):
        with pytest.raises(ValueError, match="zero-size array to reduction operation maximum which has no identity"):
            maxima[axis](np.zeros(shape))
    assert maxima[0](np.zeros((3, 0))).shape == maxima[1](np.zeros((0, 3))).shape == (0,)


def test_integers_and_infinities_have_extremes_too():
    x, k = pt.dvector("x"), pt.ivector("k")
    f = function([x, k], [x.max(), x.min(), k.max(), k.min()], backend="numba")
    assert [float(v) for v in f([-np.inf, -np.inf], [-3, -1])] == [-np.inf, -np.inf, -1, -3]


@pytest.mark.default_mode
def test_arrays_that_lie_anyhow_in_memory_have_extremes():
    v, t = pt.dvector("v"), pt.dtensor3("t")
    f = function(
        [v, t], [v[::2].max(), pt.tanh(t).sum(axis=0).max(), t.transpose(2, 0, 1).min(), t[:, ::2].max()], backend="numba"
    )
    x, y = np.arange(7.0), np.arange(24.0).reshape(2, 3, 4)
    found = [float(value) for value in f(x, y)]
    assert found == pytest.approx([6.0, np.tanh(y).sum(axis=0).max(), 0.0, 23.0])
