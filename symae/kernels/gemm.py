"""BLAS's general matrix product from Numba: C = alpha op(A) op(B) + beta C, with op the transpose or nothing, and no copies.

Numba's ``np.dot`` takes no transposed operands without copying them and cannot add to its result. It calls BLAS through a
function of its own, ``numba_xxgemm``, which the intrinsic here calls directly, so that machine code stays cacheable on the
disk.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.linalg import ensure_blas

__all__ = ["gemm"]

ensure_blas()


@intrinsic
def _xxgemm(
    typing: Any,
    kind: Any,
    ta: Any,
    tb: Any,
    m: Any,
    n: Any,
    k: Any,
    alpha: Any,
    a: Any,
    lda: Any,
    b: Any,
    ldb: Any,
    beta: Any,
    c: Any,
    ldc: Any,
) -> Any:
    size = types.intp
    letters = (types.int64,) * 3
    signature = types.int32(*letters, size, size, size, a.dtype, a, size, b, size, a.dtype, c, size)

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc = arguments
        char, word = ir.IntType(8), ir.IntType(64)
        pointer = char.as_pointer()
        types_ = [char] * 3 + [word] * 3 + [pointer, pointer, word, pointer, word, pointer, pointer, word]
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.IntType(32), types_), "numba_xxgemm")

        def address(number: Any) -> Any:
            return builder.bitcast(cgutils.alloca_once_value(builder, number), pointer)

        def data(position: int, array: Any) -> Any:
            return builder.bitcast(context.make_array(signature.args[position])(context, builder, array).data, pointer)

        letters = [builder.trunc(v, char) for v in (kind, ta, tb)]
        values = [*letters, m, n, k, address(alpha), data(7, a), lda, data(9, b), ldb, address(beta), data(12, c), ldc]
        return builder.call(function, values)

    return signature, codegen


jit: Any = numba.njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


@jit
def gemm(alpha: Any, A: Any, transpose_a: Any, B: Any, transpose_b: Any, beta: Any, C: Any) -> None:
    """C <- alpha op(A) op(B) + beta C for C-contiguous matrices of one dtype, float32 or float64; C is changed in place.

    With beta 0 the old contents of C do not matter, not even NaN.
    """
    m, n = C.shape
    k = A.shape[0] if transpose_a else A.shape[1]
    if m == 0 or n == 0:
        return
    # BLAS's matrices are column-major: row-major C is column-major C', and C' = op(B)' op(A)'.
    kind = ord("s") if C.itemsize == 4 else ord("d")
    ta, tb = ord("t") if transpose_a else ord("n"), ord("t") if transpose_b else ord("n")
    _xxgemm(kind, tb, ta, n, m, k, alpha, B, max(1, B.shape[1]), A, max(1, A.shape[1]), beta, C, n)
