"""A sparse matrix times a dense one, entry by entry, is NumPy's product in whatever order the numbers lie in memory."""

import numpy as np
import pytensor.sparse as sparse
import pytensor.tensor as pt
import pytest
import scipy.sparse
from backend_params import on

import symae

DENSE = np.array([[-2.5, 0.0, 1.0], [0.25, 1.875, 0.0], [0.0, 0.0, 3.0], [2.375, 0.0, -1.0]])
FACTOR = np.arange(1, 13.0).reshape(4, 3)
LAYOUTS = {
    "C": FACTOR,
    "Fortran": np.asfortranarray(FACTOR),
    "every second column": np.repeat(FACTOR, 2, axis=1)[:, ::2],
    "backwards": FACTOR[::-1, ::-1].copy()[::-1, ::-1],
}


@pytest.mark.parametrize("backend", [on("numba"), on("c")])
@pytest.mark.parametrize("form", ["csc", "csr"])
def test_a_sparse_times_a_dense_matrix_goes_by_the_order_in_memory(backend, form):
    x, y = sparse.matrix(form, name="x", dtype="float64"), pt.matrix("y", dtype="float64")
    product = symae.function([x, y], sparse.multiply(x, y), backend=backend)
    for name, factor in LAYOUTS.items():
        found = product(scipy.sparse.csr_matrix(DENSE).asformat(form), factor)
        np.testing.assert_array_equal(found.toarray(), DENSE * FACTOR, err_msg=name)


@pytest.mark.parametrize("backend", [on("numba"), on("c")])
def test_the_gradient_of_a_dense_matrix_made_of_a_sparse_one_is_in_place(backend):
    x = sparse.matrix("csc", name="x", dtype="float64")
    squares = pt.grad((sparse.dense_from_sparse(x) ** 3).sum(), x)
    found = symae.function([x], squares, backend=backend)(scipy.sparse.csc_matrix(DENSE))
    np.testing.assert_allclose(found.toarray(), 3 * DENSE**2)
