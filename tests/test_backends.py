"""What symae adds to PyTensor's backends."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest

from symae import function

X = np.random.RandomState(0).randint(0, 4, (3, 4, 5)).astype("float32")  # few values, so there are ties


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_argmax_takes_the_first_maximum_on_every_backend(float32_backend, axis):
    x = pt.ftensor3("x")
    assert np.array_equal(function([x], pt.argmax(x, axis=axis), backend=float32_backend)(X), X.argmax(axis=axis))


def test_equality_is_elementwise_on_every_backend(float32_backend):
    x = pt.ftensor3("x")
    assert np.array_equal(function([x], pt.eq(x, 2.0), backend=float32_backend)(X), X == 2)


def test_sums_and_products_of_many_broadcast_on_every_backend(float32_backend):
    x = pt.ftensor3("x")
    row, number = x.max(axis=(0, 1), keepdims=True), x[1, 1, 1]
    outputs = [row + x + number + x, row * x * number, x.mean(axis=0) * pt.cast(x.shape[0], "float32")]
    for got, wanted in zip(
        function([x], outputs, backend=float32_backend)(X),
        [X.max((0, 1)) + 2 * X + X[1, 1, 1], X.max((0, 1)) * X * X[1, 1, 1], X.sum(axis=0)],
        strict=True,
    ):
        np.testing.assert_allclose(got, wanted, rtol=1e-6)
