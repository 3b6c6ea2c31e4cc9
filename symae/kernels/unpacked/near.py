"""Tiles whose left numbers lie in the order in which they are read.

A tile of 20 rows reads 20 numbers of the left matrix for each vector of the right one. From 20 rows of a matrix that takes an
address each, and the processor has more to do with addresses than with numbers. Copied first, 20 numbers of a term beside each
other, they are read at constant distances from one address. The copy has a term for each vector of the result's columns that it
is read for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, pairwise, product
from typing import Any

from llvmlite import ir

from symae.kernels.machine_code import Builder, word
from symae.kernels.simd.emitted import NOTHING, WORD, available
from symae.kernels.simd.vectors import vector_registers
from symae.kernels.unpacked.panels import Panels

# How high tiles are, by how many vector registers there are.
_HEIGHTS = {32: (2, 5, 8, 10, 12, 16, 20), 16: (2, 5, 8, 10, 12)}
# The same of tiles of two vectors. Of a tile of one the processor can do all multiplications in a time in which it has not read
# all numbers.
_WIDE = {32: (10, 12, 14), 16: ()}  # of more than 20 rows each has 9 at least
MOST_ROWS = _HEIGHTS[32][-1]
FIRST, LAST = 1, 2  # of the terms


def highest_near() -> int:
    """Return how many rows the highest of this processor's tiles have; 0 if there are none."""
    return _HEIGHTS[vector_registers().number][-1] if available() else 0


