"""Errors have Theano's types: of constant indices, of axes that are said to broadcast; and eigenvalues Theano's dtype."""

from __future__ import annotations

import numpy as np
import pytest

import symae.theano.tensor as T
from symae import function


@pytest.mark.table(3)
@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda x: x[[0, 5]], IndexError, "index 5 is out of bounds for axis 0 with size 2"),
        (lambda x: x[5], IndexError, "index 5 is out of bounds for axis 0 with size 2"),
        (lambda x: T.inc_subtensor(x[[0, 5]], 1), IndexError, "index 5 is out of bounds for axis 0 with size 2"),
        (
            lambda x: T.addbroadcast(x, 1),
            ValueError,
            r"Dimension 1 in Rebroadcast's input was supposed to be 1 \(got 3 instead\)",
        ),
        (lambda x: T.patternbroadcast(x, (True, False)), ValueError, r"Dimension 0 .* supposed to be 1 \(got 2 instead\)"),
    ],
    ids=["constants", "constant", "increased", "addbroadcast", "patternbroadcast"],
)
@pytest.mark.parametrize("where", [{"backend": "numba"}, {"mode": "FAST_COMPILE"}], ids=["numba", "FAST_COMPILE"])
def test_errors_at_run_time_are_theanos(build, error, message, where):
    x = T.matrix("x", dtype="float64")
    with pytest.raises(error, match=message):
        function([x], build(x), **where)(np.zeros((2, 3)))


@pytest.mark.parametrize(
    "build", [lambda x: T.addbroadcast(x, 5), lambda x: T.patternbroadcast(x, (True, False, True))], ids=["axis", "pattern"]
)
def test_an_axis_that_is_not_there_cannot_broadcast(build):
    with pytest.raises(ValueError, match=r"axes|pattern"):
        build(T.matrix())


def test_what_broadcasts_is_computed_with_on_every_backend(float32_backend):
    x, y = T.fmatrix("x"), T.fmatrix("y")
    row = T.addbroadcast(x, 0)
    f = function([x, y], [row + y, T.grad((row * y).sum(), x)], backend=float32_backend)
    total, gradient = f(np.ones((1, 3), "float32"), np.arange(6, dtype="float32").reshape(2, 3))
    np.testing.assert_array_equal(total, [[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(gradient, [[3, 5, 7]])
    with pytest.raises(ValueError, match=r"Dimension 0 in Rebroadcast's input was supposed to be 1 \(got 2 instead\)"):
        f(np.ones((2, 3), "float32"), np.ones((2, 3), "float32"))


@pytest.mark.default_mode
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_real_matrix_has_real_eigenvalues(dtype):
    x = T.matrix("x", dtype=dtype)
    values, vectors = T.nlinalg.eig(x)
    assert values.dtype == vectors.dtype == dtype
    symmetric = np.array([[2, 1], [1, 3]], dtype)
    found, of_them = function([x], [values, vectors], backend="numba")(symmetric)
    assert found.dtype == of_them.dtype == dtype
    np.testing.assert_allclose(sorted(found), np.linalg.eigvalsh(symmetric), rtol=1e-6)
    np.testing.assert_allclose(symmetric @ of_them, of_them * found, rtol=1e-5)
