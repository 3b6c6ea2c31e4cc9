"""General matrix products from Numba: C = alpha op(A) op(B) + beta C, with op the transpose or nothing, and no copies.

Numba's ``np.dot`` takes no transposed operands without copying them and cannot add to its result. It calls BLAS through a
function of its own, ``numba_xxgemm``, which the intrinsic here calls directly, so that machine code stays cacheable on the
disk. BLAS has one thread meanwhile (`symae.kernels.parallel.blas_alone`): large products are divided here. Those of few
rows or few terms, which BLAS is slow at, are made without it (`symae.kernels.unpacked`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.linalg import ensure_blas

from symae.kernels import tuning
from symae.kernels.compiled_once import compiled_once
from symae.kernels.parallel.blas_alone import CALL, connect
from symae.kernels.parallel.parts import THREADS, in_parts, internal_function, jit
from symae.kernels.tuning import BLAS_BLOCK
from symae.kernels.unpacked.calls import fits, multiply

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
    first_a: Any,
    lda: Any,
    b: Any,
    first_b: Any,
    ldb: Any,
    beta: Any,
    c: Any,
    first_c: Any,
    ldc: Any,
) -> Any:
    """Call BLAS's gemm of column-major matrices that begin so many elements after their arrays do."""
    size, number = types.intp, a.dtype
    letters = (types.int64,) * 3
    matrices = (a, size, size, b, size, size)
    signature = types.int32(*letters, size, size, size, number, *matrices, number, c, size, size)

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, ta, tb, m, n, k, alpha, a, first_a, lda, b, first_b, ldb, beta, c, first_c, ldc = arguments
        char, word = ir.IntType(8), ir.IntType(64)
        pointer = char.as_pointer()
        types_ = [char] * 3 + [word] * 3 + [pointer, pointer, word, pointer, word, pointer, pointer, word]
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.IntType(32), types_), "numba_xxgemm")

        def address(number: Any) -> Any:
            return builder.bitcast(cgutils.alloca_once_value(builder, number), pointer)

        def data(position: int, array: Any, first: Any) -> Any:
            start = context.make_array(signature.args[position])(context, builder, array).data
            return builder.bitcast(builder.gep(start, [first]), pointer)

        letters = [builder.trunc(v, char) for v in (kind, ta, tb)]
        matrices = [data(7, a, first_a), lda, data(10, b, first_b), ldb]
        values = [*letters, m, n, k, address(alpha), *matrices, address(beta), data(14, c, first_c), ldc]
        with _blas_alone(context, builder):
            return builder.call(function, values)

    return signature, codegen


@contextmanager
def _blas_alone(context: Any, builder: Any) -> Iterator[None]:
    """Run what is emitted inside the block with one thread of BLAS. It must not raise errors."""
    begin, end = _limits(context, builder)
    builder.call(begin, [])
    yield
    builder.call(end, [])


def _limits(context: Any, builder: Any) -> tuple[Any, Any]:
    """Return what takes BLAS's other threads away, and what gives them back."""
    context.active_code_library._reload_init.add(connect)
    begin, end = (cgutils.get_or_insert_function(builder.module, CALL, f"symae_blas_{name}") for name in ("begin", "end"))
    return begin, end


@intrinsic
def _call(typing: Any, product: Any, alone: Any, operands: Any) -> Any:
    """Call `product(*operands)`, with one thread of BLAS if `alone`."""
    of_product = product.get_call_type(typing, tuple(operands), {})

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        conv, call = context.call_conv, context.get_function(product, of_product)
        for library in getattr(call, "libs", ()):
            context.active_code_library.add_linking_library(library)
        kinds, result = tuple(operands), of_product.return_type
        # a function of its own, so that the limit is put back also where the product raises an error
        function = internal_function(builder, "product", conv.get_function_type(result, kinds))
        b = ir.IRBuilder(function.append_basic_block("entry"))
        given = zip(conv.decode_arguments(b, kinds, function), kinds, of_product.args, strict=False)
        values = [context.cast(b, value, kind, expected) for value, kind, expected in given]
        # of arguments that are left out Numba wants values, too, but looks at their types
        made = call(b, [*values, *(context.get_dummy_value() for _ in of_product.args[len(kinds) :])])
        conv.return_value(b, context.get_return_value(b, result, made))

        _, alone, given = arguments
        begin, end = _limits(context, builder)
        with builder.if_then(alone):
            builder.call(begin, [])
        values = [builder.extract_value(given, i) for i in range(len(kinds))]
        status, made = conv.call_function(builder, function, result, kinds, values)
        with builder.if_then(alone):
            builder.call(end, [])
        with cgutils.if_unlikely(builder, status.is_error):
            conv.return_status_propagate(builder, status)
        return made

    return of_product.return_type(product, types.boolean, operands), codegen


def with_one_blas_thread(product: Any, jit: Any) -> Any:
    """Compile PyTensor's `product(x, y, out=None)`, or `product(x, y)`, with one BLAS thread unless the product is large."""
    if not getattr(product, "handles_out", False):

        @jit
        def alone(x: Any, y: Any) -> Any:
            return _call(product, x.size * y.shape[-1] < tuning.GEMM_MULTIPLICATIONS_FOR_BLAS_THREADS, (x, y))

        return alone

    @jit
    def alone_into(x: Any, y: Any, out: Any = None) -> Any:
        few = x.size * y.shape[-1] < tuning.GEMM_MULTIPLICATIONS_FOR_BLAS_THREADS
        if out is None:
            return _call(product, few, (x, y))
        return _call(product, few, (x, y, out))

    alone_into.handles_out = True
    return alone_into


