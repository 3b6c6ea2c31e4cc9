"""Sums of matrix products: NumPy's values for every size, layout and transposition, by one thread and by several."""

from __future__ import annotations

import re

import numpy as np
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symae import function
from symae.errors import InputError
from symae.ops.gemm import Gemm, MatrixProduct
from symae.patches.numba_deferred_codegen import whole_programs

FLAGS = [(ta, tb) for ta in (False, True) for tb in (False, True)]


def operands(rng, m, n, k, flags, dtype):
    ta, tb = flags
    return rng.normal(size=(k, m) if ta else (m, k)).astype(dtype), rng.normal(size=(n, k) if tb else (k, n)).astype(dtype)


def product(A, B, flags):
    return (A.T if flags[0] else A).astype("float64") @ (B.T if flags[1] else B).astype("float64")


def matrices(count, dtype):
    return [pt.matrix(f"M{i}", dtype=dtype) for i in range(count)]


@pytest.fixture(scope="module")
def compiled():
    """Machine code for the products of two and of four matrices, by dtype and transpositions."""
    functions = {}

    def get(dtype, *flags):
        if (dtype, flags) not in functions:
            C, *M = matrices(1 + 2 * len(flags), dtype)
            alpha, beta = pt.scalar("alpha", dtype=dtype), pt.scalar("beta", dtype=dtype)
            outputs = [Gemm(flags)(C, beta, alpha, *M)] + ([MatrixProduct(*flags[0])(*M)] if len(flags) == 1 else [])
            functions[dtype, flags] = function([C, beta, alpha, *M], outputs, backend="numba")
        return functions[dtype, flags]

    return get


@pytest.fixture(scope="module")
def every_way():
    """One function: sums and products of two matrices, each given as it is and transposed, for all of FLAGS."""
    C, A, transposed_A, B, transposed_B = M = matrices(5, "float64")
    outputs = []
    for ta, tb in FLAGS:
        pair = (transposed_A if ta else A), (transposed_B if tb else B)
        outputs += [Gemm([(ta, tb)])(C, 0.5, -2.0, *pair), MatrixProduct(ta, tb)(*pair)]
    return function(M, outputs, backend="numba")


@settings(max_examples=60)
@given(m=st.integers(0, 40), n=st.integers(0, 40), k=st.integers(0, 40), seed=st.integers(0, 2**32 - 1), data=st.data())
def test_small_products_are_numpys(every_way, m, n, k, seed, data):
    rng = np.random.default_rng(seed)
    C, A, B = (rng.normal(size=shape) for shape in ((m, n), (m, k), (k, n)))
    given_ = [C, A, A.T.copy(), B, B.T.copy()]
    # of fewer than two rows or columns an array is contiguous again, and Numba compiles for each combination
    if min(m, n, k) > 1 and data.draw(st.booleans(), label="strided"):
        given_ = [C, *(np.repeat(M, 2, axis=1)[:, ::2] for M in given_[1:3]), *map(np.asfortranarray, given_[3:])]
    with whole_programs():  # compiled as if ahead of the call
        found = every_way(*given_)
    for sum_, alone in zip(found[::2], found[1::2], strict=True):
        np.testing.assert_allclose(alone, A @ B, atol=1e-12)
        np.testing.assert_allclose(sum_, 0.5 * C - 2 * (A @ B), atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("m", "n", "k"), [(20, 100, 784), (20, 784, 100), (784, 100, 20), (37, 53, 1009)])
def test_large_products_by_several_threads_are_numpys(compiled, dtype, m, n, k):
    rng, tolerance = np.random.default_rng(0), 1e-3 if dtype == "float32" else 1e-11
    flags = (True, False)
    A, B = operands(rng, m, n, k, flags, dtype)
    C = np.full((m, n), 3, dtype)
    number = np.dtype(dtype).type
    sum_, alone = compiled(dtype, flags)(C, number(2), number(-1), A, B)
    np.testing.assert_allclose(alone, product(A, B, flags), atol=tolerance)
    np.testing.assert_allclose(sum_, 6 - product(A, B, flags), atol=tolerance)


@pytest.mark.parametrize("k", [3, 60])
def test_two_products_are_added_at_once(compiled, k):
    rng, flags = np.random.default_rng(0), ((True, False), (False, True))
    first, second = operands(rng, 300, 200, k, flags[0], "float64"), operands(rng, 300, 200, k + 7, flags[1], "float64")
    C = rng.normal(size=(300, 200))
    (found,) = compiled("float64", *flags)(C, 1.0, 0.1, *first, *second)
    expected = C + 0.1 * (product(*first, flags[0]) + product(*second, flags[1]))
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_what_is_in_the_result_before_does_not_matter_with_beta_zero(compiled):
    C = np.full((2, 3), np.nan)
    found, _ = compiled("float64", (True, False))(C, 0.0, 1.0, np.ones((4, 2)), np.ones((4, 3)))
    assert (found == 4).all()


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (
            ((2, 3), (4, 5), (2, 5)),
            "matrices (2, 3) and (4, 5), expected 3 rows in the second, as many as columns in the first",
        ),
        (((2, 3), (3, 5), (2, 4)), "a product (2, 5), expected (2, 4), the shape of what it is added to"),
        (((2, 3), (3, 5), (3, 5)), "a product (2, 5), expected (3, 5), the shape of what it is added to"),
    ],
)
def test_shapes_that_do_not_fit_are_refused_in_the_same_words_by_every_backend(every_way, shapes, message):
    A, B, C = map(np.ones, shapes)
    with pytest.raises(InputError, match=f"^{re.escape(f'matrix product: found {message}')}"):
        every_way(C, A, A.T.copy(), B, B.T.copy())
    M = matrices(3, "float64")
    with pytest.raises(InputError, match=f"^{re.escape(f'matrix product: found {message}')}"):
        function(M, Gemm([(False, False)])(M[2], 1.0, 1.0, M[0], M[1]), mode="FAST_COMPILE")(A, B, C)


def test_they_take_matrices_of_one_float_dtype():
    with pytest.raises(TypeError, match="float32 or float64 alone"):
        MatrixProduct()(pt.fmatrix(), pt.dmatrix())
    with pytest.raises(TypeError, match="float32 or float64 alone"):
        MatrixProduct()(pt.imatrix(), pt.imatrix())
    with pytest.raises(InputError, match="matrices"):
        MatrixProduct()(pt.dvector(), pt.dmatrix())
    with pytest.raises(TypeError, match="expected a matrix of float64"):
        Gemm([(False, False)])(pt.fmatrix(), 1.0, 1.0, pt.dmatrix(), pt.dmatrix())
    with pytest.raises(InputError, match="1 or 2"):
        Gemm([])


def test_shapes_that_are_known_stay_known():
    A, B = pt.tensor(dtype="float64", shape=(7, None)), pt.tensor(dtype="float64", shape=(5, None))
    assert MatrixProduct(False, True)(A, B).type.shape == (7, 5)
    (m, n) = MatrixProduct(True, True)(A, B).shape
    found = function([A, B], [m, n], on_unused_input="ignore")(np.ones((7, 2)), np.ones((5, 7)))
    assert [int(v) for v in found] == [2, 5]
