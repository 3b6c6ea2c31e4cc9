"""A classifier's cost and its gradient are computed in one pass over the scores, and are those of PyTensor's own nodes."""

from __future__ import annotations

import functools

import numpy as np
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytensor.gradient import disconnected_grad
from pytensor.tensor.special import LogSoftmax, Softmax, log_softmax, softmax

from symae import LogisticRegression, function
from symae.compile import options
from symae.errors import IndexRangeError, ShapeError
from symae.ops.log_likelihoods import LogLikelihoods

TOLERANCE = {"float32": 4e-6, "float64": 1e-13}


def cost(dtype, labels="int64", log_of_softmax=False):
    a, y = pt.matrix("a", dtype=dtype), pt.vector("y", dtype=labels)
    logarithms = pt.log(softmax(a, axis=1)) if log_of_softmax else log_softmax(a, axis=1)
    return a, y, -logarithms[pt.arange(y.shape[0]), y].mean()


def scores(n, k, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return (20 * rng.normal(size=(n, k))).astype(dtype), rng.integers(0, k, n)


@pytest.mark.parametrize("log_of_softmax", [False, True], ids=["log_softmax", "log of softmax"])
def test_cost_and_gradient_of_a_classifier_are_one_op(rewritten, ops_of, log_of_softmax):
    a, y, loss = cost("float64", log_of_softmax=log_of_softmax)
    f = rewritten([a, y], [loss, pt.grad(loss, a)])
    assert len(ops_of(f, LogLikelihoods)) == 1
    assert not ops_of(f, (Softmax, LogSoftmax))


def test_a_cost_without_its_gradient_is_one_op(rewritten, ops_of):
    a, y, loss = cost("float64")
    f = rewritten([a, y], loss)
    assert len(ops_of(f, LogLikelihoods)) == 1
    assert not ops_of(f, LogSoftmax)


def test_the_tutorials_logistic_regression_has_it(rewritten, ops_of):
    x, y = pt.matrix("x"), pt.ivector("y")
    model = LogisticRegression(x, 6, 3)
    loss = model.negative_log_likelihood(y)
    f = rewritten([x, y], [loss, *pt.grad(loss, model.params)])
    assert len(ops_of(f, LogLikelihoods)) == 1


@pytest.mark.default_mode
@pytest.mark.parametrize("labels", ["int32", "uint8"])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_it_is_what_pytensors_nodes_compute(dtype, labels):
    a, y, loss = cost(dtype, labels)
    fused = function([a, y], [loss, pt.grad(loss, a)], backend="numba")
    with options(exclude=["log_likelihoods"]):
        plain = function([a, y], [loss, pt.grad(loss, a)], backend="numba")
    assert any(isinstance(node.op, LogLikelihoods) for node in fused.maker.fgraph.apply_nodes)
    assert not any(isinstance(node.op, LogLikelihoods) for node in plain.maker.fgraph.apply_nodes)
    for n, k in [(1, 1), (1, 10), (20, 10), (7, 33), (300, 300)]:  # the last by threads
        values, of_row = scores(n, k, dtype)
        of_row = (of_row % 100).astype(labels)
        for found, expected in zip(fused(values, of_row), plain(values, of_row), strict=True):
            np.testing.assert_allclose(found, expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_rows_and_any_weights_may_be_meant(data):
    """Rows may come twice, in any order, or not at all, and be counted from the end; a single label or weight is everyone's."""
    n, k, count = (data.draw(st.integers(1, 5)) for _ in range(3))
    rows = data.draw(st.lists(st.integers(-n, n - 1), min_size=count, max_size=count))
    labels = data.draw(st.one_of(*(st.lists(st.integers(-k, k - 1), min_size=size, max_size=size) for size in {1, count})))
    weights = data.draw(st.one_of(*(st.lists(st.integers(-3, 3), min_size=size, max_size=size) for size in {1, count})))
    values = scores(n, k, "float64", seed=n)[0]
    found = general()(values, np.array(rows), np.array(labels), np.array(weights, "float64"))
    node = LogLikelihoods().make_node(pt.dmatrix(), pt.lvector(), pt.lvector(), pt.dvector())
    expected = [[None], [None]]
    node.op.perform(node, [values, np.array(rows), np.array(labels), np.array(weights, "float64")], expected)
    for some, (other,) in zip(found, expected, strict=True):
        np.testing.assert_allclose(some, other, rtol=1e-13, atol=1e-13)


@functools.cache
def general():
    inputs = pt.dmatrix(), pt.lvector(), pt.lvector(), pt.dvector()
    return function(inputs, LogLikelihoods()(*inputs), backend="numba")


def test_the_gradient_is_that_of_finite_differences():
    values, of_row = scores(4, 5, "float64")
    a, y, loss = cost("float64")
    f, gradient = (function([a, y], v, backend="numba") for v in (loss, pt.grad(loss, a)))
    step, found = 1e-6, gradient(values, of_row)
    for place in np.ndindex(*values.shape):
        moved = values.copy()
        moved[place] += step
        above = f(moved, of_row)
        moved[place] -= 2 * step
        np.testing.assert_allclose(found[place], (above - f(moved, of_row)) / (2 * step), atol=1e-8)


def test_scores_without_end_are_what_the_softmax_makes_of_them():
    values = np.array([[1000.0, 0.0], [-np.inf, 0.0], [np.nan, 0.0], [np.inf, 0.0], [0.0, np.nan]])
    rows, labels, weight = np.arange(5), np.array([0, 1, 0, 1, 0]), np.ones(1)
    likelihoods, gradient = general()(values, rows, labels, weight)
    np.testing.assert_array_equal(likelihoods, [0, 0, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(gradient, [[0, 0], [0, 0], [np.nan] * 2, [np.nan] * 2, [np.nan] * 2])


@pytest.mark.parametrize("with_gradient", [False, True])
def test_labels_that_are_none_are_refused_as_indices_are(with_gradient):
    a, y, loss = cost("float64")
    f = function([a, y], [loss, *([pt.grad(loss, a)] if with_gradient else [])], backend="numba")
    values = scores(3, 4, "float64")[0]
    f(values, [0, 3, -4])
    with pytest.raises(IndexRangeError, match="index 4 is out of bounds for axis 1 with size 4"):
        f(values, [0, 4, 1])
    with pytest.raises(IndexRangeError, match="index -5 is out of bounds for axis 1 with size 4"):
        f(values, [0, -5, 1])
    with pytest.raises(IndexRangeError, match="index 3 is out of bounds for axis 0 with size 3"):
        f(values, [0, 1, 1, 1])


def test_indices_and_weights_that_are_not_as_many_are_refused():
    values = scores(3, 4, "float64")[0]
    with pytest.raises(ShapeError, match=r"found indices of shape \(3,\) and \(2,\), expected shapes that broadcast"):
        general()(values, np.arange(3), np.arange(2), np.ones(1))
    with pytest.raises(ShapeError, match=r"found weights of shape \(2,\), expected a shape that broadcasts to \(3,\)"):
        general()(values, np.arange(3), np.arange(3), np.ones(2))


def test_probabilities_and_logarithms_that_are_wanted_themselves_are_there(rewritten, ops_of):
    a, y, loss = cost("float64")
    values, of_row = scores(4, 3, "float64")
    f = rewritten([a, y], [loss, pt.grad(loss, a), softmax(a, axis=1)])
    assert len(ops_of(f, LogLikelihoods)) == 1
    found, _, probabilities = f(values, of_row)
    np.testing.assert_allclose(found, -np.log(probabilities[range(4), of_row]).mean(), rtol=1e-13)
    g = rewritten([a, y], [loss, log_softmax(a, axis=1)])
    assert not ops_of(g, LogLikelihoods)
    np.testing.assert_allclose(np.exp(g(values, of_row)[1]), probabilities, rtol=1e-13)


def of_two_labels(nll, other):
    """Each label's weight in the gradient follows from the log-likelihood of the other."""
    return nll.mean() * other.mean()


COSTS = {
    "squares": lambda nll, _: (nll**2).sum(),
    "perplexity": lambda nll, _: pt.exp(nll.mean()),
    "focal": lambda nll, _: ((1 - pt.exp(-nll)) ** 2 * nll).mean(),
    "worst": lambda nll, _: nll.max(),
    "detached weights": lambda nll, _: (disconnected_grad(pt.exp(-nll)) * nll).mean(),
    "two labels": of_two_labels,
    "one after the other": lambda nll, other: (nll * pt.exp(other)).sum() + (other * pt.exp(nll)).sum(),
}


@pytest.mark.parametrize("name", COSTS)
def test_weights_may_follow_from_the_log_likelihoods_themselves(rewritten, name):
    a, y, other = pt.dmatrix("a"), pt.lvector("y"), pt.lvector("other")
    logarithms = log_softmax(a, axis=1)
    loss = COSTS[name](*(-logarithms[pt.arange(labels.shape[0]), labels] for labels in (y, other)))
    values, of_row = scores(4, 3, "float64")
    given = values / 10, of_row, (of_row + 1) % 3
    compiled = [
        rewritten([a, y, other], [loss, pt.grad(loss, a)], exclude=exclude, on_unused_input="ignore")
        for exclude in ((), ("log_likelihoods",))
    ]
    for found, expected in zip(*(f(*given) for f in compiled), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_zeros_of_another_size_than_the_scores_are_left(rewritten, ops_of, capfd):
    a, y, w = pt.tensor("a", dtype="float64", shape=(1, None)), pt.lvector("y"), pt.dvector("w")
    z = pt.inc_subtensor(pt.zeros((5, 3))[pt.arange(5), y], w)
    f = rewritten([a, y, w], z - z.sum(1, keepdims=True) * softmax(a, axis=1))
    assert not ops_of(f, LogLikelihoods)
    assert f(np.zeros((1, 3)), [0, 1, 2, 0, 1], np.ones(5)).shape == (5, 3)
    assert "BUG" not in capfd.readouterr().err


def test_a_softmax_along_another_axis_stays(rewritten, ops_of):
    a, y = pt.dmatrix("a"), pt.lvector("y")
    loss = -log_softmax(a, axis=0)[pt.arange(y.shape[0]), y].mean()
    assert not ops_of(rewritten([a, y], [loss, pt.grad(loss, a)]), LogLikelihoods)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_scores_in_any_order_of_memory_are_read(dtype):
    a, y, loss = cost(dtype)
    f = function([a, y], [loss, pt.grad(loss, a)], backend="numba")
    values, of_row = scores(6, 8, dtype)
    expected = f(values, of_row)
    for other in (np.asfortranarray(values), np.repeat(values, 2, axis=1)[:, ::2]):
        for some, same in zip(f(other, of_row), expected, strict=True):
            np.testing.assert_array_equal(some, same)


def test_bits_do_not_change_with_threads():
    values, of_row = scores(400, 300, "float64")
    rows, weights = np.arange(400), np.linspace(-1, 1, 400)
    together = general()(values, rows, of_row, weights)
    for first in (0, 150, 399):
        alone = general()(values[first : first + 1], np.zeros(1, int), of_row[first : first + 1], weights[first : first + 1])
        np.testing.assert_array_equal(together[0][first], alone[0][0])
        np.testing.assert_array_equal(together[1][first], alone[1][0])
