"""Penalties of codes that are not sparse, and the activation that makes them so."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.gradient import verify_grad
from scipy.special import rel_entr

from symae import InputError, function, nn

ACTIVATIONS = np.random.RandomState(0).uniform(0.02, 0.98, size=(7, 5))


def divergence(y, target):
    active = y.mean(axis=0)
    return (rel_entr(target, active) + rel_entr(1 - target, 1 - active)).sum()


def test_the_divergence_is_the_sum_of_those_of_the_units_on_every_backend(backend):
    y = pt.matrix("y", dtype="float64")
    penalty = nn.kl_sparsity(y, 0.2)
    value, gradient = function([y], [penalty, pt.grad(penalty, y)], backend=backend)(ACTIVATIONS)
    assert float(value) == pytest.approx(divergence(ACTIVATIONS, 0.2), rel=1e-12)
    active = ACTIVATIONS.mean(axis=0)
    np.testing.assert_allclose(gradient, np.tile((-0.2 / active + 0.8 / (1 - active)) / 7, (7, 1)), rtol=1e-10)


def test_the_divergence_is_nothing_where_all_units_are_as_active_as_they_should_be():
    y = np.full((4, 3), 0.05)
    assert float(nn.kl_sparsity(pt.constant(y), 0.05).eval()) == pytest.approx(0, abs=1e-15)
    assert float(nn.kl_sparsity(pt.constant(y), pt.constant(0.1)).eval()) == pytest.approx(divergence(y, 0.1))


@pytest.mark.parametrize("saturated", [0.0, 1.0])
def test_the_divergence_and_its_gradient_are_finite_where_units_saturate(saturated, float32):
    y = pt.matrix("y")
    penalty = nn.kl_sparsity(y)
    assert penalty.dtype == "float32"
    for value in function([y], [penalty, pt.grad(penalty, y)])(np.full((2, 3), saturated, "float32")):
        assert np.isfinite(value).all()


def test_the_gradients_agree_with_finite_differences():
    for penalty in (nn.kl_sparsity, lambda y: nn.l1_sparsity(y).mean(), lambda y: nn.k_sparse(y, 2).sum()):
        verify_grad(penalty, [ACTIVATIONS], rng=np.random.default_rng(0))


def test_the_l1_penalty_is_a_number_for_each_example():
    y = np.random.RandomState(0).normal(size=(4, 2, 3))
    np.testing.assert_allclose(nn.l1_sparsity(pt.constant(y)).eval(), np.abs(y).sum(axis=(1, 2)))


def test_k_units_stay_active_and_get_the_gradient_on_every_backend(float32_backend):
    values = ACTIVATIONS.astype("float32")
    y, weights = pt.matrix("y"), np.arange(35, dtype="float32").reshape(7, 5)
    kept = nn.k_sparse(y, 2)
    got, gradient = function([y], [kept, pt.grad((kept * weights).sum(), y)], backend=float32_backend)(values)
    largest = values >= np.sort(values, axis=1)[:, [-2]]
    assert (largest.sum(axis=1) == 2).all()
    np.testing.assert_array_equal(got, np.where(largest, values, 0))
    np.testing.assert_array_equal(gradient, np.where(largest, weights, 0))


@pytest.mark.parametrize(
    ("k", "expected"), [(1, [[0, 3, 3, 0]]), (2, [[0, 3, 3, 0]]), (3, [[1, 3, 3, 0]]), (9, [[1, 3, 3, -2]])]
)
def test_units_that_tie_with_the_last_stay_and_all_stay_where_k_is_larger(k, expected):
    np.testing.assert_array_equal(nn.k_sparse(pt.constant([[1.0, 3.0, 3.0, -2.0]]), k).eval(), expected)


@pytest.mark.parametrize("target", [0, 1.0, -0.1, 2])
def test_a_target_that_is_no_share_is_refused(target):
    with pytest.raises(InputError, match=r"target: found .*, expected a number between 0 and 1"):
        nn.kl_sparsity(pt.matrix(), target)


@pytest.mark.parametrize("k", [0, 1.5, True])
def test_a_number_of_units_that_is_none_is_refused(k):
    with pytest.raises(InputError, match=r"k: found .*, expected an integer of at least 1"):
        nn.k_sparse(pt.matrix(), k)


def test_half_the_squared_error_is_the_likelihood_of_a_normal_distribution():
    norm = pytest.importorskip("scipy.stats").norm
    x, z = np.random.RandomState(0).normal(size=(2, 3, 2, 2))
    likelihood = -norm.logpdf(x, loc=z).sum(axis=(1, 2)) - 4 * np.log(2 * np.pi) / 2
    np.testing.assert_allclose(nn.half_squared_error(*map(pytensor.tensor.constant, (x, z))).eval(), likelihood, rtol=1e-12)
