"""Calls of products that are not packed, from compiled graphs: which products they are for, and how those are divided."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from symae.kernels import tuning
from symae.kernels.parallel.parts import THREADS, inlined, jit, pays
from symae.kernels.simd.emitted import NOTHING, WORD, available
from symae.kernels.simd.vectors import word
from symae.kernels.unpacked.near import highest_near
from symae.kernels.unpacked.products import COLUMNS, CONNECTIONS, ROWS, STATE, TERMS, define
from symae.kernels.unpacked.ways import room_for_copies, room_for_few_columns, room_for_left

_AVAILABLE = available()
_HIGHEST = highest_near()
_ROOM_BY_ROWS, _ROOM_COPIES, _ROOM_FEW_COLUMNS = room_for_left(), room_for_copies(), room_for_few_columns()
_SLACK = 16


@inlined
def _rows_and_weights(m: int, n: int, k: int, ta: bool) -> tuple[int, int]:
    """Return how many rows a minibatch has, and how many weights there are, of an (m, n) product of k terms, or of x' d."""
    return (k, m * n) if ta else (m, k * n)


@jit
def fits(m: int, n: int, k: int, ta: bool) -> bool:
    """Return True if an (m, n) product of k terms is better made without BLAS: one of few rows, or few terms in x' d.

    The smaller the weights are, the more rows are few, but for a single one, with which BLAS only reads them.
    """
    rows, weights = _rows_and_weights(m, n, k, ta)
    if not ta and m < (1 if weights >= tuning.UNPACKED_WEIGHTS_OF_A_ROW else 2):
        return False
    most = tuning.UNPACKED_MOST_OF_FEW_WEIGHTS if weights <= tuning.UNPACKED_FEW_WEIGHTS else tuning.UNPACKED_MOST
    return _AVAILABLE and (min(m, n) if ta else n) >= tuning.UNPACKED_LEAST and rows <= most


@jit
def room_of_part(m: int, n: int, k: int, ta: bool, tb: bool, second: int, td: bool) -> int:
    """Return how many numbers of room a part has for copies, of an (m, n) product of k terms, as `multiply` describes them.

    `second` are the terms of another that is made with it. Of C a part may have fewer rows and columns.
    """
    room = _ROOM_BY_ROWS + min(n + _SLACK, tuning.UNPACKED_COLUMNS_OF_SUMS) * _HIGHEST
    if m > _HIGHEST or tb:
        terms = (k if ta or tb else 0) + (second if td else 0)
        room = max(room, min(terms, tuning.UNPACKED_FEW_TERMS) * _ROOM_COPIES)
    if n <= tuning.UNPACKED_FEW_COLUMNS and ta:
        room = max(room, _ROOM_FEW_COLUMNS)
    return int(room + _SLACK)


