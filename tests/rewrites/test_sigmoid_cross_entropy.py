"""The cross-entropy of a sigmoid and its gradient are computed of one exponential, in every form that tutorials write it."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from backend_params import on
from pytensor.scalar.math import Softplus

from symae import Autoencoder, function
from symae.compile import options, pure_step
from symae.ops.elementwise import SigmoidCrossEntropy

a, x = pt.dmatrix("a"), pt.dmatrix("x")
z = pt.sigmoid(a)
A = np.array([[0.0, -3.0, 40.0], [800.0, -800.0, 1e4]])
X = np.array([[0.5, 0.25, 1.0], [0.0, 0.5, 1.0]])

FORMS = {
    "of all tutorials": lambda: -pt.sum(x * pt.log(z) + (1 - x) * pt.log(1 - z), axis=1).mean(),
    "two sums": lambda: (-pt.sum(x * pt.log(z), axis=1) - pt.sum((1 - x) * pt.log(1 - z), axis=1)).mean(),
    "negated within": lambda: pt.mean(-x * pt.log(z) - (1 - x) * pt.log(1 - z)),
    "doubled": lambda: pt.sum(-2 * (x * pt.log(z) + (1 - x) * pt.log(1 - z))),
    "with something added": lambda: pt.sum(-(x * pt.log(z) + (1 - x) * pt.log(1 - z)) + pt.sqr(x)),
}


def exact(a, x):
    return np.abs(a) * np.where(a > 0, 1 - x, x) + np.log1p(np.exp(-np.abs(a)))


@pytest.mark.parametrize("form", [form for form in FORMS if form != "two sums"])
def test_every_form_is_recognised_and_its_gradient_is_sigmoid_minus_target(form, rewritten, ops_of):
    cost = FORMS[form]()
    f = rewritten([a, x], [cost, pt.grad(cost, a)])
    assert len(ops_of(f, SigmoidCrossEntropy)) == 1
    assert not ops_of(f, Softplus)
    plain = function([a, x], [cost, pt.grad(cost, a)], mode="FAST_COMPILE")
    moderate = np.clip(A, -8, 8)
    for found, expected in zip(f(moderate, X), plain(moderate, X), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_terms_that_are_summed_apart_are_left_alone(rewritten, ops_of):
    f = rewritten([a, x], FORMS["two sums"]())
    assert not ops_of(f, SigmoidCrossEntropy)
    np.testing.assert_allclose(f(A, X), exact(A, X).sum(axis=1).mean())


def test_it_is_exact_for_logits_of_any_size(rewritten):
    cost = -(x * pt.log(z) + (1 - x) * pt.log(1 - z))
    f = rewritten([a, x], [cost, pt.grad(cost.sum(), a)])
    value, gradient = f(A, X)
    np.testing.assert_allclose(value, exact(A, X), rtol=1e-15)
    np.testing.assert_allclose(gradient, np.where(A > -700, 1 / (1 + np.exp(-np.clip(A, -700, None))), 0) - X, atol=1e-16)


@pytest.mark.parametrize(
    "other",
    [
        lambda: x * pt.log(z) + (2 - x) * pt.log(1 - z),
        lambda: x * pt.log(z) + 3 * (1 - x) * pt.log(1 - z),
        lambda: x * pt.log(pt.sigmoid(a + 1)) + (1 - x) * pt.log(1 - z),
        lambda: x * pt.log(z) - (1 - x) * pt.log(1 - z),
        lambda: x * pt.log(z) + (1 - a) * pt.log(1 - z),
    ],
    ids=["weights that do not add up", "other factors", "two logits", "a difference", "weights of two variables"],
)
def test_what_only_looks_like_it_is_left_alone(other, rewritten, ops_of):
    y = other()
    f = rewritten([a, x], [y, pt.grad(y.sum(), a)])
    assert not ops_of(f, SigmoidCrossEntropy)
    moderate = np.clip(A, -8, 8)
    for found, expected in zip(f(moderate, X), function([a, x], [y, pt.grad(y.sum(), a)])(moderate, X), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_the_tutorials_autoencoder_has_it(rewritten, ops_of):
    da = Autoencoder(np.random.RandomState(0), n_visible=6, n_hidden=3)
    cost, updates = da.get_cost_updates(0.0, 0.1)
    assert len(ops_of(rewritten([da.x], cost, updates=updates), SigmoidCrossEntropy)) == 1
    assert not ops_of(rewritten([da.x], cost, updates=updates, exclude=("sigmoid_cross_entropy",)), SigmoidCrossEntropy)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_machine_code_gives_the_same_and_no_nan_at_ten_thousand(dtype):
    a, x = pt.matrix("a", dtype=dtype), pt.matrix("x", dtype=dtype)
    z = pt.sigmoid(a)
    cost = -pt.sum(x * pt.log(z) + (1 - x) * pt.log(1 - z), axis=1)
    values = np.linspace(-40, 40, 64).reshape(2, 32).astype(dtype)
    values[0, :2] = 1e4, -1e4
    target = np.random.default_rng(0).random((2, 32)).astype(dtype)
    outputs = [cost, pt.grad(cost.mean(), a)]
    fused = function([a, x], outputs, backend="numba")(values, target)
    with options(exclude=["sigmoid_cross_entropy", "vectorised_functions"]):
        plain = function([a, x], outputs, backend="numba")(values, target)
    for found, expected in zip(fused, plain, strict=True):
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found, expected, rtol=1e-13 if dtype == "float64" else 2e-6, atol=1e-7)


@pytest.mark.parametrize("backend", [on("jax"), on("pytorch", pytest.mark.backends)])
def test_it_is_exact_on_backends_that_trace_too(backend, ops_of):
    cost = -(x * pt.log(z) + (1 - x) * pt.log(1 - z))
    f = function([a, x], [cost, pt.grad(cost.sum(), a)], backend=backend)
    assert len(ops_of(f, SigmoidCrossEntropy)) == 1
    value, gradient = f(A, X)
    np.testing.assert_allclose(value, exact(A, X), rtol=1e-15)
    np.testing.assert_allclose(gradient, np.where(A > -700, 1 / (1 + np.exp(-np.clip(A, -700, None))), 0) - X, atol=1e-16)


@pytest.mark.parametrize("backend", [on("jax")])
def test_its_derivative_by_jax_is_sigmoid_minus_target_where_the_logit_is_zero_too(backend, jax_in_double):
    import jax

    logits = pytensor.shared(np.array([0.0, -3.0, 40.0, 800.0]), "logits")
    s, target = pt.sigmoid(logits), pt.dvector("target")
    step, state = pure_step(-pt.sum(target * pt.log(s) + (1 - target) * pt.log(1 - s)), [], target)
    values = np.array([0.25, 0.5, 1.0, 0.0])
    derivative = jax.grad(lambda state: step(state, values)[1]["cost"])(state)
    (found,) = jax.tree.leaves(derivative)
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits.get_value())) - values, atol=1e-15)
