"""Tiles of a product in registers, and panels of a transposed matrix in the nearest cache, in LLVM's own language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, pairwise, product
from typing import Any

from llvmlite import ir

from symae.kernels.machine_code import Builder, word
from symae.kernels.simd.emitted import DTYPES, NOTHING, WORD, Emitted
from symae.kernels.simd.vectors import vector_registers

# How high tiles are; besides the sums, a vector of the right matrix and, without AVX-512, one of the left need registers.
_HEIGHTS = {32: (4, 8, 12), 16: (4, 8, 12)}
# The same of tiles of two vectors: a number of the left is read for two products then, and reading is what limits the others.
_WIDE = {32: (4, 8, 12), 16: ()}
# Words that describe a product: terms, address, bytes from row to row and from term to term; address, bytes from row to row.
PRODUCT = 6


def widest(letter: str) -> int:
    """Return how many columns the widest tiles have, for the dtype that BLAS has this letter for."""
    registers = vector_registers()
    return (2 if _WIDE[registers.number] else 1) * registers.size // DTYPES[letter][1]


class Tiles(Emitted):
    """Emit the functions of tiles and panels into a module for one dtype."""

    def __init__(self, letter: str):
        super().__init__(letter, f"symae_gemm_{letter}")
        registers = vector_registers()
        self.heights, wide = _HEIGHTS[registers.number], _WIDE[registers.number]
        self.vectors = 2 if wide else 1  # that the widest tiles have
        self.step = (wide or self.heights)[-1]  # rows of the highest of those
        self.tile_type = ir.FunctionType(NOTHING, [WORD] * 3 + [self.number] * 2 + [WORD] * 4)
        self.tiles = [self._emit_tile(rows, 1) for rows in self.heights]
        self.wide = [self._emit_tile(rows, 2) for rows in wide]
        self.pack = self._emit_pack()

    def goes_on(self, b: Builder, alpha: Any, beta: Any) -> Any:
        """Emit whether sums go on from what the result has, so that it does not matter in which blocks terms come."""
        one = self.number(1)
        return b.and_(b.fcmp_ordered("==", alpha, one), b.fcmp_ordered("==", beta, one))

    # functions

    def _emit_tile(self, height: int, vectors: int) -> Any:
        """Emit tile(products, count, i, alpha, beta, C, from row to row of C, rows, columns).

        C's tile is of the last `rows` of `height` or one of three less, and of columns that need so many vectors; of A the
        tile's first row is number i. What is past the last row is computed as the last row, and not stored.
        """
        function = self.function(f"tile_{height}_{vectors}", self.tile_type)
        products, count, i, alpha, beta, C, next_c, rows, columns = function.args
        b = Builder(function)
        width = self.lanes * self.size
        sums = [[b.alloca(self.vector) for _ in range(vectors)] for _ in range(height)]
        masks = [self.first(b, b.sub(columns, word(vector * self.lanes))) for vector in range(vectors)]
        for row, vector in product(range(height), range(vectors)):
            self.fetch(b, b.add(C, b.add(b.mul(next_c, word(row)), word(vector * width))), write=True)
        goes_on = self.goes_on(b, alpha, beta)
        with b.if_else(goes_on) as (more, anew):
            with more:
                for row in range(height):
                    there = word(row) if row < height - 3 else b.select(b.icmp_signed(">", rows, word(row)), word(row), word(0))
                    place = b.add(C, b.mul(next_c, there))
                    for vector, (total, mask) in enumerate(zip(sums[row], masks, strict=True)):
                        b.store(self.masked_load(b, b.add(place, word(vector * width)), mask), total)
            with anew:
                for total in chain(*sums):
                    b.store(ir.Constant(self.vector, None), total)
        groups = range(0, height, 4)
        with b.repeat(0, count) as each:
            described = b.add(products, b.mul(each, word(8 * PRODUCT)))
            terms, A, next_row, next_term, B, next_b = (
                self.load(b, b.add(described, word(8 * n)), WORD) for n in range(PRODUCT)
            )
            A = b.add(A, b.mul(i, next_row))
            steps = [b.mul(next_row, word(n)) for n in range(4)]
            last = b.sub(rows, word(height - 3))  # the last row of the last group
            ends = [b.mul(next_row, b.select(b.icmp_signed("<", last, word(n)), last, word(n))) for n in range(4)]
            lefts = [b.variable() for _ in groups]
            for group, left in zip(groups, lefts, strict=True):
                b.store(b.add(A, b.mul(next_row, word(group))), left)
            right = b.variable()
            b.store(B, right)
            with b.repeat(0, terms):
                here = b.load(right)
                of_term = [self.masked_load(b, b.add(here, word(v * width)), mask) for v, mask in enumerate(masks)]
                if vectors == 1:
                    self.fetch(b, b.add(here, word(width)), write=False)  # of the next tile to the right
                b.store(b.add(here, next_b), right)
                for group, left in zip(groups, lefts, strict=True):
                    start = b.load(left)
                    for n, step in enumerate(ends if group == groups[-1] else steps):
                        factor = self.fill(b, self.load(b, b.add(start, step)))
                        for total, vector in zip(sums[group + n], of_term, strict=True):
                            b.store(self.fma(b, factor, vector, b.load(total)), total)
                    b.store(b.add(start, next_term), left)
        factor, share = self.fill(b, alpha), self.fill(b, beta)
        fresh = b.fcmp_ordered("==", beta, self.number(0))

        def put(row: int) -> None:
            of_row = b.add(C, b.mul(next_c, word(row)))
            places = [b.add(of_row, word(vector * width)) for vector in range(vectors)]
            with b.if_else(b.or_(fresh, goes_on)) as (anew, more):
                with anew:
                    for total, where, mask in zip(sums[row], places, masks, strict=True):
                        self.masked_store(b, b.fmul(b.load(total), factor), where, mask)
                with more:
                    for total, where, mask in zip(sums[row], places, masks, strict=True):
                        before = b.fmul(share, self.masked_load(b, where, mask))
                        self.masked_store(b, self.fma(b, b.load(total), factor, before), where, mask)

        for row in range(height):
            if row < height - 3:
                put(row)
            else:
                with b.if_then(b.icmp_signed(">", rows, word(row))):
                    put(row)
        b.ret_void()
        return function

    def _emit_pack(self) -> Any:
        """Emit pack(B, from row to row, rows, terms, panel): write up to a vector's rows of B as columns of a panel.

        A row of the panel has the vectors of the widest tiles.
        """
        function = self.function("pack", ir.FunctionType(NOTHING, [WORD] * 5))
        B, next_row, rows, terms, panel = function.args
        b = Builder(function)
        group = 16 // self.size  # numbers that one of the registers' quarters or halves has
        width = self.vectors * self.lanes * self.size
        done = b.variable()
        b.store(word(0), done)
        with b.if_then(b.equal(rows, word(self.lanes))):
            whole = b.mul(b.sdiv(terms, word(group)), word(group))
            b.store(whole, done)
            self.columns(b, B, next_row, whole, panel, word(width))
        with b.repeat(b.load(done), terms) as k, b.repeat(0, rows) as row:
            value = self.load(b, b.add(b.add(B, b.mul(row, next_row)), b.mul(k, word(self.size))))
            self.store(b, value, b.add(panel, b.add(b.mul(k, word(width)), b.mul(row, word(self.size)))))
        b.ret_void()
        return function

    def columns(self, b: Builder, start: Any, next_row: Any, terms: Any, to: Any, step: Any) -> None:
        """Emit that the first terms of a vector's rows are written as columns, each a vector `step` bytes further on.

        There are as many terms as go whole into registers' quarters or halves.
        """
        group = 16 // self.size
        part = ir.VectorType(self.number, group)
        starts = [b.add(start, b.mul(next_row, word(group * q))) for q in range(self.lanes // group)]
        steps = [b.mul(next_row, word(r)) for r in range(group)]
        with b.repeat(0, terms, group) as k:
            # vector r has, in each quarter q, `group` numbers of row q * group + r
            vectors = []
            for r in range(group):
                pieces = [self.load(b, b.add(b.add(s, steps[r]), b.mul(k, word(self.size))), part) for s in starts]
                while len(pieces) > 1:
                    pieces = [self._joined(b, *pieces[n : n + 2]) for n in range(0, len(pieces), 2)]
                vectors += pieces
            for column, vector in enumerate(self.transposed(b, vectors)):
                self.store(b, vector, b.add(to, b.mul(b.add(k, word(column)), step)))

    def _joined(self, b: Builder, low: Any, high: Any) -> Any:
        return self.shuffled(b, low, high, list(range(2 * low.type.count)))

    def transposed(self, b: Builder, vectors: list[Any]) -> list[Any]:
        """Transpose the small square matrices in the quarters of some vectors."""
        group, lanes = len(vectors), vectors[0].type.count
        span = 1
        while span < group:
            made: list[Any] = [None] * group
            for r in range(group):
                if r & span:
                    continue
                x, y = vectors[r], vectors[r | span]
                for half, into in ((0, r), (span, r | span)):
                    order = []
                    for lane in range(lanes):
                        # entry c of row r and entry c - span of row r + span change places
                        inside = lane % group
                        if half == 0:
                            order.append(lane if not inside & span else lanes + lane - span)
                        else:
                            order.append(lane + span if not inside & span else lanes + lane)
                    made[into] = self.shuffled(b, x, y, order)
            vectors, span = made, 2 * span
        return vectors

    @contextmanager
    def blocks(self, b: Builder, size: Any, step: Any) -> Iterator[tuple[Any, Any]]:
        """Emit a loop over blocks of at most `step`: yield where each begins, and how much it has."""
        with b.repeat(0, size, step) as first:
            rest = b.sub(size, first)
            most = word(step) if isinstance(step, int) else step
            yield first, b.select(b.icmp_signed("<", rest, most), rest, most)

    @contextmanager
    def tiles_of(self, b: Builder, m: Any, columns: Any) -> Iterator[Any]:
        """Emit the block for each tile of columns that the widest tiles have: yield (first row, rows, tile)."""

        def tile(rows: Any) -> Any:
            narrow = self.tile(b, rows, self.tiles)
            if not self.wide:
                return narrow
            return b.select(b.icmp_signed(">", columns, word(self.lanes)), self.tile(b, rows, self.wide), narrow)

        with self.blocks(b, m, self.step) as (i, rows):
            yield i, rows, tile(rows)

    def tile(self, b: Builder, rows: Any, tiles: Sequence[Any]) -> Any:
        """Emit the choice of the lowest tile that has so many rows."""
        chosen = tiles[-1]
        for (height, _), tile in reversed(list(zip(pairwise(self.heights), tiles[:-1], strict=False))):
            chosen = b.select(b.icmp_signed("<=", rows, word(height)), tile, chosen)
        return chosen
