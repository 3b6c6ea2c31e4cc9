"""exp, log, sigmoid, softplus and tanh get symae's machine code, of floats and on Numba alone."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import CVM

from symae import function
from symae.ops.elementwise import VECTORISED

FUNCTIONS = {"exp": pt.exp, "log": pt.log, "sigmoid": pt.sigmoid, "softplus": pt.softplus, "tanh": pt.tanh}
KINDS = tuple(type(op) for op in VECTORISED.values())


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_have_them(name, dtype, rewritten, ops_of):
    x = pt.vector("x", dtype=dtype)
    f = rewritten([x], FUNCTIONS[name](2 * x))
    assert len(ops_of(f, KINDS)) == 1
    assert not ops_of(rewritten([x], FUNCTIONS[name](2 * x), exclude=("vectorised_functions",)), KINDS)
    np.testing.assert_allclose(f(np.ones(3, dtype)), function([x], FUNCTIONS[name](2 * x))(np.ones(3, dtype)), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["int64", "uint8", "complex128"])
def test_other_numbers_do_not(dtype, rewritten, ops_of):
    x = pt.vector("x", dtype=dtype)
    assert not ops_of(rewritten([x], pt.exp(x)), KINDS)


def test_other_backends_do_not(ops_of):
    x = pt.dvector("x")
    assert not ops_of(function([x], pt.exp(x), mode=CVM.clone(linker="py")), KINDS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_machine_code_agrees_with_numpy_in_every_layout(dtype):
    x = pt.matrix("x", dtype=dtype)
    f = function([x], [FUNCTIONS[name](x) for name in FUNCTIONS], backend="numba")
    values = np.random.default_rng(0).uniform(0.01, 5, (7, 40)).astype(dtype)
    plain = function([x], [FUNCTIONS[name](x) for name in FUNCTIONS])
    for array in (values, values.T, values[:, ::-3], values[:0]):
        for found, expected in zip(f(array), plain(array), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-14 if dtype == "float64" else 1e-6)
