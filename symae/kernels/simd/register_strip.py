"""The inner loop of convolutions with few maps: a strip of sums held in registers, in LLVM's own language.

    sums[m, p] = sum_k weights[m, k] * image[p + steps[k]]

A strip has a few maps and a few vectors of positions that lie beside each other in the zero-padded image, and keeps its sums in
registers while k goes on. (With many maps, `tiles` has vectors of maps.)
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from numba.core import cgutils, types
from numba.extending import intrinsic

from symae.kernels import tuning
from symae.kernels.simd.vectors import Registers, Vectors, pointer_to, repeat, word


class Strip(NamedTuple):
    """Describe a strip of `maps` times `vectors` of `lanes` positions."""

    lanes: int
    vectors: int
    maps: int

    @property
    def positions(self) -> int:
        return self.lanes * self.vectors


def strip_for(maps: int | None, itemsize: int, registers: Registers) -> Strip:
    """Return the strip for so many maps; None where they are not known."""
    count, size = registers
    maps = max(1, min(maps or 1, tuning.STRIP_MAPS))
    # besides the sums, a weight and the pixels of each vector need registers
    vectors = min(tuning.STRIP_VECTORS, ((count or 16) - 2) // (maps + 1))
    return Strip((size or 16) // itemsize, vectors, maps)


@functools.cache
def strip_sums(strip: Strip) -> Callable[..., None]:
    """Emit (weights, first, next map, image, first, steps, count, sums, first, next map): a strip's sums."""
    lanes, vectors_, maps = strip

    @intrinsic
    def add(
        typing: Any,
        weights: Any,
        first_weight: Any,
        next_weights: Any,
        image: Any,
        pixel: Any,
        steps: Any,
        length: Any,
        sums: Any,
        first_sum: Any,
        next_sums: Any,
    ) -> Any:
        size = types.intp
        signature = types.void(weights, size, size, image, size, steps, size, sums, size, size)

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            weights, first_weight, next_weights, image, pixel, steps, length, sums, first_sum, next_sums = arguments
            vectors = Vectors(context, builder, signature.args[0].dtype, lanes)
            weight, seen, step, target = (
                pointer_to(context, builder, signature.args[k], array, first)
                for k, array, first in (
                    (0, weights, first_weight),
                    (3, image, pixel),
                    (5, steps, word(0)),
                    (7, sums, first_sum),
                )
            )
            every = [(m, v) for m in range(maps) for v in range(vectors_)]
            totals = [cgutils.alloca_once(builder, vectors.type) for _ in every]
            for total in totals:
                builder.store(vectors.zero, total)
            with repeat(builder, length) as k:
                here = builder.gep(seen, [builder.load(builder.gep(step, [k]))])
                pixels = [vectors.load(here, v * lanes) for v in range(vectors_)]
                for m in range(maps):
                    row = builder.gep(weight, [builder.add(builder.mul(word(m), next_weights), k)])
                    factor = vectors.fill(builder.load(row))
                    for v, pixel_vector in enumerate(pixels):
                        total = totals[m * vectors_ + v]
                        builder.store(vectors.multiply_add(factor, pixel_vector, builder.load(total)), total)
            for (m, v), total in zip(every, totals, strict=True):
                row = builder.gep(target, [builder.mul(word(m), next_sums)])
                vectors.store(builder.load(total), row, v * lanes)
            return context.get_dummy_value()

        return signature, codegen

    return add
