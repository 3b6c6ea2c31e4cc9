"""The inner loop of large convolutions: a tile of sums held in registers, in LLVM's own language.

Convolution and its gradients with respect to the images (without a stride) and the filters are one loop:

    sums[p, m] += sum_k weights[k, m] * image[positions[p] + steps[k]]

over positions p and maps m. A tile has a few positions and a few vectors of maps, and keeps its sums in registers while k goes
on; nothing of the image is copied into columns. LLVM does not find this form in loops of Numba's. The sums of a position, a row
of maps, lie where a table says.

For the convolution the steps are the filters' elements; for the gradient of the filters they are the positions of a map, and
the positions are the filters' elements. Stride and dilation only change the two tables.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from symae.kernels import tuning
from symae.kernels.simd.vectors import Registers, Vectors, pointer_to, word


class Tile(NamedTuple):
    """Describe a tile of `positions` times `vectors` of `lanes` maps."""

    lanes: int
    vectors: int
    positions: int

    @property
    def maps(self) -> int:
        return self.lanes * self.vectors


def tile_for(maps: int, itemsize: int, registers: Registers) -> Tile | None:
    """Return the tile for so many maps, or None where there are no such vectors."""
    count, size = registers
    if not count:
        return None
    lanes = min(size // itemsize, 1 << max(0, maps - 1).bit_length())
    vectors = -(-maps // lanes)
    vectors = -(-vectors // -(-vectors // tuning.TILE_VECTORS[count]))  # as many in each tile
    # besides the sums, a row of weights and a pixel need registers
    return Tile(lanes, vectors, min((count - 2 - vectors) // vectors, tuning.TILE_POSITIONS))


@functools.cache
def add_tile(tile: Tile) -> Any:
    """Emit (weights, first, image, first, positions, rows, first, steps, first, count, sums, first, new): add one tile's sums.

    All are flat arrays. `weights` are rows of one tile's maps; `sums` are such rows too, and `rows` says of each position which
    of them it has. If `new` is true, there are no sums yet.
    """
    lanes, vectors, positions = tile

    @intrinsic
    def add(
        typing: Any,
        weights: Any,
        first_weight: Any,
        image: Any,
        first_pixel: Any,
        bases: Any,
        rows: Any,
        first_base: Any,
        steps: Any,
        first_step: Any,
        length: Any,
        sums: Any,
        first_sum: Any,
        new: Any,
    ) -> Any:
        size = types.intp
        signature = types.void(weights, size, image, size, bases, rows, size, steps, size, size, sums, size, types.boolean)

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            (
                weights,
                first_weight,
                image,
                first_pixel,
                bases,
                rows,
                first_base,
                steps,
                first_step,
                length,
                sums,
                first_sum,
                new,
            ) = arguments
            kind = signature.args[0].dtype
            vector = Vectors(context, builder, kind, lanes)
            name = f"llvm.fma.v{lanes}f{kind.bitwidth}"
            fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector.type, [vector.type] * 3), name)

            def start(position: int, array: Any, first: Any) -> Any:
                return pointer_to(context, builder, signature.args[position], array, first)

            def number(pointer: Any, index: Any) -> Any:
                return builder.load(builder.gep(pointer, [index]))

            weights, sums, image = start(0, weights, first_weight), start(10, sums, first_sum), start(2, image, first_pixel)
            bases, rows, steps = start(4, bases, first_base), start(5, rows, first_base), start(7, steps, first_step)
            pixels = [builder.gep(image, [number(bases, word(p))]) for p in range(positions)]
            every = [(p, v) for p in range(positions) for v in range(vectors)]

            def places() -> list[Any]:
                return [builder.gep(sums, [builder.mul(number(rows, word(p)), word(tile.maps))]) for p in range(positions)]

            entry = builder.block
            loop, end = builder.append_basic_block("tile"), builder.append_basic_block("tile.end")
            here = places()
            before = [builder.select(new, vector.zero, vector.load(here[p], v * lanes)) for p, v in every]
            builder.cbranch(builder.icmp_signed(">", length, word(0)), loop, end)

            builder.position_at_end(loop)
            k = builder.phi(word(0).type)
            totals = [builder.phi(vector.type) for _ in every]
            row = builder.gep(weights, [builder.mul(k, word(vectors * lanes))])
            step = number(steps, k)
            columns = [vector.load(row, v * lanes) for v in range(vectors)]
            after = []
            for p in range(positions):
                pixel = vector.fill(number(pixels[p], step))
                after += [builder.call(fma, [pixel, columns[v], totals[p * vectors + v]]) for v in range(vectors)]
            following = builder.add(k, word(1))
            builder.cbranch(builder.icmp_signed("<", following, length), loop, end)
            k.add_incoming(word(0), entry)
            k.add_incoming(following, loop)
            for total, begun, added in zip(totals, before, after, strict=True):
                total.add_incoming(begun, entry)
                total.add_incoming(added, loop)

            builder.position_at_end(end)
            results = [builder.phi(vector.type) for _ in every]
            for result, begun, added in zip(results, before, after, strict=True):
                result.add_incoming(begun, entry)
                result.add_incoming(added, loop)
            there = places()
            for result, (p, v) in zip(results, every, strict=True):
                vector.store(result, there[p], v * lanes)
            return context.get_dummy_value()

        return signature, codegen

    return add
