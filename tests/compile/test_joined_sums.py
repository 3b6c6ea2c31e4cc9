"""Sums over the rows of a minibatch are added up among devices as one array, and nothing else is."""

from __future__ import annotations

import re

import numpy as np
import pytest

from symae.compile.joined_sums import with_joined_sums
from symae.compile.mesh import AXIS

jax = pytest.importorskip("jax")
pytestmark = [
    pytest.mark.on("jax"),
    pytest.mark.usefixtures("jax_in_double"),
    pytest.mark.skipif(not hasattr(jax, "shard_map"), reason="JAX before 0.7 adds up each sum"),
]

ROWS = 6
rng = np.random.RandomState(0)
X, Y, W = rng.rand(ROWS, 3), rng.rand(ROWS, 4), rng.rand(3, 4)
IMAGES = rng.rand(ROWS, 2, 5, 5)


def sums(function, *arrays, divided):
    """Return the shapes of what is added up among devices, and what is computed, after a look whether that is right."""
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]), (AXIS,))
    joined = jax.jit(with_joined_sums(function, mesh, AXIS, divided))
    found = joined(*arrays)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(function(*arrays)), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-14)
    text = str(jax.make_jaxpr(with_joined_sums(function, mesh, AXIS, divided))(*arrays))
    return re.findall(r"(\w+\[[\d,]*)\](?:\{[^}]*\})? = psum", text)


def step(x, y, w):
    """Make a step of a layer: gradients of weights and of biases, and the cost."""

    def cost(w, b):
        return ((jax.numpy.tanh(x @ w + b) - y) ** 2).sum(axis=1).mean()

    value, gradients = jax.value_and_grad(cost, argnums=(0, 1))(w, jax.numpy.zeros(4))
    return value, gradients


def test_gradients_and_costs_are_one_array():
    assert sums(step, X, Y, W, divided=(0, 1)) == ["f64[17"]  # 12 weights, 4 biases, the cost


def test_each_dtype_has_its_own():
    def two(x, y):
        return x.sum(axis=0), (y > 0.5).sum(axis=0), x.T @ y

    assert sorted(sums(two, X, Y, divided=(0, 1))) == ["f64[15", "i64[4"]


def test_sums_that_are_added_are_added_before_whichever_way_their_factors_lie():
    def tied(x, y):
        return 1 - 0.1 * (0.0 + x.T @ y + (y.T @ jax.numpy.tanh(x)).T), x.T @ y + jax.numpy.exp(x).T @ y

    # the transpose of a product is used by itself; the other two are one sum
    assert sums(tied, X, Y, divided=(0, 1)) == ["f64[36"]


def test_a_sum_that_is_used_twice_is_added_up_by_itself():
    def twice(x, y):
        p, q = x.T @ y, (2 * x).T @ y
        return p, p + q

    assert sums(twice, X, Y, divided=(0, 1)) == ["f64[24"]


def test_what_depends_on_a_sum_waits_for_it():
    def normalised(x):
        centred = x - x.mean(axis=0)
        return (centred**2).sum(axis=0), x.sum()

    assert sums(normalised, X, divided=(0,)) == ["f64[4", "f64[3"]


def test_gradients_of_filters_and_of_pooled_images_are_sums_over_the_minibatch():
    def convolved(images, filters):
        def cost(filters):
            maps = jax.lax.conv_general_dilated(images, filters, (1, 1), "SAME")
            pooled = jax.lax.reduce_window(maps, -np.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
            return (pooled.reshape(len(images), -1) @ np.ones((12, 2))).sum()

        return jax.value_and_grad(cost)(filters)

    assert sums(convolved, IMAGES, rng.rand(3, 2, 3, 3), divided=(0,)) == ["f64[55"]


def test_rows_are_followed_into_more_rows():
    def pixels(x, w):
        return (x.reshape(-1, 1).T @ jax.numpy.repeat(x, 1, axis=1).reshape(-1, 1)), w.sum()

    assert sums(pixels, X, W, divided=(0,)) == ["f64[1,1"]  # the weights are on each device


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: (x @ W, y.max(axis=0)),
        lambda x, y: jax.lax.fori_loop(0, 2, lambda i, c: c + x, x),
        lambda x, y: (x.sum(axis=1), jax.numpy.cumsum(y, axis=0)),
    ],
    ids=["each row for itself", "a loop", "along the others"],
)
def test_what_is_no_sum_over_the_minibatch_stays_as_it_is(function):
    assert sums(function, X, Y, divided=(0, 1)) == []


def test_nothing_is_divided_where_no_input_is():
    assert sums(step, X, Y, W, divided=()) == []


def test_of_parameters_that_are_divided_too_each_goes_by_itself():
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]).reshape(1, 1), (AXIS, "model"))
    text = str(jax.make_jaxpr(with_joined_sums(step, mesh, AXIS, (0, 1)))(X, Y, W))
    assert "concatenate" not in text
    assert "psum" in text
