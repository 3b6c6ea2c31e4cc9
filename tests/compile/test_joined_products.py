"""Sums of products over the rows of a minibatch become one product, and nothing else does."""

from __future__ import annotations

import numpy as np
import pytest

from symae.compile.joined_products import with_joined_products

jax = pytest.importorskip("jax")
pytestmark = [pytest.mark.on("jax"), pytest.mark.usefixtures("jax_in_double")]

ROWS = 7
rng = np.random.RandomState(0)
A, B, C, D = rng.rand(ROWS, 3), rng.rand(ROWS, 4), rng.rand(ROWS, 3), rng.rand(ROWS, 4)


def products(function, *arrays):
    """Return how many products the program has that `function` becomes, and what it computes."""
    joined = with_joined_products(function, {ROWS})
    return str(jax.make_jaxpr(joined)(*arrays)).count("dot_general"), joined(*arrays)


def test_a_sum_of_two_products_over_the_rows_is_one_whichever_way_their_factors_lie():
    def tied(a, b, c, d):
        return 1 - 0.1 * (0.0 + a.T @ b + jax.numpy.matmul(c, d)), a.sum()

    n, (found, total) = products(tied, A, B, np.ascontiguousarray(C.T), D)
    assert n == 1
    np.testing.assert_allclose(found, 1 - 0.1 * (A.T @ B + C.T @ D), rtol=1e-14)
    np.testing.assert_allclose(total, A.sum(), rtol=1e-14)


@pytest.mark.parametrize(
    "function",
    [
        lambda a, b, c, d: (lambda p, q: (p, p + q, q))(a.T @ b, c.T @ d),  # what is used elsewhere too is computed anyway
        lambda a, b, c, d: (a @ b[:3] + c @ d[:3],),  # each row for itself
        lambda a, b, c, d: (a.T @ b + c[:3, :1],),
        lambda a, b, c, d: (a.T @ b - c.T @ d,),
        lambda a, b, c, d: (0.0 + a.T @ b, c.T @ d),
    ],
    ids=["used twice", "not over the rows", "one product", "a difference", "a sum of one"],
)
def test_other_products_stay_as_they_are(function):
    n, found = products(function, A, B, C, D)
    assert n == str(jax.make_jaxpr(function)(A, B, C, D)).count("dot_general")
    for one, other in zip(found, function(A, B, C, D), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-14)
