"""Numba's message about arrays that do not fit is another only in what symae compiles."""

from __future__ import annotations

import numba
import numpy as np
import pytensor.tensor as pt
import pytest

import symae


def test_what_others_compile_has_numbas_own_message():
    @numba.njit
    def assign(x, y):
        x[:2] = y
        return x

    x, y = pt.dvector("x"), pt.dvector("y")
    set_slice = symae.function([x, y], pt.set_subtensor(x[:2], y), backend="numba")
    set_slice(np.zeros(3), np.ones(2))
    with pytest.raises(ValueError, match=r" of shape \(3,\), expected (a shape|one) that broadcasts to \(2,\)"):
        set_slice(np.zeros(3), np.ones(3))
    with pytest.raises(ValueError, match=r"cannot assign slice of shape .* from input of shape"):
        assign(np.zeros(4), np.ones(3))
