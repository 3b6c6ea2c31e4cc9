"""Rectangles are copied and transposed as NumPy does it, and nothing beside them is read or written."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from symae.kernels.simd.rectangles import copied, transposed

LANES = {"float32": (4, 8, 16), "float64": (2, 4, 8)}
CASES = [(dtype, lanes) for dtype, every in LANES.items() for lanes in every]
SIZES = (0, 1, 2, 3, 5, 8, 15, 16, 17, 33)


def compiled(function):
    # called from Python, with numbers that it does not know before
    @numba.njit
    def call(source, first, step, target, there, target_step, rows, columns):
        function(source, first, step, target, there, target_step, rows, columns)

    return call


def matrices(dtype, size, fill):
    rng = np.random.default_rng(0)
    return rng.normal(size=(size, size)).astype(dtype), np.full((size, size), fill, dtype)


@pytest.mark.parametrize(("dtype", "lanes"), CASES)
def test_a_rectangle_is_copied_and_nothing_else(dtype, lanes):
    copy = compiled(copied(lanes))
    for rows in SIZES:
        for columns in SIZES:
            source, target = matrices(dtype, 40, 7)
            wanted = target.copy()
            wanted[2 : 2 + rows, 3 : 3 + columns] = source[1 : 1 + rows, 5 : 5 + columns]
            copy(source.reshape(-1), 45, 40, target.reshape(-1), 83, 40, rows, columns)
            np.testing.assert_array_equal(target, wanted)


@pytest.mark.parametrize(("dtype", "lanes"), CASES)
@pytest.mark.parametrize("filled", [False, True])
def test_a_rectangle_is_transposed_and_nothing_else(dtype, lanes, filled):
    transpose = transposed(lanes, filled)

    @numba.njit
    def call(source, first, step, rows, columns, target, there, target_step):
        transpose(source, first, step, rows, columns, target, there, target_step)

    for rows in SIZES:
        for columns in SIZES:
            source, target = matrices(dtype, 56, 7)
            wanted = target.copy()
            if filled:  # up to a multiple of the lanes
                wanted[2 : 2 + columns, 3 : 3 + -(-rows // lanes) * lanes] = 0
            wanted[2 : 2 + columns, 3 : 3 + rows] = source[1 : 1 + rows, 5 : 5 + columns].T
            call(source.reshape(-1), 61, 56, rows, columns, target.reshape(-1), 115, 56)
            np.testing.assert_array_equal(target, wanted)
