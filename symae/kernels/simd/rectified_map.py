"""A map that gets a bias and a rectifier, and the gradient of that, in LLVM's own language: maps may be shorter than a vector.

Loops of Numba's over 9 or 49 numbers are mostly what stands before and after their vectors.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from numba.core import cgutils, types
from numba.extending import intrinsic

from symae.kernels.simd.vectors import Vectors, pointer_to, repeat, word


@functools.cache
def rectified_map(lanes: int) -> Callable[..., None]:
    """Emit (map, bias, made, first, count): made = max(map + bias, 0), and NaN of NaN, for so many numbers of flat arrays."""

    @intrinsic
    def rectify(typing: Any, given: Any, bias: Any, made: Any, first: Any, count: Any) -> Any:
        size = types.intp
        signature = types.void(given, given.dtype, made, size, size)

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            given, bias, made, first, count = arguments
            vectors = Vectors(context, builder, signature.args[0].dtype, lanes)
            source, target = (
                pointer_to(context, builder, signature.args[k], array, first) for k, array in ((0, given), (2, made))
            )
            biases = vectors.fill(bias)

            def piece(index: Any, mask: Any) -> None:
                here, there = builder.gep(source, [index]), builder.gep(target, [index])
                seen = vectors.load(here, 0) if mask is None else vectors.masked_load(here, mask)
                total = builder.fadd(seen, biases)
                result = builder.select(builder.fcmp_ordered("<=", total, vectors.zero), vectors.zero, total)
                if mask is None:
                    vectors.store(result, there, 0)
                else:
                    vectors.masked_store(result, there, mask)

            _pieces(builder, vectors, count, piece)
            return context.get_dummy_value()

        return signature, codegen

    return rectify


@functools.cache
def rectified_gradient_map(lanes: int) -> Callable[..., Any]:
    """Emit (y, g, made, first, count) -> the sum of what is made: g where y is not at most 0, else 0."""

    @intrinsic
    def gradient(typing: Any, y: Any, g: Any, made: Any, first: Any, count: Any) -> Any:
        size = types.intp
        signature = y.dtype(y, g, made, size, size)

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            y, g, made, first, count = arguments
            vectors = Vectors(context, builder, signature.args[0].dtype, lanes)
            seen, given, target = (
                pointer_to(context, builder, signature.args[k], array, first) for k, array in enumerate((y, g, made))
            )
            sums = cgutils.alloca_once_value(builder, vectors.zero)

            def piece(index: Any, mask: Any) -> None:
                line, source, there = (builder.gep(start, [index]) for start in (seen, given, target))
                if mask is None:
                    of_y, of_g = vectors.load(line, 0), vectors.load(source, 0)
                else:
                    of_y, of_g = vectors.masked_load(line, mask), vectors.masked_load(source, mask)
                result = builder.select(builder.fcmp_ordered("<=", of_y, vectors.zero), vectors.zero, of_g)
                if mask is None:
                    vectors.store(result, there, 0)
                else:
                    vectors.masked_store(result, there, mask)
                builder.store(builder.fadd(builder.load(sums), result), sums)

            _pieces(builder, vectors, count, piece)
            return vectors.total(builder.load(sums))

        return signature, codegen

    return gradient


def _pieces(builder: Any, vectors: Vectors, count: Any, piece: Callable[[Any, Any], None]) -> None:
    """Emit `piece(index, mask)` for all whole vectors, without a mask, and for what is left."""
    whole = builder.sdiv(count, word(vectors.lanes))
    with repeat(builder, whole) as number:
        piece(builder.mul(number, word(vectors.lanes)), None)
    done = builder.mul(whole, word(vectors.lanes))
    with builder.if_then(builder.icmp_signed("<", done, count)):
        piece(done, vectors.mask(builder.sub(count, done)))
