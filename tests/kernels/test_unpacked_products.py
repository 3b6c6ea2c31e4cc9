"""Products that are not packed: NumPy's values for every size, layout and transposition, and the same bits on any threads."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llvmlite import binding

from symae.kernels.kept_code import read_kept
from symae.kernels.simd.emitted import available
from symae.kernels.unpacked.calls import fits, room_of_part
from symae.kernels.unpacked.near import highest_near
from symae.kernels.unpacked.products import define

pytestmark = pytest.mark.skipif(not available(), reason="the tiles need AVX2")

LETTERS = {"float32": "s", "float64": "d"}


def described(A, ta, B):
    """Return a product's words: terms, address, bytes from row to row and from term to term, address, bytes."""
    terms, (row, column) = A.shape[0 if ta else 1], A.strides
    return [terms, A.ctypes.data, *((column, row) if ta else (row, column)), B.ctypes.data, B.strides[0]]


def gemm(C, alpha, beta, A, ta, B, tb, second=None, before=0.5):
    """Compute C <- alpha (op(A) op(B) + op(D) E) + beta C, as graphs do; `second` is (D, is D transposed, E).

    It has the room that graphs give it, with what was there `before`, and writes nowhere else. Returns C and the room.
    """
    number, word = (ctypes.c_float if C.itemsize == 4 else ctypes.c_double), ctypes.c_int64
    kind = ctypes.CFUNCTYPE(None, word, word, number, number, *[word] * 18)
    define(LETTERS[C.dtype.name])
    function = kind(binding.address_of_symbol(f"symae_gemm_{LETTERS[C.dtype.name]}"))
    more = described(*second) if second else [0] * 6
    td = bool(second and second[1])
    size = room_of_part.py_func(*C.shape, described(A, ta, B)[0], ta, tb, more[0], td)
    room = np.full(size + 1000, before, C.dtype)
    products = int(tb), *described(A, ta, B), *more
    function(*C.shape, alpha, beta, C.ctypes.data, C.strides[0], *C.shape, *products, room.ctypes.data)
    assert set(room[size:]) == {before}
    return C, room[:size]


def product(A, ta, B, tb=False):
    return (A.T if ta else A).astype("float64") @ (B.T if tb else B).astype("float64")


@given(
    dtype=st.sampled_from(sorted(LETTERS)),
    m=st.integers(1, 45) | st.integers(180, 400),
    n=st.integers(1, 45) | st.integers(60, 300) | st.integers(500, 700),
    k=st.integers(0, 40) | st.integers(250, 530),
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()),
    terms=st.integers(0, 30) | st.integers(250, 270),
    beta=st.sampled_from([0.0, 1.0, -0.5]),
    apart=st.integers(0, 3),
    seed=st.integers(0, 2**32 - 1),
)
def test_products_are_numpys(dtype, m, n, k, flags, terms, beta, apart, seed):
    rng, (ta, tb, both, td) = np.random.default_rng(seed), flags

    def matrix(rows, columns):
        """Rows may be apart."""
        return rng.normal(size=(rows, columns + apart)).astype(dtype)[:, :columns]

    A, B, C = matrix(*((k, m) if ta else (m, k))), matrix(*((n, k) if tb else (k, n))), matrix(m, n)
    second = (matrix(*((terms, m) if td else (m, terms))), td, matrix(terms, n)) if both and not tb else None
    added = product(A, ta, B, tb) + (product(*second) if second else 0)
    expected = beta * C.astype("float64") + 0.25 * added
    if beta == 0:
        C[:] = np.nan  # does not matter
    beyond = C.base[:, n:].copy()
    gemm(C, 0.25, beta, A, ta, B, tb, second)
    tolerance = (2e-6 if dtype == "float32" else 4e-15) * (k + terms + 20) ** 0.5
    np.testing.assert_allclose(C, expected, atol=tolerance)
    np.testing.assert_array_equal(C.base[:, n:], beyond)


@pytest.mark.parametrize("m", [11, 27] if highest_near() == 20 else [11])  # 27: two tiles of 14 rows
def test_what_room_had_before_is_not_multiplied(m):
    tiny = 1e-310  # to multiply with it takes a hundred cycles
    rng = np.random.default_rng(0)
    A, B, C = rng.random((100, m)), rng.random((100, 40)), np.zeros((m, 40))
    _, room = gemm(C, 1, 0, A, True, B, False, before=tiny)
    np.testing.assert_allclose(C, A.T @ B)
    copied = -room.ctypes.data % 64 // 8  # the left numbers are copied first, from a line of the cache on
    assert np.all(room[copied : copied + 100 * (m + 1)] != tiny)


