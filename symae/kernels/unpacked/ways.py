"""Ways in which products are made of tiles: by rows, of few columns, and with copies of both matrices.

By rows, the right matrix is read where it lies. A vector of its columns is in as many pages of memory as there are terms. So
only some terms are taken at once, for all columns: as many as there are pages that the processor finds at once, besides the
result's. Tiles ask for what tiles to their right will read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

from llvmlite import ir

from symae.kernels import tuning
from symae.kernels.machine_code import Builder, word
from symae.kernels.simd.emitted import NOTHING, WORD
from symae.kernels.unpacked.near import FIRST, LAST, MOST_ROWS, Near
from symae.kernels.unpacked.panels import PRODUCT

_TOGETHER = 8  # rows of a narrow result that are read before one is written


def room_for_left() -> int:
    """Return the numbers of room that a copy of a tile's left numbers wants, with those that are written behind."""
    return (tuning.UNPACKED_TERMS_AT_ONCE + 1) * MOST_ROWS


def room_for_copies() -> int:
    """Return the numbers of room that products with copies of both matrices want for each term."""
    return tuning.UNPACKED_ROWS + tuning.UNPACKED_COLUMNS


def room_for_few_columns() -> int:
    """Return the numbers of room that products of few columns want."""
    turned = tuning.UNPACKED_TERMS
    return tuning.UNPACKED_FEW_COLUMNS * turned + room_for_left() + MOST_ROWS * turned + 16


