"""The kernels of the ops of matrix products: where the result is, what has to be copied, and whether the shapes fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symae.errors import ShapeError
from symae.kernels.compiled_once import ask
from symae.kernels.gemm import gemm, threaded_gemms
from symae.kernels.parallel.parts import jit

FACTORS, AS_MANY = "matrices ({}, {}) and ({}, {})", "{} rows in the second, as many as columns in the first"
PRODUCT, SUMMAND = "a product ({}, {})", "({}, {}), the shape of what it is added to"


@jit
def _check(m: int, n: int, A: Any, transpose_a: bool, B: Any, transpose_b: bool) -> None:
    """Check that op(A) is (m, k) and op(B) is (k, n), in the words of `symae.ops.gemm`: BLAS would read past the end."""
    a = (A.shape[1], A.shape[0]) if transpose_a else A.shape
    b = (B.shape[1], B.shape[0]) if transpose_b else B.shape
    if a[1] != b[0]:
        raise ShapeError("matrix product", FACTORS, AS_MANY, a[0], a[1], b[0], b[1], a[1])
    if a[0] != m or b[1] != n:
        raise ShapeError("matrix product", PRODUCT, SUMMAND, a[0], b[1], m, n)


def ask_for_products(dtype: str) -> None:
    """Say that a graph will call what makes its products."""
    matrix = dtype, 2
    factor = matrix, "bool"
    ask(threaded_gemms, dtype, *factor * 4, "bool", dtype, matrix, "bool")
    ask(gemm, dtype, *factor * 2, dtype, matrix)


def product(transpose_a: bool, transpose_b: bool, unpacked: bool) -> Callable[..., Any]:
    """Compile (A, B) -> op(A) op(B). Only operands whose rows are in no C-ordered array are copied."""

    @jit
    def product(A: Any, B: Any) -> Any:
        A, B = np.ascontiguousarray(A), np.ascontiguousarray(B)
        m = A.shape[1] if transpose_a else A.shape[0]
        n = B.shape[0] if transpose_b else B.shape[1]
        _check(m, n, A, transpose_a, B, transpose_b)
        result = np.empty((m, n), A.dtype)
        one, zero = A.dtype.type(1), A.dtype.type(0)
        threaded_gemms(one, A, transpose_a, B, transpose_b, A, transpose_a, B, transpose_b, False, zero, result, unpacked)
        return result

    return product


def accumulated(flags: Sequence[tuple[bool, bool]], inplace: bool, unpacked: bool) -> Callable[..., Any]:
    """Compile (C, beta, alpha, A1, B1[, A2, B2]) -> beta C + alpha (op(A1) op(B1) + op(A2) op(B2))."""

    (ta, tb), (td, te) = flags[0], flags[-1]

    @jit
    def add(C: Any, beta: Any, alpha: Any, A: Any, B: Any, D: Any, E: Any, both: Any) -> Any:
        A, B, D, E = np.ascontiguousarray(A), np.ascontiguousarray(B), np.ascontiguousarray(D), np.ascontiguousarray(E)
        result = np.ascontiguousarray(C) if inplace else C.copy()
        _check(result.shape[0], result.shape[1], A, ta, B, tb)
        _check(result.shape[0], result.shape[1], D, td, E, te)
        number, share = np.asarray(alpha).item(), np.asarray(beta).item()
        threaded_gemms(number, A, ta, B, tb, D, td, E, te, both, share, result, unpacked)
        return result

    @jit
    def add_product(C: Any, beta: Any, alpha: Any, A: Any, B: Any) -> Any:
        return add(C, beta, alpha, A, B, A, B, False)

    @jit
    def add_products(C: Any, beta: Any, alpha: Any, A: Any, B: Any, D: Any, E: Any) -> Any:
        return add(C, beta, alpha, A, B, D, E, True)

    return add_product if len(flags) == 1 else add_products
