"""Sums of floats over all axes, or over the last ones, are exact but for the last digits, and the same on every machine."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytensor.tensor as pt
import pytest

from symae import function

SHAPES = [(0, 3), (3, 0), (1, 1), (3, 15), (2, 16), (5, 784), (700, 33)]


@pytest.fixture(scope="module", params=["float32", "float64"])
def sums(request):
    """Reductions of a matrix, of one that lies otherwise in memory, and of three dimensions."""
    x, t = pt.matrix("x", dtype=request.param), pt.tensor3("t", dtype=request.param)
    reduced = [x.sum(), x.sum(axis=1), x.T.sum(axis=1), x[:, ::2].sum(axis=1), x.mean(), t.sum(axis=(1, 2)), t.sum(axis=2)]
    return request.param, function([x, t], reduced, backend="numba")


def exactly(x, axes):
    """Return sums that were rounded once."""
    kept = [axis for axis in range(x.ndim) if axis not in axes]
    moved = np.transpose(x, [*kept, *axes])
    rows = moved.reshape(math.prod(x.shape[axis] for axis in kept), -1)
    return np.array([math.fsum(row.astype("float64")) for row in rows]).reshape(moved.shape[: len(kept)])


@pytest.mark.parametrize("shape", SHAPES)
def test_sums_are_exact_to_the_last_digits(sums, shape):
    dtype, f = sums
    rng = np.random.default_rng(0)
    x, t = rng.random(shape).astype(dtype), rng.random((2, *shape)).astype(dtype)
    if not x.size:
        expected = [0, np.zeros(shape[0]), np.zeros(shape[1]), np.zeros(shape[0]), np.nan, np.zeros(2), np.zeros((2, shape[0]))]
    else:
        total = exactly(x, (0, 1))
        expected = [total, exactly(x, (1,)), exactly(x, (0,)), exactly(x[:, ::2], (1,)), total / x.size]
        expected += [exactly(t, (1, 2)), exactly(t, (2,))]
    for got, value in zip(f(x, t), expected, strict=True):
        assert got.dtype == dtype
        np.testing.assert_allclose(got, value, rtol=1.5e-7 if dtype == "float32" else 3e-15)


def test_lanes_are_added_in_the_order_that_is_stated():
    v = pt.dvector("v")
    f = function([v], v.sum(), backend="numba")
    x = np.random.default_rng(1).normal(size=16 * 9 + 5) * 10.0 ** np.arange(149)
    lanes = np.zeros(16)
    for row in x[: 16 * 9].reshape(9, 16):
        lanes += row
    while lanes.size > 1:
        lanes = lanes[: lanes.size // 2] + lanes[lanes.size // 2 :]
    expected = lanes[0]
    for number in x[16 * 9 :]:
        expected += number
    assert f(x) == expected


@pytest.mark.parametrize("shape", [(2000, 333), (333, 2000)])
def test_sums_of_a_large_matrix_are_taken_in_that_order_by_threads_too(shape):
    x = pt.fmatrix("x")
    f = function([x], [x.sum(axis=0), x.sum(axis=1)], backend="numba")
    X = np.random.default_rng(1).normal(size=shape).astype("float32")
    columns = np.zeros(shape[1])
    for row in X:
        columns += row
    whole = shape[1] // 16 * 16
    lanes = np.zeros((shape[0], 16))
    for first in range(0, whole, 16):
        lanes += X[:, first : first + 16]
    while lanes.shape[1] > 1:
        half = lanes.shape[1] // 2
        lanes = lanes[:, :half] + lanes[:, half:]
    rows = lanes[:, 0]
    for column in range(whole, shape[1]):
        rows += X[:, column]
    for got, expected in zip(f(X), (columns, rows), strict=True):
        np.testing.assert_array_equal(got, expected.astype("float32"))


def test_infinities_and_nan_come_through():
    v = pt.dvector("v")
    f = function([v], v.sum(), backend="numba")
    x = np.ones(40)
    for number in (np.inf, -np.inf, np.nan):
        x[7] = number
        np.testing.assert_equal(float(f(x)), number)
    x[7], x[30] = np.inf, -np.inf
    assert np.isnan(f(x))


@pytest.mark.table(4)
@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (0, 2), (1, 2), (0, 1), (0, 1, 2), (0, 2, 3), (1, 3), (0, 3), (1, 2, 3)])
def test_sums_are_numpys_over_any_axes(axes):
    shape = (3, 2, 5, 4)[: max(3, max(axes) + 1)]
    kinds = ("float32", "float64", "int8", "bool")
    inputs = [pt.TensorType(dtype, (None,) * len(shape))() for dtype in kinds]
    moved = inputs[1].transpose(*reversed(range(len(shape))))
    f = function(inputs, [*(x.sum(axis=axes) for x in inputs), pt.exp(moved).sum(axis=axes)], backend="numba")
    rng = np.random.default_rng(0)
    values = [(rng.random(shape) * 3 - 1).astype(dtype) for dtype in kinds]
    *sums, of_moved = f(*values)
    for got, x in zip(sums, values, strict=True):
        np.testing.assert_allclose(got, x.sum(axis=axes), rtol=1e-6)
        assert got.dtype == (x.dtype if x.dtype.kind == "f" else "int64")
    np.testing.assert_allclose(of_moved, np.exp(values[1].T).sum(axis=axes), rtol=1e-14)


def test_a_sum_is_taken_in_the_dtype_that_is_asked_for():
    x, k = pt.fmatrix("x"), pt.bmatrix("k")
    f = function([x, k], [x.sum(axis=1, acc_dtype="float32"), k.sum(dtype="int8", acc_dtype="int8")], backend="numba")
    single, byte = f(np.array([[2**24, 1, 1]], "float32"), np.full((2, 100), 1, "int8"))
    assert (single[0], byte) == (2**24, np.int8(200 - 256))


def test_arrays_in_fortrans_order_are_not_copied():
    x = pt.dmatrix("x")
    f = function([x], [x.sum(axis=0), x.sum(axis=1), x.sum()], backend="numba")
    X = np.asfortranarray(np.random.default_rng(0).random((1000, 1500)))
    f(X)
    tracemalloc.start()
    down, across, total = f(X)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(down, X.sum(axis=0))
    np.testing.assert_allclose(across, X.sum(axis=1))
    np.testing.assert_allclose(total, X.sum())
    assert most < X.nbytes / 4
