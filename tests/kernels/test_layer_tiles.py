"""Layers that many rows go through are what NumPy makes of them, for all shapes, and with any of a processor's vectors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symae.kernels import layer_tiles
from symae.kernels.simd.emitted import available

pytestmark = pytest.mark.skipif(not available(), reason="this processor has no vectors that the tiles are for")

DTYPES = {"float32": 1e-5, "float64": 1e-14}
SIZE = st.integers(1, 70)


@numba.njit
def rectified(A, W, b, C, width):
    layer_tiles.rectified_layer(A, layer_tiles.panels(W, width, False), b, C)


@numba.njit
def masked(D, W, below, C, total, width):
    layer_tiles.masked_layer(D, layer_tiles.panels(W, width, True), below, C, total, below)


@numba.njit
def added(A, D, C, width):
    layer_tiles.added_product(A, D, C, np.empty(D.shape[0] * width, D.dtype))


@numba.njit
def few(A, weights, b, C):
    layer_tiles.few_outputs(A, weights, b, C)


def close(found, expected, dtype, terms):
    np.testing.assert_allclose(found, expected, rtol=0, atol=DTYPES[dtype] * (1 + terms) * 10)


def numbers(dtype, seed, *shape):
    return np.random.RandomState(seed).uniform(-1, 1, shape).astype(dtype)


def inside(dtype, rows, columns):
    """Make a larger matrix of NaN, and a part of it whose rows are further apart than they are long."""
    whole = np.full((rows + 2, columns + 3), np.nan, dtype)
    return whole, whole[1:-1, 1:-2]


def nothing_else_is_written(whole, part):
    part[:] = np.nan
    return np.isnan(whole).all()


@pytest.mark.parametrize("dtype", DTYPES)
@given(rows=SIZE, terms=SIZE, columns=SIZE, seed=st.integers(0, 99))
@settings(max_examples=30)
def test_a_layer_is_rectified(dtype, rows, terms, columns, seed):
    A, W, b = numbers(dtype, seed, rows, terms), numbers(dtype, seed + 1, terms, columns), numbers(dtype, seed, columns)
    whole, C = inside(dtype, rows, columns)
    rectified(A, W, b, C, layer_tiles.panel_width(A.itemsize))
    close(C, np.maximum(A @ W + b, 0), dtype, terms)
    assert nothing_else_is_written(whole, C)


@pytest.mark.parametrize("dtype", DTYPES)
@given(rows=SIZE, terms=SIZE, columns=SIZE, seed=st.integers(0, 99))
@settings(max_examples=30)
def test_a_gradient_is_masked_and_added_up(dtype, rows, terms, columns, seed):
    D, W = numbers(dtype, seed, rows, terms), numbers(dtype, seed + 1, columns, terms)
    below, total = numbers(dtype, seed + 2, rows, columns), numbers(dtype, seed + 3, columns)
    whole, C = inside(dtype, rows, columns)
    expected = np.where(below > 0, D @ W.T, 0)
    sums = total + expected.sum(axis=0)
    masked(D, W, below, C, total, layer_tiles.panel_width(D.itemsize))
    close(C, expected, dtype, terms)
    close(total, sums, dtype, terms * rows)
    assert nothing_else_is_written(whole, C)


@pytest.mark.parametrize("dtype", DTYPES)
@given(rows=SIZE, m=SIZE, n=SIZE, seed=st.integers(0, 99))
@settings(max_examples=30)
def test_a_product_is_added(dtype, rows, m, n, seed):
    A, D = numbers(dtype, seed, rows, m), numbers(dtype, seed + 1, rows, n)
    whole, C = inside(dtype, m, n)
    C[:] = 1
    added(A, D, C, layer_tiles.panel_width(A.itemsize))
    close(C, 1 + A.T @ D, dtype, rows)
    assert nothing_else_is_written(whole, C)


@pytest.mark.parametrize("dtype", DTYPES)
@given(rows=SIZE, terms=st.integers(1, 300), outputs=st.integers(1, 4), seed=st.integers(0, 99))
@settings(max_examples=30)
def test_of_few_outputs_each_is_an_inner_product(dtype, rows, terms, outputs, seed):
    A, weights, b = numbers(dtype, seed, rows, terms), numbers(dtype, seed + 1, outputs, terms), numbers(dtype, seed, outputs)
    whole, C = inside(dtype, rows, outputs)
    few(A, weights, b, C)
    close(C, A @ weights.T + b, dtype, terms)
    assert nothing_else_is_written(whole, C)


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_stays_nan_and_infinity_what_it_is(dtype):
    A = np.ones((3, 2), dtype)
    A[0, 0], A[1, 0] = np.nan, np.inf
    W, b, C = np.ones((2, 3), dtype), np.zeros(3, dtype), np.empty((3, 3), dtype)
    rectified(A, W, b, C, layer_tiles.panel_width(A.itemsize))
    assert np.isnan(C[0]).all()
    assert np.isposinf(C[1]).all()
    assert (C[2] == 2).all()


def test_rows_are_the_same_wherever_they_are_among_others():
    """So that it does not matter how rows are divided into blocks, and those into tiles."""
    A, W, b = numbers("float32", 0, 61, 70), numbers("float32", 1, 70, 45), numbers("float32", 2, 45)
    whole, single = np.empty((61, 45), "float32"), np.empty((1, 45), "float32")
    rectified(A, W, b, whole, layer_tiles.panel_width(4))
    for row in range(61):
        rectified(A[row : row + 1], W, b, single, layer_tiles.panel_width(4))
        assert (single[0] == whole[row]).all()


@pytest.mark.skipif(os.environ.get("NUMBA_CPU_NAME", "") != "", reason="this is the run with other vectors")
def test_all_that_holds_with_the_vectors_of_older_processors():
    environment = os.environ | {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", str(Path(__file__))]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
