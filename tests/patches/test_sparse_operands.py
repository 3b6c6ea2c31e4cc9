"""Of a dense and a sparse matrix the sparse one computes, whatever kind of variable the dense one is."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytensor
import pytensor.sparse as sparse
import pytensor.tensor as pt
import pytest
from backend_params import on
from scipy.sparse import csr_matrix

from symae import function

DENSE, FACTORS = np.array([[1.0, 0, 2], [0, 3, 0]]), np.arange(6.0).reshape(2, 3) + 1
KINDS = {"shared": pytensor.shared, "constant": pt.constant}


@pytest.mark.parametrize("backend", [on("numba"), on("c")])
@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_by_a_sparse_factor_is_where_it_has_entries(kind, backend):
    x, y = pt.dmatrix("x"), KINDS[kind](FACTORS)
    product = sparse.multiply(sparse.csr_from_dense(x), y)
    gradient = pytensor.grad(sparse.dense_from_sparse(product).sum(), x)
    np.testing.assert_array_equal(function([x], gradient, backend=backend)(DENSE), FACTORS * (DENSE != 0))


@pytest.mark.parametrize("kind", KINDS)
def test_a_dense_factor_may_stand_before_a_sparse_one(kind):
    s, y = sparse.csr_matrix("s", dtype="float64"), KINDS[kind](FACTORS)
    outputs = [sparse.dense_from_sparse(y * s), y + s, y - s]
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        found = pytensor.function([s], outputs)(csr_matrix(DENSE))
    for value, wanted in zip(found, (FACTORS * DENSE, FACTORS + DENSE, FACTORS - DENSE), strict=True):
        np.testing.assert_array_equal(value, wanted)


def test_who_imports_symae_does_not_wait_for_sparse_matrices():
    program = "import sys, symae; assert 'pytensor.sparse' not in sys.modules and 'scipy.sparse' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
