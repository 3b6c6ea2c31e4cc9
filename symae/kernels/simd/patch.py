"""Single positions of a convolution: what a filter sees there is a patch of the image, its rows are vectors in LLVM's language.

In a padded image whose channels come last, a row of a patch is one piece of memory, kw * channels numbers long, and so is a row
of the filter; three functions do all that a position needs:

    add_patch      patch += value * filter        what a value draws
    patch_product  sum(patch * filter)            what the filter says of the position
    sum_patches    sums += value * patch          what the filter's gradient gets from the positions of a map

A row is padded to whole vectors; what the image has there belongs to others, is never changed, and reaches no result. LLVM
does not make vectors of such short loops by itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

from numba.core import cgutils, types
from numba.extending import intrinsic

from symae.kernels import tuning
from symae.kernels.simd import vectors as simd
from symae.kernels.simd.vectors import Registers, Vectors, pointer_to, repeat, word


class Patch(NamedTuple):
    """Describe `rows` times `length` numbers, each row in `vectors` of `lanes`."""

    rows: int
    length: int
    lanes: int
    vectors: int

    @property
    def width(self) -> int:
        """Return the length of a row in whole vectors."""
        return self.lanes * self.vectors


def patch_for(rows: int, length: int, itemsize: int, registers: Registers) -> Patch:
    """Return the patch of `rows` times `length` numbers."""
    lanes = min((registers.size or 16) // itemsize, 1 << (length - 1).bit_length())
    return Patch(rows, length, lanes, -(-length // lanes))


@functools.cache
def add_patch(patch: Patch) -> Callable[..., None]:
    """Emit (value, filters, first, padded, position, its row): add value times filter to the patch there."""

    @intrinsic
    def add(typing: Any, value: Any, filters: Any, first: Any, padded: Any, position: Any, step: Any) -> Any:
        signature = types.void(filters.dtype, filters, types.intp, padded, types.intp, types.intp)

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            value, filters, first, padded, position, step = arguments
            vectors = Vectors(context, builder, signature.args[0], patch.lanes)
            weights = pointer_to(context, builder, signature.args[1], filters, first)
            corner = pointer_to(context, builder, signature.args[3], padded, position)
            factor = vectors.fill(value)
            with repeat(builder, word(patch.rows)) as row:
                weight, line = (
                    builder.gep(start, [builder.mul(row, by)]) for start, by in ((weights, word(patch.width)), (corner, step))
                )
                for k in range(0, patch.width, patch.lanes):
                    before = vectors.load(line, k)
                    after = vectors.multiply_add(factor, vectors.load(weight, k), before)
                    vectors.store(vectors.first_lanes(patch.length - k, after, before), line, k)
            return context.get_dummy_value()

        return signature, codegen

    return add


@functools.cache
def patch_product(patch: Patch) -> Callable[..., Any]:
    """Emit (filters, first, padded, position, its row) -> the sum of a filter times the patch there."""

    @intrinsic
    def product(typing: Any, filters: Any, first: Any, padded: Any, position: Any, step: Any) -> Any:
        signature = filters.dtype(filters, types.intp, padded, types.intp, types.intp)

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            filters, first, padded, position, step = arguments
            vectors = Vectors(context, builder, signature.return_type, patch.lanes)
            weights = pointer_to(context, builder, signature.args[0], filters, first)
            corner = pointer_to(context, builder, signature.args[2], padded, position)
            starts = range(0, patch.width, patch.lanes)
            sums = [cgutils.alloca_once(builder, vectors.type) for _ in starts]
            for room in sums:
                builder.store(vectors.zero, room)
            with repeat(builder, word(patch.rows)) as row:
                weight, line = (
                    builder.gep(start, [builder.mul(row, by)]) for start, by in ((weights, word(patch.width)), (corner, step))
                )
                for k, room in zip(starts, sums, strict=True):
                    added = vectors.multiply_add(vectors.load(line, k), vectors.load(weight, k), builder.load(room))
                    builder.store(added, room)
            total = vectors.zero
            for k, room in zip(starts, sums, strict=True):
                total = builder.fadd(total, vectors.first_lanes(patch.length - k, builder.load(room), vectors.zero))
            return vectors.total(total)

        return signature, codegen

    return product


@functools.cache
def sum_patches(patch: Patch) -> Callable[..., None]:
    """Emit (values, positions, count, padded, its row, sums, first): add each value times its patch."""
    # more rows than have their sums in registers take several passes over the positions
    rows = max(1, tuning.PATCH_SUMS[simd.vector_registers().number] // patch.vectors)
    passes = -(-patch.rows // rows)
    bounds = [patch.rows * k // passes for k in range(passes + 1)]

    @intrinsic
    def add(typing: Any, values: Any, positions: Any, count: Any, padded: Any, step: Any, sums: Any, first: Any) -> Any:
        size = types.intp
        signature = types.void(values, positions, size, padded, size, sums, size)

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            values, positions, count, padded, step, sums, first = arguments
            vectors = Vectors(context, builder, signature.args[0].dtype, patch.lanes)
            value, position, image, target = (
                pointer_to(context, builder, signature.args[k], array, start)
                for k, array, start in ((0, values, word(0)), (1, positions, word(0)), (3, padded, word(0)), (5, sums, first))
            )
            for rows in pairwise(bounds):
                every = [(row, k) for row in range(*rows) for k in range(0, patch.width, patch.lanes)]
                totals = [cgutils.alloca_once(builder, vectors.type) for _ in every]
                for (row, k), total in zip(every, totals, strict=True):
                    builder.store(vectors.load(target, row * patch.width + k), total)
                with repeat(builder, count) as point:
                    factor = vectors.fill(builder.load(builder.gep(value, [point])))
                    corner = builder.gep(image, [builder.load(builder.gep(position, [point]))])
                    for (row, k), total in zip(every, totals, strict=True):
                        seen = vectors.load(builder.gep(corner, [builder.mul(word(row), step)]), k)
                        builder.store(vectors.multiply_add(factor, seen, builder.load(total)), total)
                for (row, k), total in zip(every, totals, strict=True):
                    vectors.store(builder.load(total), target, row * patch.width + k)
            return context.get_dummy_value()

        return signature, codegen

    return add