class Near(Panels):
    """Emit the functions of such tiles, and of copies for them, for one dtype."""

    def __init__(self, letter: str):
        super().__init__(letter)
        registers = 32 if self.wide_registers else 16
        self.near_heights, self.wide_heights = _HEIGHTS[registers], _WIDE[registers]
        self.near_highest = self.near_heights[-1]
        self.near_tiles = [self._emit_near(height, least + 1, 1) for least, height in pairwise((0, *self.near_heights))]
        # rows are divided in twos, of which the last may be one
        self.wide_tiles = [self._emit_near(height, height - 1, 2) for height in self.wide_heights]
        self.most_rows = (self.wide_heights or self.near_heights)[-1]  # that tiles have of which there are several
        self.arrange = self._emit_arrange()

    @contextmanager
    def tiles_of(self, b: Builder, m: Any, wide: Any = None) -> Iterator[tuple[Any, Any, Any, Any, Any]]:
        """Emit the block for each tile of m rows: yield its number, first row, rows, height, and the tile that has them.

        All have about as many rows. Where `wide` says so they are tiles of two vectors, if there are such. It may only where
        one tile has not all rows, and if it is None it does there.
        """
        one, highest = word(1), word(self.near_highest)
        wide = b.icmp_signed(">", m, highest) if wide is None else wide
        most = b.select(wide, word(self.most_rows), highest)
        count = b.sdiv(b.add(m, b.sub(most, one)), most)
        twos = b.sdiv(b.add(m, one), word(2))
        with b.repeat(0, count) as number:
            first, end = (b.mul(word(2), b.sdiv(b.mul(twos, n), count)) for n in (number, b.add(number, one)))
            rows = b.sub(b.select(b.icmp_signed("<", end, m), end, m), first)
            height, tile = self._lowest(b, rows, self.near_heights, self.near_tiles)
            if self.wide_tiles:
                others = self._lowest(b, rows, self.wide_heights, self.wide_tiles)
                height, tile = (b.select(wide, *pair) for pair in zip(others, (height, tile), strict=True))
            yield number, first, rows, height, tile

    def _lowest(self, b: Builder, rows: Any, heights: Sequence[int], tiles: Sequence[Any]) -> tuple[Any, Any]:
        """Emit the choice of the lowest tile that has so many rows: its height and itself."""
        height, tile = word(heights[-1]), tiles[-1]
        for least, other in reversed(list(zip(heights[:-1], tiles[:-1], strict=True))):
            fits = b.icmp_signed("<=", rows, word(least))
            height, tile = b.select(fits, word(least), height), b.select(fits, other, tile)
        return height, tile

    def _emit_near(self, height: int, least: int, vectors: int) -> Any:
        """Emit near(terms, A, B, its rows, its vectors, ahead, which terms, sums, alpha, beta, C, its rows, rows, columns).

        C has `least` to `height` rows, which are so many bytes apart as `its rows` says. A has `height` numbers for each
        term. `ahead` are the bytes from a vector of B to one that is soon read. A tile has so many vectors, but for the last
        columns. Of the first terms (flag 1) sums begin with zero, of the last (flag 2) they are added to C; between these they
        are kept in `sums`, tile after tile, where all rows are in one page.
        """
        kind = ir.FunctionType(NOTHING, [WORD] * 8 + [self.number] * 2 + [WORD] * 4)
        function = self.function(f"near_{height}_{vectors}", kind)
        terms, A, B, next_b, next_vector, ahead, which, kept, alpha, beta, C, next_c, rows, columns = function.args
        b = Builder(function)
        width = self.lanes * self.size
        all_sums = [[b.alloca(self.vector) for _ in range(vectors)] for _ in range(height)]
        begins, ends = (b.icmp_signed("!=", b.and_(which, word(flag)), word(0)) for flag in (FIRST, LAST))
        fresh = b.fcmp_ordered("==", beta, self.number(0))
        factor, share = self.fill(b, alpha), self.fill(b, beta)
        left, right, vector_of_b, vector_of_c, vector_of_sums = (b.variable() for _ in range(5))
        b.store(B, vector_of_b)
        b.store(C, vector_of_c)
        b.store(kept, vector_of_sums)

        def tile(masks: Sequence[Any]) -> None:
            """Emit a tile of as many vectors as there are masks; None is of a whole vector."""
            sums = [of_row[: len(masks)] for of_row in all_sums]

            def read(place: Any, mask: Any) -> Any:
                return self.load(b, place, self.vector) if mask is None else self.masked_load(b, place, mask)

            first, before = b.load(vector_of_c), b.load(vector_of_sums)
            between = [b.add(before, word(width * n)) for n in range(height * len(masks))]
            with b.if_then(ends):
                for row, v in product(range(height), range(len(masks))):
                    self.fetch(b, b.add(b.add(first, b.mul(next_c, word(row))), word((len(masks) + v) * width)), write=True)
            with b.if_else(begins) as (anew, more):
                with anew:
                    for total in chain(*sums):
                        b.store(ir.Constant(self.vector, None), total)
                with more:
                    for total, place in zip(chain(*sums), between, strict=True):
                        b.store(self.load(b, place, self.vector), total)
            b.store(A, left)
            b.store(b.load(vector_of_b), right)
            with b.repeat(0, terms):
                start, here = b.load(left), b.load(right)
                places = [b.add(here, b.mul(next_vector, word(v))) for v in range(len(masks))]
                of_term = [read(place, mask) for place, mask in zip(places, masks, strict=True)]
                for place in places:
                    self.fetch(b, b.add(place, ahead), write=False)
                for row, of_row in enumerate(sums):
                    number = self.fill(b, self.load(b, b.add(start, word(row * self.size))))
                    for total, vector in zip(of_row, of_term, strict=True):
                        b.store(self.fma(b, number, vector, b.load(total)), total)
                b.store(b.add(start, word(height * self.size)), left)
                b.store(b.add(here, next_b), right)

            def put(row: int) -> None:
                start = b.add(first, b.mul(next_c, word(row)))
                places = [b.add(start, word(v * width)) for v in range(len(masks))]
                described = list(zip(sums[row], places, masks, strict=True))
                with b.if_else(fresh) as (anew, more):
                    with anew:
                        for total, _, _ in described:
                            b.store(b.fmul(b.load(total), factor), total)
                    with more:
                        for total, place, mask in described:
                            b.store(self.fma(b, b.load(total), factor, b.fmul(share, read(place, mask))), total)
                for total, place, mask in described:
                    if mask is None:
                        self.store(b, b.load(total), place)
                    else:  # takes longer
                        self.masked_store(b, b.load(total), place, mask)

            with b.if_else(ends) as (done, more):
                with done:
                    for row in range(height):
                        if row < least:
                            put(row)
                        else:
                            with b.if_then(b.icmp_signed(">", rows, word(row))):
                                put(row)
                with more:
                    for total, place in zip(chain(*sums), between, strict=True):
                        self.store(b, b.load(total), place)

        whole = vectors * self.lanes
        with b.repeat(0, b.sdiv(columns, word(whole))):
            tile([None] * vectors)
            b.store(b.add(b.load(vector_of_b), b.mul(next_vector, word(vectors))), vector_of_b)
            b.store(b.add(b.load(vector_of_c), word(vectors * width)), vector_of_c)
            b.store(b.add(b.load(vector_of_sums), word(vectors * width * height)), vector_of_sums)
        rest = b.srem(columns, word(whole))
        for some in range(1, vectors + 1):
            fits = b.icmp_signed(">", rest, word((some - 1) * self.lanes))
            with b.if_then(b.and_(fits, b.icmp_signed("<=", rest, word(some * self.lanes)))):
                tile([*[None] * (some - 1), self.first(b, b.sub(rest, word((some - 1) * self.lanes)))])
        b.ret_void()
        return function

    def _emit_arrange(self) -> Any:
        """Emit arrange(A, from row to row, from term to term, rows, terms, height, to): copy a tile's numbers.

        They are `height` for each term. Those past the last row are of no meaning, but zeros or numbers of A: what room had
        before may be numbers below the normal ones, with which it takes a hundred cycles to multiply. Up to a vector of
        numbers is written behind.
        """
        function = self.function("arrange", ir.FunctionType(NOTHING, [WORD] * 7))
        A, next_row, next_term, rows, terms, height, to = function.args
        b = Builder(function)
        size, step = word(self.size), b.mul(height, word(self.size))
        with b.if_then(b.equal(next_row, size)):  # of a transposed matrix: numbers are neighbours already
            with self.blocks(b, height, self.lanes) as (first, some):
                mask, shift = self.first(b, some), b.mul(first, size)
                there_are = self.first(b, b.sub(rows, first))
                with b.repeat(0, terms) as k:
                    here = b.add(b.add(A, shift), b.mul(k, next_term))
                    value = self.masked_load(b, here, there_are)
                    self.masked_store(b, value, b.add(b.add(to, shift), b.mul(k, step)), mask)
            b.ret_void()
        group = 16 // self.size  # numbers of a register's quarter or half
        part, last = ir.VectorType(self.number, group), b.sub(rows, word(1))
        by_groups = b.select(b.equal(next_term, size), b.mul(b.sdiv(terms, word(group)), word(group)), word(0))
        # as many rows as a vector has numbers at once, where there are so many; of the others some
        in_vectors = b.select(b.icmp_signed(">", by_groups, word(0)), b.and_(rows, word(-self.lanes)), word(0))
        groups = b.sdiv(b.add(b.sub(height, in_vectors), word(group - 1)), word(group))
        # what the last group writes past a term's numbers the first overwrites
        with b.repeat(0, groups) as turn:
            row = b.add(in_vectors, b.mul(b.sub(b.sub(groups, word(1)), turn), word(group)))
            numbers = [b.add(row, word(r)) for r in range(group)]
            starts = [b.add(A, b.mul(next_row, b.select(b.icmp_signed("<", n, last), n, last))) for n in numbers]
            there = b.add(to, b.mul(row, size))
            with b.repeat(0, by_groups, group) as k:
                vectors = [self.load(b, b.add(start, b.mul(k, size)), part) for start in starts]
                for n, vector in enumerate(self.transposed(b, vectors)):
                    self.store(b, vector, b.add(there, b.mul(b.add(k, word(n)), step)))
            with b.repeat(by_groups, terms) as k:
                for n, start in enumerate(starts):
                    value = self.load(b, b.add(start, b.mul(k, next_term)))
                    self.store(b, value, b.add(b.add(there, b.mul(k, step)), word(n * self.size)))
        with b.repeat(0, in_vectors, self.lanes) as row:
            start, there = b.add(A, b.mul(next_row, row)), b.add(to, b.mul(row, size))
            self.columns(b, start, next_row, by_groups, there, step)
            with b.repeat(by_groups, terms) as k, b.repeat(0, self.lanes) as n:
                value = self.load(b, b.add(b.add(start, b.mul(n, next_row)), b.mul(k, size)))
                self.store(b, value, b.add(b.add(there, b.mul(k, step)), b.mul(n, size)))
        b.ret_void()
        return function
