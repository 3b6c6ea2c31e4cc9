"""Sigmoid and softplus of `symae.theano` are what Theano 1.0.5's machine code computed, also far out; symae's own are exact."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.tensor.math import sigmoid

import symae
import symae.theano as theano
import symae.theano.tensor as T

# where the value jumps; seen in Theano 1.0.5 with its C code
CASES = [
    ("sigmoid", "float64", [19.0, 19.25, 30.0], [1 / (1 + np.exp(-19.0)), 1.0, 1.0]),
    ("softplus", "float64", [16.0, 16.25, 40.0], [np.log1p(np.exp(16.0)), 16.25, 40.0]),
    ("sigmoid", "float32", [15.0, 15.25], [np.float32(1 / (1 + np.exp(-15.0))), 1.0]),
]


@pytest.mark.parametrize(("name", "dtype", "values", "expected"), CASES)
def test_far_out_they_are_theanos(name, dtype, values, expected):
    x = T.vector("x", dtype=dtype)
    f = theano.function([x], getattr(T.nnet, name)(x))
    np.testing.assert_allclose(f(np.array(values, dtype)), expected, rtol=1e-15 if dtype == "float64" else 6e-8)
    assert (f(np.array(values[1:], dtype)) == expected[1:]).all()


def test_the_steps_of_a_scan_have_them_too():
    x = T.dvector("x")
    steps, _ = theano.scan(lambda v: T.nnet.sigmoid(v), sequences=[x])
    for mode in ("FAST_COMPILE", "numba"):
        assert theano.function([x], steps, mode=mode)([19.0, 19.25]).tolist() == [1 / (1 + np.exp(-19.0)), 1.0]


def test_logarithms_stay_exact():
    x = T.dvector("x")
    f = theano.function([x], [T.log(1 - T.nnet.sigmoid(x)), T.log(T.nnet.sigmoid(x))], mode="numba")
    one, other = f([50.0, -800.0])
    np.testing.assert_allclose(one, [-50, 0])
    np.testing.assert_allclose(other, [-np.exp(-50.0), -800])


def test_symaes_own_functions_do_not_have_them():
    x = pt.dvector("x")
    f = symae.function([x], sigmoid(x), mode="FAST_COMPILE")
    assert f([19.25])[0] < 1
    assert pytensor.function([x], sigmoid(x), mode="FAST_COMPILE")([19.25])[0] < 1