class Ways(Near):
    """Emit the functions of such products for one dtype."""

    def __init__(self, letter: str):
        super().__init__(letter)
        self.by_rows, self.copied = self._emit_by_rows(), self._emit_copied()

    @contextmanager
    def some_terms(self, b: Builder, terms: Any, most: Any, least: int) -> Iterator[tuple[Any, Any]]:
        """Emit a loop over at most so many terms at once, about as many each time: yield the first, and how many there are.

        If `least` is 1, of no terms there are none once: C may have to be multiplied by beta.
        """
        one = word(1)
        anyway = b.select(b.icmp_signed(">", terms, word(least)), terms, word(least))
        times = b.sdiv(b.add(anyway, b.sub(most, one)), most)
        times = b.select(b.equal(times, word(0)), one, times)
        with self.blocks(b, anyway, b.sdiv(b.add(anyway, b.sub(times, one)), times)) as (k, some):
            yield k, b.select(b.icmp_signed("<", some, terms), some, terms)

    def _emit_by_rows(self) -> Any:
        """Emit by_rows(m, n, alpha, beta, C, from row to row, room, wide tiles if so, first product, second product)."""
        kind = ir.FunctionType(NOTHING, [WORD] * 2 + [self.number] * 2 + [WORD] * (4 + 2 * PRODUCT))
        function = self.function("by_rows", kind)
        m, n, alpha, beta, C, next_c, room, wide, *words = function.args
        b, products = Builder(function), (words[:PRODUCT], words[PRODUCT:])
        size = word(self.size)
        copied = b.and_(b.add(room, word(63)), word(-64))
        kept = b.add(copied, word(room_for_left() * self.size))
        wide = b.and_(b.equal(wide, word(1)), b.icmp_signed(">", m, word(self.near_highest)))
        with (
            self.blocks(b, n, tuning.UNPACKED_COLUMNS_OF_SUMS) as (column, some_columns),
            self.tiles_of(b, m, wide) as (_, i, *tile),
        ):
            rows, height, tile = tile
            where = b.add(C, b.add(b.mul(i, next_c), b.mul(column, size)))
            for number, (terms, A, next_row, next_term, B, next_b) in enumerate(products):
                most = word(tuning.UNPACKED_TERMS_AT_ONCE)
                if self.wide_tiles:
                    fewer = b.and_(wide, b.icmp_signed(">", next_b, word(tuning.UNPACKED_BYTES_OF_WIDE)))
                    most = b.select(fewer, word(tuning.UNPACKED_TERMS_OF_WIDE), most)
                with self.some_terms(b, terms, most, least=0 if number else 1) as (k, some):
                    begins = word(0) if number else b.select(b.equal(k, word(0)), word(FIRST), word(0))
                    last = b.icmp_signed(">=", b.add(k, some), terms)
                    last = last if number else b.and_(last, b.equal(products[1][0], word(0)))
                    start = b.add(A, b.add(b.mul(i, next_row), b.mul(k, next_term)))
                    b.call(self.arrange, [start, next_row, next_term, rows, some, height, copied])
                    right = b.add(B, b.add(b.mul(k, next_b), b.mul(column, size)))
                    steps = next_b, word(self.lanes * self.size), word(tuning.UNPACKED_AHEAD)
                    which = b.or_(begins, b.select(last, word(LAST), word(0)))
                    b.call(tile, [some, copied, right, *steps, which, kept, alpha, beta, where, next_c, rows, some_columns])
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
        `UNPACKED_TERMS` vectors: what is transposed back.
        """
        size, width, lanes = word(self.size), word(self.lanes * self.size), self.lanes
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
            # of A, of which each term is in a page of its own, as few tiles as can be
            b.call(self.by_rows, [n, rows, one, zero, turned, of_row, more, word(0), *chain(*others)])
            with self.blocks(b, n, lanes) as (j, columns):
                b.call(self.pack, [b.add(turned, b.mul(j, of_row)), of_row, columns, rows, panel, width])
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

    def _emit_copied(self) -> Any:
        """Emit copied(m, n, alpha, beta, C, from row to row, room, is B transposed, two products), of few terms.

        Both matrices are copied, some rows of the left and some columns of the right; the result goes by row by row. The second
        product has no terms if the first one's B is transposed.
        """
        kind = ir.FunctionType(NOTHING, [WORD] * 2 + [self.number] * 2 + [WORD] * (4 + 2 * PRODUCT))
        function = self.function("copied", kind)
        m, n, alpha, beta, C, next_c, room, transposed, *words = function.args
        b, products = Builder(function), (words[:PRODUCT], words[PRODUCT:])
        size, lanes = word(self.size), self.lanes
        width = word(lanes * self.size)
        terms = b.add(products[0][0], products[1][0])
        of_rows, of_panel = b.mul(terms, word(self.most_rows * self.size)), b.mul(terms, width)
        left = b.and_(b.add(room, word(63)), word(-64))
        right = b.add(left, b.mul(terms, word(tuning.UNPACKED_ROWS * self.size)))
        with self.blocks(b, m, tuning.UNPACKED_ROWS // self.most_rows * self.most_rows) as (top, depth):
            with self.tiles_of(b, depth) as (turn, i, rows, height, _):
                to = b.add(left, b.mul(turn, of_rows))
                for number, (some, A, next_row, next_term, *_) in enumerate(products):
                    begin = b.mul(b.mul(products[0][0], height), size) if number else word(0)
                    start = b.add(A, b.mul(b.add(top, i), next_row))
                    b.call(self.arrange, [start, next_row, next_term, rows, some, height, b.add(to, begin)])
            with self.blocks(b, n, tuning.UNPACKED_COLUMNS) as (first, some_columns):
                with self.blocks(b, some_columns, lanes) as (j, columns):
                    to, mask = b.add(right, b.mul(b.sdiv(j, word(lanes)), of_panel)), self.first(b, columns)
                    with b.if_else(b.equal(transposed, word(1))) as (turned, as_it_lies):
                        with turned:
                            some, *_, B, next_b = products[0]
                            b.call(self.pack, [b.add(B, b.mul(b.add(first, j), next_b)), next_b, columns, some, to, width])
                        with as_it_lies:
                            for number, (some, *_, B, next_b) in enumerate(products):
                                start = b.add(B, b.mul(b.add(first, j), size))
                                there = b.add(to, b.mul(products[0][0], width)) if number else to
                                with b.repeat(0, some) as k:
                                    value = self.masked_load(b, b.add(start, b.mul(k, next_b)), mask)
                                    self.store(b, value, b.add(there, b.mul(k, width)))
                with self.tiles_of(b, depth) as (turn, i, rows, _, tile):
                    tile_a = b.add(left, b.mul(turn, of_rows))
                    row = b.add(C, b.add(b.mul(b.add(top, i), next_c), b.mul(first, size)))
                    steps = width, of_panel, of_panel
                    only, nothing = word(FIRST | LAST), word(0)
                    b.call(tile, [terms, tile_a, right, *steps, only, nothing, alpha, beta, row, next_c, rows, some_columns])
        b.ret_void()
        return function
