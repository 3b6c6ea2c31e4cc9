"""Masks that threads share are those that NumPy draws."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from symae.kernels.parallel.pool import running
from symae.kernels.random.masks import masked
from symae.kernels.tuning import NUMBERS_FOR_THREADS

MANY = NUMBERS_FOR_THREADS[True]


@numba.njit
def machine_code(before, n, p, values, after, out):
    masked(before, n, p, values, after, out)


def generator(position):
    """Return a state of NumPy's, and the same as symae has it."""
    key = np.random.RandomState(position).get_state()[1]
    return ("MT19937", key, position), np.array([*key, position, 0, 0, 0], np.uint32)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [0, 1, 312, MANY, MANY + 1, 3 * MANY + 7])
@pytest.mark.parametrize(("n", "p", "position"), [(1, 0.7, 624), (1, 0.2, 0), (1, 0.7, 311), (1, 1.0, 622), (3, 0.4, 10)])
def test_masks_and_what_is_left_of_the_stream_are_numpys(n, p, position, size, dtype):
    legacy, before = generator(position)
    values = np.random.default_rng(0).normal(size=size).astype(dtype)
    values[::5], values[1::7], values[2::9] = -0.0, np.inf, np.nan
    untouched, after, out = before.copy(), np.zeros_like(before), np.empty_like(values)
    machine_code(before, n, p, values, after, out)
    stream = np.random.RandomState()
    stream.set_state(legacy)
    with np.errstate(invalid="ignore"):  # 0 times infinity
        expected = stream.binomial(n, p, size).astype(dtype) * values
    np.testing.assert_array_equal(out, expected)
    numbers = ~np.isnan(out)
    np.testing.assert_array_equal(np.signbit(out[numbers]), np.signbit(expected[numbers]))
    np.testing.assert_array_equal(before, untouched)
    key, where = stream.get_state()[1:3]
    np.testing.assert_array_equal(after[:624], key)
    assert after[624] == where
    if numba.config.NUMBA_NUM_THREADS > 1 and size >= MANY and n == 1 and position % 2 == 0:
        assert running()


@pytest.mark.parametrize(("n", "p"), [(-1, 0.5), (1, 1.5), (1, -0.1), (1, np.nan)])
def test_what_is_no_probability_is_refused(n, p):
    _, before = generator(0)
    with pytest.raises(ValueError, match=r"binomial: expected n >= 0 and p in \[0, 1\]"):
        machine_code(before, n, p, np.ones(3), before.copy(), np.empty(3))