@jit
def _distance(X: Any) -> int:
    """Return the elements from a row to the next: the only row of a matrix may say anything, and BLAS looks at it."""
    return max(1, X.shape[1], X.strides[0] // X.itemsize)


@jit
def _gemm_part(alpha: Any, A: Any, ta: Any, B: Any, tb: Any, beta: Any, C: Any, rows: Any, columns: Any, inner: Any) -> None:
    """Compute `gemm` for a range of C's rows and columns, and for terms of its sums from a range; each is (first, end)."""
    (top, bottom), (left, right), (first, end) = rows, columns, inner
    if top >= bottom or left >= right:
        return
    a, b, c = _distance(A), _distance(B), _distance(C)
    # BLAS's matrices are column-major: row-major C is column-major C', and C' = op(B)' op(A)'.
    kind = ord("s") if C.itemsize == 4 else ord("d")
    letter_a, letter_b = ord("t") if ta else ord("n"), ord("t") if tb else ord("n")
    first_a = top + first * a if ta else top * a + first
    first_b = left * b + first if tb else left + first * b
    m, n, k = bottom - top, right - left, max(0, end - first)
    _xxgemm(kind, letter_b, letter_a, n, m, k, alpha, B, first_b, b, A, first_a, a, beta, C, top * c + left, c)


@compiled_once(jit)
def gemm(alpha: Any, A: Any, transpose_a: Any, B: Any, transpose_b: Any, beta: Any, C: Any) -> None:
    """Compute C <- alpha op(A) op(B) + beta C for matrices of one dtype, float32 or float64; C is changed in place.

    Within a row their elements are neighbours; rows may be apart. With beta 0 the old contents of C do not matter, not even
    NaN.
    """
    k = A.shape[0] if transpose_a else A.shape[1]
    _gemm_part(alpha, A, transpose_a, B, transpose_b, beta, C, (0, C.shape[0]), (0, C.shape[1]), (0, k))


@jit
def _end(part: Any, size: Any) -> int:
    """Return where the part of that number, from 0, ends."""
    return min(size, (size * (part + 1) // THREADS + BLAS_BLOCK - 1) // BLAS_BLOCK * BLAS_BLOCK)


@jit
def _gemms_part(part: Any, parts: Any, arguments: Any) -> None:
    """Compute rows of C, or columns, or, if `sums` has matrices for that, a part of the terms of its sums."""
    alpha, A, ta, B, tb, D, td, E, te, both, beta, C, sums = arguments
    m, n = C.shape
    k, second = A.shape[0] if ta else A.shape[1], D.shape[0] if td else D.shape[1]
    if len(sums):
        terms = _end(part - 1, k), _end(part, k)
        _gemm_part(alpha, A, ta, B, tb, beta * 0, sums[part], (0, m), (0, n), terms)
    else:
        rows = (_end(part - 1, m), _end(part, m)) if m >= n else (0, m)
        columns = (0, n) if m >= n else (_end(part - 1, n), _end(part, n))
        _gemm_part(alpha, A, ta, B, tb, beta, C, rows, columns, (0, k))
        if both:
            _gemm_part(alpha, D, td, E, te, C.dtype.type(1), C, rows, columns, (0, second))


_gemms_in_parts = in_parts(_gemms_part, "always")


@compiled_once(jit)
def threaded_gemms(
    alpha: Any, A: Any, ta: Any, B: Any, tb: Any, D: Any, td: Any, E: Any, te: Any, both: Any, beta: Any, C: Any, unpacked: Any
) -> None:
    """Compute C <- alpha (op(A) op(B) + op(D) op(E)) + beta C, the second product if `both`, by several threads if it pays.

    If `unpacked`, those of few rows or terms are made without BLAS (`symae.kernels.unpacked`). With it the longest of the three
    sides is divided. So each thread keeps to the same part of a layer's weights in its cache, which are long or wide, whether
    they are read forwards, backwards or changed; and of both products while it is at it.
    """
    k = A.shape[0] if ta else A.shape[1]
    if unpacked and fits(C.shape[0], C.shape[1], k, ta):
        multiply(alpha, A, ta, B, tb, D, td, E, te, both, beta, C)
    elif THREADS > 1 and C.size * k >= tuning.GEMM_MULTIPLICATIONS_FOR_THREADS:
        apart = k > max(C.shape) and not both
        sums = np.empty((THREADS if apart else 0, *C.shape), C.dtype)
        _gemms_in_parts(THREADS, C.size * k, (alpha, A, ta, B, tb, D, td, E, te, both, beta, C, sums))
        if apart:
            for i in range(C.shape[0]):
                for j in range(C.shape[1]):
                    total = sums[0, i, j]
                    for part in range(1, THREADS):
                        total += sums[part, i, j]
                    C[i, j] = total if beta == 0 else beta * C[i, j] + total
    else:
        gemm(alpha, A, ta, B, tb, beta, C)
        if both:
            gemm(alpha, D, td, E, te, C.dtype.type(1), C)
