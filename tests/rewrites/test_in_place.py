"""An op takes the memory of its input where nobody needs that any more, and only there."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import CVM, Mode

from symae import function
from symae.compile import options
from symae.compile.backends import BY_NAME
from symae.ops import rectified
from symae.ops.bias_relu import Rectified, RectifiedGradient

# the rewrites of the C backend, run by NumPy
REWRITTEN = Mode("py", CVM.provided_optimizer.including(*BY_NAME["c"].tags))

x, b, g = (pt.tensor(name, dtype="float64", shape=shape) for name, shape in (("x", (5, 3)), ("b", (3,)), ("g", (5, 3))))
X, B, G = np.random.default_rng(0).normal(size=(5, 3)), np.array([0.5, -0.5, 0.0]), np.arange(15.0).reshape(5, 3)


def in_place(compiled, kind=Rectified):
    return [node.op.inplace for node in compiled.maker.fgraph.toposort() if isinstance(node.op, kind)]


def rectified_by_numpy(x):
    return np.maximum(x + B, 0)


def close(found, expected):
    """But for the order in which a product is summed."""
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def test_the_memory_of_a_result_that_nobody_else_needs_is_taken():
    f = function([x, b], rectified(pt.dot(x, x.T) @ x, b), mode=REWRITTEN)
    assert in_place(f) == [True]
    close(f(X, B), rectified_by_numpy((X @ X.T) @ X))


def test_what_is_used_again_is_left_as_it_is():
    h = pt.dot(pt.dot(x, x.T), x)
    f = function([x, b], [rectified(h, b), h], mode=REWRITTEN)
    assert in_place(f) == [False]
    y, again = f(X, B)
    close(again, (X @ X.T) @ X)
    close(y, rectified_by_numpy(again))


def test_of_two_that_read_a_result_the_last_may_take_its_memory():
    h = pt.dot(pt.dot(x, x.T), x)
    f = function([x, b], [rectified(h, b), rectified(h, -b)], mode=REWRITTEN)
    assert sorted(in_place(f)) == [False, True]
    h = (X @ X.T) @ X
    for found, bias in zip(f(X, B), (B, -B), strict=True):
        close(found, np.maximum(h + bias, 0))


@pytest.mark.parametrize("stored", [False, True])
def test_arguments_and_shared_variables_are_never_overwritten(stored):
    value = X.copy()
    shared = pytensor.shared(value, borrow=True)
    f = function([b], rectified(shared, b), mode=REWRITTEN) if stored else function([x, b], rectified(x, b), mode=REWRITTEN)
    assert in_place(f) == [False]
    np.testing.assert_array_equal(f(B) if stored else f(value, B), rectified_by_numpy(X))
    np.testing.assert_array_equal(shared.get_value(borrow=True) if stored else value, X)


def test_a_constant_is_never_overwritten():
    f = function([b], rectified(pt.constant(X), b), mode=REWRITTEN)
    for _ in range(2):
        np.testing.assert_array_equal(f(B), rectified_by_numpy(X))


def test_biases_that_lie_in_the_memory_of_the_maps_survive():
    h = pt.dot(pt.dot(x, x.T), x)
    f = function([x], rectified(h, h[0]), mode=REWRITTEN)
    h = (X @ X.T) @ X
    close(f(X), np.maximum(h + h[0], 0))


def test_the_gradient_takes_the_memory_of_what_comes_from_above():
    y = rectified(x, b)
    f = function([x, b, g], pt.grad((pt.dot(y, pt.dot(y.T, g))).sum(), [x, b]), mode=REWRITTEN)
    assert in_place(f, RectifiedGradient) == [True]
    plain = pt.maximum(x + b, 0)
    wanted = function([x, b, g], pt.grad((pt.dot(plain, pt.dot(plain.T, g))).sum(), [x, b]))(X, B, G)
    for found, expected in zip(f(X, B, G), wanted, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_gradient_that_is_an_argument_is_never_overwritten():
    y, given = rectified(x, b), G.copy()
    f = function([x, b, g], pt.grad(None, [x, b], known_grads={y: g}), mode=REWRITTEN)
    assert in_place(f, RectifiedGradient) == [False]
    gx, _ = f(X, B, given)
    np.testing.assert_array_equal(given, G)
    np.testing.assert_array_equal(gx, np.where(X + B <= 0, 0, G))


def network():
    """Build a layer whose result is used once, one whose result is used again, and their gradients."""
    once, again = pt.dot(x, x.T) @ x, pt.dot(x, g.T) @ g
    y = rectified(once, b) * 2 + rectified(again, b) * again
    return [y, *pt.grad(pt.sqr(y).sum(), [x, b])]


def test_both_backends_take_memory_and_compute_the_same(native_backend):
    f = function([x, b, g], network(), backend=native_backend)
    assert sorted(in_place(f)) == [False, True]
    assert True in in_place(f, RectifiedGradient)
    wanted = function([x, b, g], network())(X, B, G)
    arguments = X.copy(), B.copy(), G.copy()
    for _ in range(2):
        for found, expected in zip(f(*arguments), wanted, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-10)
    np.testing.assert_array_equal(arguments[0], X)


def test_it_can_be_switched_off():
    with options(exclude=["in_place"]):
        f = function([x, b], rectified(x * 2, b), backend="c")
    assert in_place(f) == [False]
    assert in_place(function([x, b], rectified(x * 2, b), backend="c")) == [True]
