"""Matrix products are made without transposing and, where they are added to something, in its place."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.math import Dot

from symae import Autoencoder, function
from symae.ops.gemm import Gemm, MatrixProduct

rng = np.random.default_rng(0)
x, y, d = pt.dmatrix("x"), pt.dmatrix("y"), pt.dmatrix("d")
X, Y, D = rng.normal(size=(4, 5)), rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
V = rng.normal(size=(5, 3))


def agree(f, graph, inputs, values):
    plain = function(inputs, graph, mode="FAST_COMPILE")
    np.testing.assert_allclose(f(*values), plain(*values), rtol=1e-12)


@pytest.mark.parametrize(
    ("graph", "inputs", "values", "flags"),
    [
        (x.T @ y, [x, y], [X, Y], (True, False)),
        (y @ d.T, [y, d], [Y, D], (False, True)),
        (x.T @ y.T, [x, y], [X, V.T @ V @ np.ones((3, 4))], (True, True)),
        (x @ y, [x, y], [X, V], (False, False)),
    ],
)
def test_transposed_operands_are_read_where_they_are(graph, inputs, values, flags, rewritten, ops_of):
    f = rewritten(inputs, graph)
    assert [op.flags for op in ops_of(f, MatrixProduct)] == [(flags,)]
    assert not ops_of(f, Dot)
    assert not ops_of(f, DimShuffle)
    agree(f, graph, inputs, values)


@pytest.mark.parametrize("graph", [pt.dot(pt.ivector("i"), pt.imatrix("k")), pt.imatrix("i") @ pt.imatrix("k")])
def test_products_of_integers_and_vectors_stay_as_they_are(graph, rewritten, ops_of):
    inputs = graph.owner.inputs
    while any(v.owner for v in inputs):
        inputs = [i for v in inputs for i in (v.owner.inputs if v.owner else [v])]
    assert not ops_of(rewritten(inputs, graph), MatrixProduct)


@pytest.mark.parametrize("axes", [(1, 0), (0, 1)])
def test_matrices_that_lose_a_dimension_are_not_transposed_ones(axes, rewritten, monkeypatch):
    """The gradient through a loop has such products, and the rewrite failed on them."""
    monkeypatch.setattr(pytensor.config, "on_opt_error", "raise")
    stack = pt.tensor3("stack", shape=(None, None, 1))
    graph = stack.dimshuffle(*axes) @ d
    f = rewritten([stack, d], graph)
    value = X[:, :4, None] if axes == (0, 1) else X[:, :, None]
    agree(f, graph, [stack, d], [value, D])


def descent(gradient):
    W = pytensor.shared(V.copy(), name="W")
    return W, [(W, W - 0.5 * gradient)]


def test_a_step_down_the_gradient_is_added_in_the_weights_place(rewritten, ops_of):
    W, updates = descent(x.T @ y)
    f = rewritten([x, y], updates=updates)
    assert [(op.flags, op.inplace) for op in ops_of(f, Gemm)] == [(((True, False),), True)]
    f(X, Y)
    np.testing.assert_allclose(W.get_value(), V - 0.5 * X.T @ Y)


def test_two_gradients_of_tied_weights_are_one_op(rewritten, ops_of):
    W, updates = descent(x.T @ y + x.T @ d)
    f = rewritten([x, y, d], updates=updates)
    assert [len(op.flags) for op in ops_of(f, Gemm)] == [2]
    f(X, Y, D)
    np.testing.assert_allclose(W.get_value(), V - 0.5 * (X.T @ Y + X.T @ D))


def test_products_with_other_factors_are_added_one_after_the_other(rewritten, ops_of):
    graph = y + 2 * (x @ V) - 3 * (x @ (2 * V)) / pt.dscalar("s")
    (s,) = [v for v in pytensor.graph.traversal.explicit_graph_inputs([graph]) if v.name == "s"]
    f = rewritten([x, y, s], graph)
    assert len(ops_of(f, Gemm)) == 2
    np.testing.assert_allclose(f(X, Y, 4.0), Y + 2 * X @ V - 1.5 * X @ V)


def test_momentum_scales_what_is_there(rewritten, ops_of):
    W = pytensor.shared(V.copy(), name="W")
    f = rewritten([x, y], updates=[(W, 0.9 * W + 0.1 * (x.T @ y))])
    assert len(ops_of(f, Gemm)) == 1
    f(X, Y)
    np.testing.assert_allclose(W.get_value(), 0.9 * V + 0.1 * X.T @ Y)


def test_a_sum_of_products_alone_is_one_op(rewritten, ops_of):
    f = rewritten([x, y, d], x.T @ y + x.T @ d)
    assert len(ops_of(f, Gemm)) == 1
    agree(f, x.T @ y + x.T @ d, [x, y, d], [X, Y, D])


def test_a_gradient_that_is_asked_for_as_well_is_computed_once(rewritten, ops_of):
    gradient = x.T @ y
    W, updates = descent(gradient)
    f = rewritten([x, y], gradient, updates=updates)
    assert not ops_of(f, Gemm)
    np.testing.assert_allclose(f(X, Y), X.T @ Y)
    np.testing.assert_allclose(W.get_value(), V - 0.5 * X.T @ Y)


def test_a_bias_stays_with_the_activation(rewritten, ops_of):
    b = pt.dvector("b")
    f = rewritten([x, b], pt.sigmoid(x @ V + b))
    assert not ops_of(f, Gemm)
    assert len(ops_of(f, MatrixProduct)) == 1
    np.testing.assert_allclose(f(X, Y[0]), 1 / (1 + np.exp(-(X @ V + Y[0]))))


def test_the_tutorials_step_has_three_products_and_one_accumulation(rewritten, ops_of):
    da = Autoencoder(np.random.RandomState(0), n_visible=6, n_hidden=3)
    cost, updates = da.get_cost_updates(0.0, 0.1)
    f = rewritten([da.x], cost, updates=updates)
    assert len(ops_of(f, MatrixProduct)) == 3
    assert [len(op.flags) for op in ops_of(f, Gemm)] == [2]
    without = rewritten([da.x], cost, updates=updates, exclude=("accumulated_products", "matrix_product"))
    assert not ops_of(without, MatrixProduct)
    assert not ops_of(without, Gemm)


@pytest.mark.parametrize("exclude", [(), ("unpacked_products",)])
def test_products_go_to_blas_without_the_rewrite_that_keeps_them_from_it(exclude, rewritten, ops_of):
    da = Autoencoder(np.random.RandomState(0), n_visible=6, n_hidden=3)
    cost, updates = da.get_cost_updates(0.0, 0.1)
    f = rewritten([da.x], cost, updates=updates, exclude=exclude)
    assert {op.unpacked for kind in (MatrixProduct, Gemm) for op in ops_of(f, kind)} == {not exclude}
