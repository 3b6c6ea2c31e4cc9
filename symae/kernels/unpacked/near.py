"""Tiles whose left numbers lie in the order in which they are read, and products of few rows, or few terms, by such tiles.

A tile of 20 rows reads 20 numbers of the left matrix for each vector of the right one. From 20 rows of a matrix that takes an
address each, and the processor has more to do with addresses than with numbers. Copied first, 20 numbers of a term beside each
other, they are read at constant distances from one address. The copy has a term for each vector of the result's columns that it
is read for.

A vector of columns of the right matrix is in as many pages of memory as there are terms. So only some terms are taken at once,
for all columns: as many as there are pages that the processor finds at once, besides the result's. Tiles ask for what the
second to their right will read.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, pairwise
from typing import Any

from llvmlite import ir

from symae.kernels import tuning
from symae.kernels.machine_code import Builder, word
from symae.kernels.simd.emitted import NOTHING, WORD, available
from symae.kernels.simd.vectors import vector_registers
from symae.kernels.unpacked.tiles import PRODUCT, Tiles

# How high tiles are, by how many vector registers there are.
_HEIGHTS = {32: (2, 5, 8, 10, 12, 16, 20), 16: (2, 5, 8, 10, 12)}
FIRST, LAST = 1, 2  # of the terms
_TOGETHER = 8  # rows of a narrow result that are read before one is written


def room_for_left() -> int:
    """Return the numbers of room that a copy of a tile's left numbers wants, with those that are written behind."""
    return (tuning.UNPACKED_TERMS_AT_ONCE + 1) * _HEIGHTS[32][-1]


def room_for_few_terms() -> int:
    """Return the numbers of room that products of few terms want for each of these."""
    return tuning.UNPACKED_ROWS + tuning.UNPACKED_COLUMNS


def room_for_few_columns() -> int:
    """Return the numbers of room that products of few columns want."""
    wide = tuning.UNPACKED_TERMS
    return tuning.UNPACKED_FEW_COLUMNS * wide + room_for_left() + _HEIGHTS[32][-1] * wide + 16


def highest_near() -> int:
    """Return how many rows the highest of this processor's tiles have; 0 if there are none."""
    return _HEIGHTS[vector_registers().number][-1] if available() else 0