def test_a_number_of_the_result_does_not_depend_on_the_rows_beside_it():
    rng = np.random.default_rng(0)
    x, W = rng.random((37, 300)).astype("float32"), rng.random((300, 50)).astype("float32")
    together, alone = np.empty((37, 50), "float32"), np.empty((1, 50), "float32")
    gemm(together, 1, 0, x, False, W, False)
    for row in range(37):
        gemm(alone, 1, 0, x[row : row + 1], False, W, False)
        np.testing.assert_array_equal(alone[0], together[row])


LAYER = """
import hashlib
import numba
import numpy as np
from symae.kernels.gemm import threaded_gemms

step = numba.njit(lambda *given: threaded_gemms(*given), error_model="numpy")
rng, digest = np.random.default_rng(0), hashlib.sha256()
sizes = [(1, 784, 500), (3, 784, 500), (20, 784, 300), (20, 300, 784), (203, 784, 100), (60, 500, 10), (900, 256, 300)]
sizes += [(300, 30, 1000), (300, 20, 41), (300, 150, 100), (100, 784, 500), (50, 40, 700)]
for batch, inside, outside in sizes:
    shapes = [(batch, inside)] * 2 + [(batch, outside)] * 2 + [(inside, outside)]
    x, dz, y, dy, W = (rng.random(shape).astype("f") for shape in shapes)
    one, zero, hidden, out = np.float32(1), np.float32(0), np.empty_like(y), np.empty_like(x)
    step(one, x, False, W, False, x, False, W, False, False, zero, hidden, True)
    step(one, y, False, W, True, y, False, W, True, False, zero, out, True)
    step(np.float32(-0.1), x, True, dy, False, dz, True, y, False, True, one, W, True)
    for array in (hidden, out, W):
        digest.update(array.tobytes())
print(digest.hexdigest())
"""


def test_a_layers_step_has_the_same_bits_on_any_number_of_threads():
    digests = set()
    for threads in (1, 2, 3, 8):
        environment = os.environ | {"NUMBA_NUM_THREADS": str(threads)}
        command = [sys.executable, "-c", LAYER]
        digests.add(subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=300).stdout)
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("m", "n", "k", "terms"),
    [(784, 100, 200, 200), (500, 10, 100, 0), (300, 7, 1, 3), (260, 128, 209, 0), (392, 100, 1000, 1000)],
)
@pytest.mark.parametrize("dtype", sorted(LETTERS))
def test_gradients_of_few_columns_are_numpys(dtype, m, n, k, terms):
    rng = np.random.default_rng(0)
    A, B, C = (rng.random(shape).astype(dtype) - 0.5 for shape in ((k, m), (k, n), (m, n)))
    D, E = (rng.random((terms, side)).astype(dtype) - 0.5 for side in (m, n))
    expected = C - 0.1 * (product(A, True, B) + product(D, True, E))
    gemm(C, -0.1, 1, A, True, B, False, (D, True, E))
    np.testing.assert_allclose(C, expected, rtol=0, atol=1e-5 if dtype == "float32" else 1e-14)


def test_a_damaged_file_of_machine_code_is_made_anew(tmp_path):
    kept = tmp_path / "code.o"
    kept.write_bytes(b"x" * 100)
    assert read_kept(kept) is None
    assert read_kept(tmp_path / "missing.o") is None


@pytest.mark.parametrize(
    ("m", "n", "k", "ta", "chosen"),
    [
        (20, 784, 500, False, True),
        (784, 500, 20, True, True),
        (20000, 256, 256, False, False),
        (0, 500, 784, False, False),
        (1, 100, 784, False, False),
        (1, 500, 784, False, True),
        (2, 100, 784, False, True),
        (20, 3, 500, False, False),
        (3, 500, 20, True, False),
        (784, 500, 5000, True, False),
        # of few weights more rows are few
        (1000, 500, 784, False, True),
        (784, 500, 1000, True, True),
        (1000, 1000, 784, False, False),
        (784, 1000, 1000, True, False),
    ],
)
def test_products_of_many_rows_are_blass(m, n, k, ta, chosen):
    assert fits.py_func(m, n, k, ta) == chosen
