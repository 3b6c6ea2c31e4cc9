"""What symae adds to PyTensor's backends."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest

from symae import function

X = np.random.RandomState(0).randint(0, 4, (3, 4, 5)).astype("float64")  # few values, so there are ties


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_argmax_takes_the_first_maximum_on_every_backend(backend, axis):
    x = pt.dtensor3("x")
    assert np.array_equal(np.asarray(function([x], pt.argmax(x, axis=axis), backend=backend)(X)), X.argmax(axis=axis))


def test_equality_is_elementwise_on_every_backend(backend):
    x = pt.dtensor3("x")
    assert np.array_equal(np.asarray(function([x], pt.eq(x, 2.0), backend=backend)(X)), X == 2)