class Near(Tiles):
    """Emit the functions of such tiles and products for one dtype."""

    def __init__(self, letter: str):
        super().__init__(letter)
        self.near_heights = _HEIGHTS[32 if self.wide_registers else 16]
        self.near_highest = self.near_heights[-1]
        self.near_tiles = [self._emit_near(height, least + 1) for least, height in pairwise((0, *self.near_heights))]
        self.arrange = self._emit_arrange()
        self.of_few_rows = self._emit_few_rows()

    def near(self, b: Builder, rows: Any) -> tuple[Any, Any]:
        """Emit the choice of the lowest tile that has so many rows: its height and itself."""
        height, tile = word(self.near_highest), self.near_tiles[-1]
        for least, other in reversed(list(zip(self.near_heights[:-1], self.near_tiles[:-1], strict=True))):
            fits = b.icmp_signed("<=", rows, word(least))
            height, tile = b.select(fits, word(least), height), b.select(fits, other, tile)
        return height, tile

    def _emit_near(self, height: int, least: int) -> Any:
        """Emit near(terms, A, B, its rows, its vectors, ahead, which terms, sums, alpha, beta, C, its rows, rows, columns).

        C has `least` to `height` rows, which are so many bytes apart as `its rows` says. A has `height` numbers for each
        term. `ahead` are the bytes from a vector of B to one that is soon read. A tile is a vector wide. Of the first terms
        (flag 1) sums begin with zero, of the last (flag 2) they are added to C; between these they are kept in `sums`, tile
        after tile, where all rows are in one page.
        """
        kind = ir.FunctionType(NOTHING, [WORD] * 8 + [self.number] * 2 + [WORD] * 4)
        function = self.function(f"near_{height}", kind)
        terms, A, B, next_b, next_vector, ahead, which, kept, alpha, beta, C, next_c, rows, columns = function.args
        b = Builder(function)
        width = self.lanes * self.size
        sums = [b.alloca(self.vector) for _ in range(height)]
        begins, ends = (b.icmp_signed("!=", b.and_(which, word(flag)), word(0)) for flag in (FIRST, LAST))
        fresh = b.fcmp_ordered("==", beta, self.number(0))
        factor, share = self.fill(b, alpha), self.fill(b, beta)
        left, right, vector_of_b, vector_of_c, vector_of_sums = (b.variable() for _ in range(5))
        b.store(B, vector_of_b)
        b.store(C, vector_of_c)
        b.store(kept, vector_of_sums)

        def tile(mask: Any) -> None:
            def read(place: Any) -> Any:
                return self.load(b, place, self.vector) if mask is None else self.masked_load(b, place, mask)

            first, before = b.load(vector_of_c), b.load(vector_of_sums)
            between = [b.add(before, word(width * row)) for row in range(height)]
            with b.if_then(ends):
                for row in range(height):
                    self.fetch(b, b.add(b.add(first, b.mul(next_c, word(row))), word(width)), write=True)
            with b.if_else(begins) as (anew, more):
                with anew:
                    for total in sums:
                        b.store(ir.Constant(self.vector, None), total)
                with more:
                    for total, place in zip(sums, between, strict=True):
                        b.store(self.load(b, place, self.vector), total)
            b.store(A, left)
            b.store(b.load(vector_of_b), right)
            with b.repeat(0, terms):
                start, here = b.load(left), b.load(right)
                of_term = read(here)
                self.fetch(b, b.add(here, ahead), write=False)
                for row, total in enumerate(sums):
                    number = self.fill(b, self.load(b, b.add(start, word(row * self.size))))
                    b.store(self.fma(b, number, of_term, b.load(total)), total)
                b.store(b.add(start, word(height * self.size)), left)
                b.store(b.add(here, next_b), right)

            def put(total: Any, place: Any) -> None:
                with b.if_else(fresh) as (anew, more):
                    with anew:
                        b.store(b.fmul(b.load(total), factor), total)
                    with more:
                        b.store(self.fma(b, b.load(total), factor, b.fmul(share, read(place))), total)
                if mask is None:
                    self.store(b, b.load(total), place)
                else:  # takes longer
                    self.masked_store(b, b.load(total), place, mask)

            with b.if_else(ends) as (done, more):
                with done:
                    for row, total in enumerate(sums):
                        place = b.add(first, b.mul(next_c, word(row)))
                        if row < least:
                            put(total, place)
                        else:
                            with b.if_then(b.icmp_signed(">", rows, word(row))):
                                put(total, place)
                with more:
                    for total, place in zip(sums, between, strict=True):
                        self.store(b, b.load(total), place)

        with b.repeat(0, b.sdiv(columns, word(self.lanes))):
            tile(None)
            b.store(b.add(b.load(vector_of_b), next_vector), vector_of_b)
            b.store(b.add(b.load(vector_of_c), word(width)), vector_of_c)
            b.store(b.add(b.load(vector_of_sums), word(width * height)), vector_of_sums)
        rest = b.srem(columns, word(self.lanes))
        with b.if_then(b.icmp_signed(">", rest, word(0))):
            tile(self.first(b, rest))
        b.ret_void()
        return function

    def _emit_arrange(self) -> Any:
        """Emit arrange(A, from row to row, from term to term, rows, terms, height, to): copy a tile's numbers.

        They are `height` for each term; those past the last row are of no meaning. Up to a vector of numbers is written behind.
        """
        function = self.function("arrange", ir.FunctionType(NOTHING, [WORD] * 7))
        A, next_row, next_term, rows, terms, height, to = function.args
        b = Builder(function)
        size, step = word(self.size), b.mul(height, word(self.size))
        with b.if_then(b.equal(next_row, size)):  # of a transposed matrix: numbers are neighbours already
            with self.blocks(b, rows, self.lanes) as (first, some):
                mask, shift = self.first(b, some), b.mul(first, size)
                with b.repeat(0, terms) as k:
                    here = b.add(b.add(A, shift), b.mul(k, next_term))
                    self.masked_store(b, self.masked_load(b, here, mask), b.add(b.add(to, shift), b.mul(k, step)), mask)
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

    def few_rows(
        self, b: Builder, m: Any, n: Any, products: Sequence[Any], alpha: Any, beta: Any, C: Any, next_c: Any, room: Any
    ) -> None:
        """Emit two products of few rows; each is described by terms, A, from row to row, from term to term, B, from row to row.

        The second has 0 terms where there is none.
        """
        b.call(self.of_few_rows, [m, n, alpha, beta, C, next_c, room, *chain(*products)])

    def _emit_few_rows(self) -> Any:
        """Emit few_rows(m, n, alpha, beta, C, from row to row, room, first product, second product)."""
        kind = ir.FunctionType(NOTHING, [WORD] * 2 + [self.number] * 2 + [WORD] * (3 + 2 * PRODUCT))
        function = self.function("few_rows", kind)
        m, n, alpha, beta, C, next_c, room, *words = function.args
        b, products = Builder(function), (words[:PRODUCT], words[PRODUCT:])
        size, highest = word(self.size), self.near_highest
        copied = b.and_(b.add(room, word(63)), word(-64))
        kept = b.add(copied, word(room_for_left() * self.size))
        with self.blocks(b, n, tuning.UNPACKED_COLUMNS_OF_SUMS) as (column, wide), self.blocks(b, m, highest) as (i, rows):
            height, tile = self.near(b, rows)
            where = b.add(C, b.add(b.mul(i, next_c), b.mul(column, size)))
            for number, (terms, A, next_row, next_term, B, next_b) in enumerate(products):
                # C may have to be multiplied by beta
                anyway = terms if number else b.select(b.equal(terms, word(0)), word(1), terms)
                most = tuning.UNPACKED_TERMS_AT_ONCE
                times = b.sdiv(b.add(anyway, word(most - 1)), word(most))
                times = b.select(b.equal(times, word(0)), word(1), times)
                at_once = b.sdiv(b.add(anyway, b.sub(times, word(1))), times)  # no few are left for the last time
                with self.blocks(b, anyway, at_once) as (k, _):
                    rest = b.sub(terms, k)
                    some = b.select(b.icmp_signed("<", rest, at_once), rest, at_once)
                    begins = word(0) if number else b.select(b.equal(k, word(0)), word(FIRST), word(0))
                    last = b.icmp_signed("<=", rest, at_once)
                    last = last if number else b.and_(last, b.equal(products[1][0], word(0)))
                    start = b.add(A, b.add(b.mul(i, next_row), b.mul(k, next_term)))
                    b.call(self.arrange, [start, next_row, next_term, rows, some, height, copied])
                    right = b.add(B, b.add(b.mul(k, next_b), b.mul(column, size)))
                    steps = next_b, word(self.lanes * self.size), word(tuning.UNPACKED_AHEAD)
                    which = b.or_(begins, b.select(last, word(LAST), word(0)))
                    b.call(tile, [some, copied, right, *steps, which, kept, alpha, beta, where, next_c, rows, wide])
        b.ret_void()
        return function

    def few_columns(
        self,
        b: Builder,
        m: Any,
        n: Any,
        products: Sequence[Any],
        alpha: Any,
        beta: Any,
        C: Any,
        next_c: Any,
        room: Any,
        panel: Any,
    ) -> None:
        """Emit two products A' B of few columns, described as above, as the transposes of products B' A of few rows.

        So what is a vector's is a column of A, of which there are many, and A is read where it lies. `panel` has room for
        `UNPACKED_TERMS` of the widest tiles' rows: what is transposed back.
        """
        size, width, lanes = word(self.size), word(self.vectors * self.lanes * self.size), self.lanes
        turned = b.and_(b.add(room, word(63)), word(-64))
        more = b.add(turned, word(tuning.UNPACKED_FEW_COLUMNS * tuning.UNPACKED_TERMS * self.size))
        one, zero = self.number(1), self.number(0)
        factor, share, fresh = self.fill(b, alpha), self.fill(b, beta), b.fcmp_ordered("==", beta, zero)
        with b.goto_entry_block():
            results = [b.alloca(self.vector) for _ in range(_TOGETHER)]
        with self.blocks(b, m, tuning.UNPACKED_TERMS) as (i, rows):
            of_row, first = b.mul(rows, size), b.add(C, b.mul(i, next_c))
            others = [
                (terms, B, size, next_b, b.add(A, b.mul(i, size)), next_term) for terms, A, _, next_term, B, next_b in products
            ]
            self.few_rows(b, n, rows, others, one, zero, turned, of_row, more)
            with self.blocks(b, n, lanes) as (j, columns):
                b.call(self.pack, [b.add(turned, b.mul(j, of_row)), of_row, columns, rows, panel])
                mask, column = self.first(b, columns), b.add(first, b.mul(j, size))

                def add(row: Any, together: int, mask: Any = mask, column: Any = column) -> None:
                    numbers = [b.add(row, word(n)) for n in range(together)]
                    # masked: what lies behind may be numbers below the normal ones, which take a hundred cycles
                    totals = [self.masked_load(b, b.add(panel, b.mul(n, width)), mask) for n in numbers]
                    places = [b.add(column, b.mul(n, next_c)) for n in numbers]
                    made = results[:together]
                    with b.if_else(fresh) as (anew, added):
                        with anew:
                            for total, to in zip(totals, made, strict=True):
                                b.store(b.fmul(total, factor), to)
                        with added:  # a row that is read waits for what was written into the same line
                            for total, to, place in zip(totals, made, places, strict=True):
                                before = b.fmul(share, self.masked_load(b, place, mask))
                                b.store(self.fma(b, total, factor, before), to)
                    for to, place in zip(made, places, strict=True):
                        self.masked_store(b, b.load(to), place, mask)

                whole = b.and_(rows, word(-_TOGETHER))
                with b.repeat(0, whole, _TOGETHER) as row:
                    add(row, _TOGETHER)
                with b.repeat(whole, rows) as row:
                    add(row, 1)

    def few_terms(
        self, b: Builder, m: Any, n: Any, products: Sequence[Any], alpha: Any, beta: Any, C: Any, next_c: Any, room: Any
    ) -> None:
        """Emit two products of transposed matrices with few terms, described as above, added up in registers.

        Both are copied, some rows of the left and some columns of the right; the result goes by row by row.
        """
        size, highest, lanes = word(self.size), self.near_highest, self.lanes
        width = word(lanes * self.size)
        terms = b.add(products[0][0], products[1][0])
        of_rows, of_panel = b.mul(terms, word(highest * self.size)), b.mul(terms, width)
        left = b.and_(b.add(room, word(63)), word(-64))
        right = b.add(left, b.mul(terms, word(tuning.UNPACKED_ROWS * self.size)))
        with self.blocks(b, m, tuning.UNPACKED_ROWS) as (top, depth):
            with self.blocks(b, depth, highest) as (i, rows):
                height, _ = self.near(b, rows)
                to = b.add(left, b.mul(b.sdiv(i, word(highest)), of_rows))
                for number, (some, A, next_row, next_term, *_) in enumerate(products):
                    begin = b.mul(b.mul(products[0][0], height), size) if number else word(0)
                    start = b.add(A, b.mul(b.add(top, i), next_row))
                    b.call(self.arrange, [start, next_row, next_term, rows, some, height, b.add(to, begin)])
            with self.blocks(b, n, tuning.UNPACKED_COLUMNS) as (first, wide):
                with self.blocks(b, wide, lanes) as (j, columns):
                    to, mask = b.add(right, b.mul(b.sdiv(j, word(lanes)), of_panel)), self.first(b, columns)
                    for number, (some, *_, B, next_b) in enumerate(products):
                        start = b.add(B, b.mul(b.add(first, j), size))
                        there = b.add(to, b.mul(products[0][0], width)) if number else to
                        with b.repeat(0, some) as k:
                            value = self.masked_load(b, b.add(start, b.mul(k, next_b)), mask)
                            self.store(b, value, b.add(there, b.mul(k, width)))
                with self.blocks(b, depth, highest) as (i, rows):
                    _, tile = self.near(b, rows)
                    tile_a = b.add(left, b.mul(b.sdiv(i, word(highest)), of_rows))
                    row = b.add(C, b.add(b.mul(b.add(top, i), next_c), b.mul(first, size)))
                    steps = width, of_panel, of_panel
                    only, nothing = word(FIRST | LAST), word(0)
                    b.call(tile, [terms, tile_a, right, *steps, only, nothing, alpha, beta, row, next_c, rows, wide])
