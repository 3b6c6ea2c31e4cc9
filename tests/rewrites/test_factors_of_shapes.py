"""A factor that follows from the size of a minibatch costs no pass of its own over the arrays of a step."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest

from symae import Autoencoder, function

CHOSEN = "factors_of_shapes"


def step():
    model = Autoencoder(np.random.RandomState(0), n_visible=6, n_hidden=3)
    cost, updates = model.get_cost_updates(0.0, 0.1)
    return model, cost, updates


def passes(compiled):
    """Count the elementwise passes over matrices."""
    nodes = compiled.maker.fgraph.toposort()
    kinds = ("Elemwise", "FusedElemwise")  # the latter, with reductions in the pass, from PyTensor 3.3 on
    return sum(type(node.op).__name__ in kinds and any(v.type.ndim == 2 for v in node.outputs) for node in nodes)


def test_the_tutorials_step_has_a_pass_less(rewritten):
    model, cost, updates = step()
    assert (
        passes(rewritten([model.x], cost, updates=updates))
        == passes(rewritten([model.x], cost, updates=updates, exclude=(CHOSEN,))) - 1
    )


@pytest.mark.parametrize("exclude", [(), (CHOSEN,)])
def test_costs_and_weights_stay(rewritten, exclude):
    model, cost, updates = step()
    f, x = rewritten([model.x], cost, updates=updates, exclude=exclude), np.random.default_rng(0).random((5, 6))
    plain, plain_cost, plain_updates = step()
    g = function([plain.x], plain_cost, updates=plain_updates, mode="FAST_COMPILE")
    np.testing.assert_allclose([f(x), f(x)], [g(x), g(x)], rtol=1e-12)
    np.testing.assert_allclose(model.W.get_value(), plain.W.get_value(), rtol=1e-10)


def test_numbers_of_shapes_and_of_arrays_meet_in_one_function():
    x, k = pt.dmatrix("x"), pt.dscalar("k")
    n = x.shape[0] * k
    total = (x**2).sum()
    f = function([x, k], [total / n, pt.exp(x) / n, n + 1, pt.grad(total / n, x)], backend="numba")
    X = np.arange(6.0).reshape(2, 3)
    mean, scaled, more, gradient = f(X, 3.0)
    assert (float(mean), float(more)) == (55 / 6, 7.0)
    np.testing.assert_allclose(scaled, np.exp(X) / 6, rtol=1e-15)
    np.testing.assert_allclose(gradient, 2 * X / 6)
