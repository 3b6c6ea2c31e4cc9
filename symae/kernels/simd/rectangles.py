"""Rectangles of a matrix that are copied or transposed through registers, in LLVM's own language.

Rows of images are short: a loop of Numba over 14 numbers is mostly what stands before and after its vectors, and it transposes
one number at a time. Here what does not fill a vector is masked.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from symae.kernels.simd.vectors import Vectors, pointer_to, repeat, word

_LANE = 16  # bytes within which the cheapest shuffles of x86 stay

_jit: Any = numba.njit(error_model="numpy", fastmath=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)


@functools.cache
def copied(lanes: int) -> Callable[..., None]:
    """Emit (source, first, next row, target, first, next row, rows, columns): copy a rectangle, by vectors of so many lanes."""

    @intrinsic
    def copy(
        typing: Any,
        source: Any,
        first_source: Any,
        next_source: Any,
        target: Any,
        first_target: Any,
        next_target: Any,
        rows: Any,
        columns: Any,
    ) -> Any:
        size = types.intp
        signature = types.void(source, size, size, target, size, size, size, size)

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            source, first_source, next_source, target, first_target, next_target, rows, columns = arguments
            vectors = Vectors(context, builder, signature.args[0].dtype, lanes)
            seen = pointer_to(context, builder, signature.args[0], source, first_source)
            made = pointer_to(context, builder, signature.args[3], target, first_target)
            pieces = builder.sdiv(builder.add(columns, word(lanes - 1)), word(lanes))
            with repeat(builder, pieces) as piece:
                column = builder.mul(piece, word(lanes))
                mask = vectors.mask(builder.sub(columns, column))
                here, there = builder.gep(seen, [column]), builder.gep(made, [column])
                with repeat(builder, rows) as row:
                    value = vectors.masked_load(builder.gep(here, [builder.mul(row, next_source)]), mask)
                    vectors.masked_store(value, builder.gep(there, [builder.mul(row, next_target)]), mask)
            return context.get_dummy_value()

        return signature, codegen

    return copy


@functools.cache
def transposed(lanes: int, filled: bool = False) -> Callable[..., None]:
    """Return a function (source, first, next row, rows, columns, target, first, next row) that transposes a matrix.

    It goes by blocks of so many lanes each way. Where rows do not fill the last block, the target's are `filled` with zeros.
    """
    block = _block(lanes, filled)

    @_jit
    def transpose(
        source: Any, first: Any, step: Any, rows: Any, columns: Any, target: Any, there: Any, target_step: Any
    ) -> None:
        for i in range(0, rows, lanes):
            # a last block that is not full begins earlier, and does some once more
            r = i if filled else max(0, min(i, rows - lanes))
            for j in range(0, columns, lanes):
                c = max(0, min(j, columns - lanes))
                block(
                    source, first + r * step + c, step, rows - r, columns - c, target, there + c * target_step + r, target_step
                )

    return transpose


@functools.cache
def _block(lanes: int, filled: bool) -> Callable[..., None]:
    """Emit (source, first, next row, rows, columns, target, first, next row): transpose a block, which need not be full."""

    @intrinsic
    def transpose(
        typing: Any,
        source: Any,
        first_source: Any,
        next_source: Any,
        rows: Any,
        columns: Any,
        target: Any,
        first_target: Any,
        next_target: Any,
    ) -> Any:
        size = types.intp
        signature = types.void(source, size, size, size, size, target, size, size)

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            source, first_source, next_source, rows, columns, target, first_target, next_target = arguments
            kind = signature.args[0].dtype
            vectors = Vectors(context, builder, kind, lanes)
            seen = pointer_to(context, builder, signature.args[0], source, first_source)
            made = pointer_to(context, builder, signature.args[5], target, first_target)
            within = max(1, 8 * _LANE // kind.bitwidth)
            lines = [builder.gep(seen, [builder.mul(word(k), next_source)]) for k in range(lanes)]
            places = [builder.gep(made, [builder.mul(word(k), next_target)]) for k in range(lanes)]
            enough = (builder.icmp_signed(">=", count, word(lanes)) for count in (rows, columns))
            with builder.if_else(builder.and_(*enough), likely=True) as (full, some):
                with full:
                    for vector, place in zip(
                        _exchanged(builder, [vectors.load(line, 0) for line in lines], within), places, strict=True
                    ):
                        vectors.store(vector, place, 0)
                with some:
                    none = ir.Constant(ir.VectorType(ir.IntType(1), lanes), None)
                    of_row, of_column = vectors.mask(columns), vectors.mask(word(lanes) if filled else rows)

                    def there(k: int, count: Any, mask: Any) -> Any:
                        return builder.select(builder.icmp_signed("<", word(k), count), mask, none)

                    given = [vectors.masked_load(line, there(k, rows, of_row)) for k, line in enumerate(lines)]
                    for k, vector in enumerate(_exchanged(builder, given, within)):
                        vectors.masked_store(vector, places[k], there(k, columns, of_column))
            return context.get_dummy_value()

        return signature, codegen

    return transpose


def _exchanged(builder: Any, rows: Sequence[Any], within: int) -> list[Any]:
    """Emit the columns of a square of vectors, whose lanes of 128 bits have `within` numbers."""
    lanes = len(rows)
    within = min(within, lanes)

    def pick(a: Any, b: Any, numbers: Sequence[int]) -> Any:
        return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), lanes), list(numbers)))

    def unpacked(a: Any, b: Any, width: int, high: int) -> Any:
        """Emit pieces of `width` of the lower or higher half of each lane, of a and b in turns."""
        half = within // 2
        pieces = [
            start + high * half + piece + other * lanes + k
            for start in range(0, lanes, within)
            for piece in range(0, half, width)
            for other in (0, 1)
            for k in range(width)
        ]
        return pick(a, b, pieces)

    # within lanes: of as many rows as a lane has numbers, column j of each lane
    groups = [list(rows[k : k + within]) for k in range(0, lanes, within)]
    width = 1
    while width < within:
        groups = [
            [unpacked(group[k], group[k + 1], width, high) for k in range(0, within, 2) for high in (0, 1)] for group in groups
        ]
        if width * 2 < within:  # next to each other stand those of the same columns
            groups = [[group[0], group[2], group[1], group[3]] for group in groups]
        width *= 2

    # between lanes: lane l of group g goes to lane g of column l
    columns: list[Any] = [None] * lanes
    for j in range(within):
        for lane, vector in enumerate(_exchanged_lanes(pick, [group[j] for group in groups], within)):
            columns[lane * within + j] = vector
    return columns


def _exchanged_lanes(pick: Callable[..., Any], vectors: Sequence[Any], within: int) -> list[Any]:
    """Emit the transposition of a square of lanes: 1, 2 or 4."""
    count = len(vectors)

    def chosen(a: Any, b: Any, lanes: Sequence[int]) -> Any:
        both = [*lanes, *(count + lane for lane in lanes)]
        return pick(a, b, [lane * within + k for lane in both for k in range(within)])

    if count == 1:
        return list(vectors)
    if count == 2:
        return [chosen(vectors[0], vectors[1], [lane]) for lane in (0, 1)]
    a, b, c, d = vectors
    even, odd = ((chosen(a, b, lanes), chosen(c, d, lanes)) for lanes in ([0, 2], [1, 3]))
    return [chosen(first, second, lanes) for lanes in ([0, 2], [1, 3]) for first, second in (even, odd)]