@jit
def multiply(
    alpha: Any, A: Any, ta: Any, B: Any, tb: Any, D: Any, td: Any, E: Any, te: Any, both: Any, beta: Any, C: Any
) -> None:
    """Compute C <- alpha (op(A) op(B) + op(D) op(E)) + beta C, the second product if `both`.

    Of the weights, the matrix that is not of a minibatch, the longer side is divided, or the minibatch's rows where weights are
    few. So a thread finds in its cache what it read or changed of them before. The sizes alone say where sums are divided, so
    that threads change no bit.
    """
    m, n = C.shape
    k = A.shape[0] if ta else A.shape[1]
    cut, pieces, parts = ROWS, 1, 1
    rows, weights = _rows_and_weights(m, n, k, ta)
    work = max(rows, tuning.UNPACKED_ROWS_TO_READ) * weights
    if work >= tuning.GEMM_MULTIPLICATIONS_FOR_AWAKE_THREADS:
        if ta:  # a gradient of weights, which are C
            cut = ROWS if 2 * m >= n else COLUMNS
        elif m >= tuning.UNPACKED_ROWS_TO_DIVIDE and weights < min(m * (k + n), tuning.UNPACKED_WEIGHTS_OF_ALL):
            cut = ROWS
        elif tb:
            cut = COLUMNS if 2 * n >= k or both else TERMS
        else:
            cut = TERMS if 2 * k >= n and not both else COLUMNS
        if cut == TERMS:  # in halves, each by columns, which change no bit
            pieces = 2 * max(1, min(THREADS // 2, n // tuning.UNPACKED_COLUMNS_OF_PIECE))
        else:
            pieces = (m if cut == ROWS else n) // tuning.UNPACKED_PIECE
            pieces = 2 if pieces < 3 else 4 if pieces < 8 else min(tuning.UNPACKED_PIECES, pieces // 4 * 4)
        if pays(work, tuning.GEMM_MULTIPLICATIONS_FOR_THREADS, tuning.GEMM_MULTIPLICATIONS_FOR_AWAKE_THREADS):
            parts = min(THREADS, pieces)
    of_second = D.shape[0] if td else D.shape[1]
    at_once = both and not (tb or te) and of_second <= tuning.UNPACKED_TERMS
    sums = np.empty(C.size if cut == TERMS else 0, C.dtype)
    second = of_second if at_once else 0
    of_part = room_of_part(m, n, k, ta, tb, second, td)
    if both and not at_once:
        of_part = max(of_part, room_of_part(m, n, of_second, td, te, 0, td))
    room = np.empty(parts * of_part, C.dtype)
    _gemms(alpha, A, ta, B, tb, D, td, E, second, beta, C, cut, pieces, parts, sums, room)
    if both and not at_once:
        _gemms(alpha, D, td, E, te, D, td, E, 0, C.dtype.type(1), C, cut, pieces, parts, sums, room)


@intrinsic
def _gemms(
    typing: Any,
    alpha: Any,
    A: Any,
    ta: Any,
    B: Any,
    tb: Any,
    D: Any,
    td: Any,
    E: Any,
    second: Any,
    beta: Any,
    C: Any,
    cut: Any,
    pieces: Any,
    parts: Any,
    sums: Any,
    room: Any,
) -> Any:
    """Compute C <- alpha (op(A) op(B) + op(D) E) + beta C, the second product of `second` terms: none if op(B) is B'.

    The side `cut` is divided into `pieces`, done in `parts`; `sums` has room for each piece if it is that of the terms, and
    `room` for copies of each part.
    """
    dtype = C.dtype
    size = dtype.bitwidth // 8

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if not _AVAILABLE:  # never called then, but its name would have to be known
            return context.get_dummy_value()
        alpha, A, ta, B, tb, D, td, E, second, beta, C, cut, pieces, parts, sums, room = arguments
        number = context.get_value_type(dtype)

        def look(position: int, value: Any) -> tuple[Any, Any, Any, Any]:
            """Return address, rows, columns, and bytes from row to row: a single row may say anything."""
            array = context.make_array(signature.args[position])(context, builder, value)
            rows, columns = (builder.extract_value(array.shape, n) for n in range(2))
            row, least = builder.extract_value(array.strides, 0), builder.mul(columns, word(size))
            row = builder.select(builder.icmp_signed(">", row, least), row, least)
            return builder.ptrtoint(array.data, WORD), rows, columns, row

        def left(position: int, value: Any, transposed: Any) -> tuple[Any, Any, Any, Any]:
            address, rows, columns, row = look(position, value)
            first, second = builder.select(transposed, word(size), row), builder.select(transposed, row, word(size))
            return builder.select(transposed, rows, columns), address, first, second

        c, m, n, row_c = look(10, C)
        terms, a, row_a, term_a = left(1, A, ta)
        _, d, row_d, term_d = left(5, D, td)
        (b, *_, row_b), (e, *_, row_e) = look(3, B), look(7, E)
        sums, room = (context.make_array(signature.args[n])(context, builder, v) for n, v in ((14, sums), (15, room)))
        of_part = builder.mul(builder.sdiv(builder.extract_value(room.shape, 0), parts), word(size))
        values = [m, n, alpha, beta, c, row_c, builder.zext(tb, WORD), terms, a, row_a, term_a, b, row_b]
        values += [second, d, row_d, term_d, e, row_e, cut, pieces, parts, builder.zext(ta, WORD)]
        values += [builder.ptrtoint(sums.data, WORD), builder.ptrtoint(room.data, WORD), of_part]
        state = cgutils.alloca_once(builder, ir.ArrayType(WORD, len(STATE)))
        for position, value in enumerate(values):
            slot = cgutils.gep_inbounds(builder, state, 0, position)
            builder.store(value, builder.bitcast(slot, value.type.as_pointer()))
        letter = "s" if number == ir.FloatType() else "d"
        define(letter)
        context.active_code_library._reload_init.add(CONNECTIONS[letter])
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(NOTHING, [WORD]), f"symae_gemms_{letter}")
        builder.call(function, [builder.ptrtoint(state, WORD)])
        return context.get_dummy_value()

    flag, whole = types.boolean, types.intp
    signature = types.void(dtype, A, flag, B, flag, D, flag, E, whole, dtype, C, whole, whole, whole, sums, room)
    return signature, codegen
