"""Products of tiles, and their division among threads: functions that compiled graphs call by name.

All is one function, ``symae_gemm_s`` for float32 and ``symae_gemm_d`` for float64. It is serial; ``symae_gemms_s`` and
``symae_gemms_d`` divide it. Each number of the result is a sum in an order that follows from the sizes alone, by fused
multiply-adds.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from functools import partial
from typing import Any, NamedTuple

from llvmlite import ir

from symae.kernels import tuning
from symae.kernels.kept_code import define_kept
from symae.kernels.machine_code import Builder, word
from symae.kernels.parallel.pool import PART, SHARE
from symae.kernels.simd.emitted import DTYPES, NOTHING, WORD, available
from symae.kernels.unpacked.dots import Dots
from symae.kernels.unpacked.tiles import PRODUCT, widest

ROWS, COLUMNS, TERMS = range(3)  # what of a product is divided
# The words of `symae_gemms`: the product's sizes, matrices, bytes from row to row and from term to term, and how it is divided.
STATE = (
    *("m", "n", "alpha", "beta", "C", "row_c", "transposed", "terms", "A", "row_a", "term_a", "B", "row_b"),
    *("second", "D", "row_d", "term_d", "E", "row_e", "cut", "pieces", "parts", "backwards", "sums", "room", "of_part"),
)


LEFT, RIGHT = 1, 4  # which of the words of a product are the addresses of A and B
_ROWS_TOGETHER = 4  # of a minibatch are divided: tiles differ by so many, or fewer
PANELS = 2  # of B's columns that are copied together: a page of B has them all, and a page has to be looked up


def room_for(letter: str, transposed: bool) -> int:
    """Return the numbers that `symae_gemm` wants room for, for each term of its products of which it takes some at once.

    They are panels of B's columns, and copies of A's rows if one of the products has a transposed A.
    """
    return PANELS * widest(letter) + (tuning.UNPACKED_ROWS if transposed else 0)


class Room(NamedTuple):
    """Room for copies, and how many terms of the first product they have."""

    address: Any
    terms: Any

    def parts(self, b: Builder, transposed: Any, second: Any, of_panel: Any, size: int) -> tuple[list[Any], list[Any]]:
        """Emit the addresses of each product's rows of A, and of its panels; `second` are the terms of the second."""
        rows = b.select(transposed, word(tuning.UNPACKED_ROWS * size), word(0))
        first = b.and_(b.add(self.address, word(63)), word(-64))
        tiles = [first, b.add(first, b.mul(rows, self.terms))]
        panels = [b.add(tiles[1], b.mul(rows, second))]
        return tiles, [*panels, b.add(panels[0], b.mul(of_panel, word(PANELS)))]


class Described:
    """The words that describe up to two products to a tile, at an address."""

    def __init__(self, b: Builder, address: Any):
        self._builder, self.address = b, address

    def put(self, number: int, place: int, value: Any) -> None:
        b = self._builder
        b.store(value, b.inttoptr(b.add(self.address, word(8 * (PRODUCT * number + place))), WORD.as_pointer()))

    def describe(self, number: int, values: Iterable[Any]) -> None:
        for place, value in enumerate(values):
            self.put(number, place, value)


class Products(Dots):
    """Emit the functions for one dtype."""

    def __init__(self, letter: str):
        super().__init__(letter)
        self.gemm = self._emit_gemm()
        self.part = self._emit_part()
        self._emit_gemms()

    def _emit_gemm(self) -> Any:
        """Emit symae_gemm(m, n, alpha, beta, C, from row to row, rows, columns, is B transposed, two products, room).

        C is a part, m x n, of a result that has so many rows and columns. Their numbers say in which way it is made: so all
        parts are made in the same. Products are described as tiles want them; the second has 0 terms where there is none, and
        none if B is transposed. More rows than a tile's want `room_for` numbers at `room`.
        """
        kind = ir.FunctionType(NOTHING, [WORD, WORD, self.number, self.number] + [WORD] * (6 + 2 * PRODUCT))
        function = ir.Function(self.module, kind, f"symae_gemm_{self.letter}")
        m, n, alpha, beta, C, next_c, all_rows, all_columns, transposed, *described, room = function.args
        first, second = described[:PRODUCT], described[PRODUCT:]
        terms, A, next_row, next_term, B, next_b = first
        b = Builder(function)
        described = b.alloca(ir.ArrayType(WORD, 2 * PRODUCT))
        described.align = 64
        panel = b.alloca(ir.ArrayType(self.number, tuning.UNPACKED_TERMS * self.lanes * self.vectors))
        panel.align = 64
        panel, products = b.ptrtoint(panel, WORD), Described(b, b.ptrtoint(described, WORD))
        of_panel = word(self.lanes * self.vectors * self.size)
        by_dots = b.and_(
            b.icmp_signed(">=", terms, word(tuning.UNPACKED_TERMS_OF_DOTS)),
            b.icmp_signed("<=", all_rows, word(tuning.UNPACKED_ROWS_FOR_DOTS)),
        )
        by_dots = b.and_(b.and_(by_dots, b.equal(transposed, word(1))), b.equal(next_term, word(self.size)))
        with b.if_then(by_dots):
            self.by_dots(b, m, n, first, alpha, beta, C, next_c)
            b.ret_void()
        as_it_lies = b.equal(transposed, word(0))
        # of a transposed A numbers are neighbours from row to row
        across = [b.and_(b.equal(p[2], word(self.size)), b.icmp_signed("!=", p[3], word(self.size))) for p in (first, second)]
        across[1] = b.and_(across[1], b.icmp_signed(">", second[0], word(0)))
        all_across = b.and_(across[0], b.or_(across[1], b.equal(second[0], word(0))))
        of_one_tile = b.icmp_signed("<=", all_rows, word(self.near_highest))
        few_terms = b.icmp_signed("<=", b.add(terms, second[0]), word(tuning.UNPACKED_FEW_TERMS))
        # what is turned back at the end is little beside many terms, or if it is a vector wide
        most = b.select(few_terms, word(self.lanes), word(tuning.UNPACKED_FEW_COLUMNS))
        few_columns = b.and_(b.icmp_signed("<=", all_columns, most), b.icmp_signed("<=", all_columns, all_rows))
        with b.if_then(b.and_(b.and_(as_it_lies, all_across), few_columns)):
            self.few_columns(b, m, n, (first, second), alpha, beta, C, next_c, room, panel)
            b.ret_void()
        with b.if_then(b.and_(b.and_(as_it_lies, all_across), b.and_(few_terms, b.not_(of_one_tile)))):
            self.few_terms(b, m, n, (first, second), alpha, beta, C, next_c, room)
            b.ret_void()
        with b.if_then(b.and_(as_it_lies, b.or_(of_one_tile, b.not_(b.or_(*across))))):
            self.few_rows(b, m, n, (first, second), alpha, beta, C, next_c, room)
            b.ret_void()
        anyway = b.select(b.equal(terms, word(0)), word(1), terms)  # C may have to be multiplied by beta
        few = b.icmp_signed("<=", second[0], word(tuning.UNPACKED_TERMS))
        room = Room(room, b.select(b.icmp_signed("<", terms, word(tuning.UNPACKED_TERMS)), terms, word(tuning.UNPACKED_TERMS)))
        with self.blocks(b, anyway, tuning.UNPACKED_TERMS) as (k, _):
            rest = b.sub(terms, k)
            inside = b.icmp_signed("<=", rest, word(tuning.UNPACKED_TERMS))
            some = b.select(inside, rest, word(tuning.UNPACKED_TERMS))
            share = b.select(b.equal(k, word(0)), beta, self.number(1))
            left, start = b.add(A, b.mul(k, next_term)), b.add(B, b.mul(k, next_b))
            count = b.select(b.and_(inside, b.icmp_signed(">", second[0], word(0))), word(2), word(1))
            with b.if_else(b.equal(transposed, word(1))) as (by_panels, as_it_lies):
                with by_panels, self.blocks(b, n, self.lanes * self.vectors) as (j, columns):
                    here = b.add(B, b.add(b.mul(j, next_b), b.mul(k, word(self.size))))
                    with self.blocks(b, columns, self.lanes) as (vector, some_columns):
                        to = b.add(panel, b.mul(vector, word(self.size)))
                        b.call(self.pack, [b.add(here, b.mul(vector, next_b)), next_b, some_columns, some, to])
                    products.describe(0, [some, left, next_row, next_term, panel, of_panel])
                    with self.tiles_of(b, m, columns) as (i, rows, tile):
                        where = b.add(C, b.add(b.mul(i, next_c), b.mul(j, word(self.size))))
                        b.call(tile, [products.address, word(1), i, alpha, share, where, next_c, rows, columns])
                with as_it_lies, b.if_else(few) as (packed, otherwise):
                    with packed:
                        both = (some, left, next_row, next_term, start, next_b), second
                        self._tall(b, m, n, both, count, alpha, share, C, next_c, room, products)
                    with otherwise:
                        products.describe(1, second)
                        with self.blocks(b, m, self.heights[-1]) as (i, rows):
                            tile = self.tile(b, rows, self.tiles)
                            with self.blocks(b, n, self.lanes) as (j, columns):
                                shift = b.mul(j, word(self.size))
                                products.describe(0, [some, left, next_row, next_term, b.add(start, shift), next_b])
                                products.put(1, RIGHT, b.add(second[RIGHT], shift))
                                where = b.add(b.add(C, b.mul(i, next_c)), shift)
                                b.call(tile, [products.address, count, i, alpha, share, where, next_c, rows, columns])
        b.ret_void()
        return function

    def _tall(
        self,
        b: Builder,
        m: Any,
        n: Any,
        both: Any,
        count: Any,
        alpha: Any,
        share: Any,
        C: Any,
        next_c: Any,
        room: Room,
        products: Described,
    ) -> None:
        """Emit products of more rows than a tile has, as BLAS makes them: what tiles read is copied to where they read it.

        As it lies, a vector of columns of B is in as many pages of memory as there are terms, and so is a tile of a transposed
        A. `both` describes the products, of which there are `count`.
        """
        high, lanes, size = self.step, self.lanes, word(self.size)
        width, of_tile = word(lanes * self.vectors * self.size), word(high * self.size)
        # of a transposed A numbers are neighbours from row to row: that is copied
        across = [b.and_(b.equal(row, size), b.icmp_signed("!=", term, size)) for _, _, row, term, *_ in both]
        across[1] = b.and_(across[1], b.icmp_signed(">", both[1][0], word(0)))
        of_panel = b.mul(width, room.terms)
        lengths = of_panel, b.mul(width, both[1][0])
        tiles, panels = room.parts(b, b.or_(*across), both[1][0], of_panel, self.size)

        def of(second: Any, values: Any) -> Any:
            return b.select(second, values[1], values[0])

        # all rows if they are not copied, and else blocks of about the same height
        most, step = word(tuning.UNPACKED_ROWS), word(high)
        blocks = b.sdiv(b.add(m, b.sub(most, word(1))), most)
        block = b.mul(b.sdiv(b.add(m, b.sub(b.mul(blocks, step), word(1))), b.mul(blocks, step)), step)
        with self.blocks(b, m, b.select(b.or_(*across), block, m)) as (top, height):
            with b.repeat(0, count) as each:
                second = b.equal(each, word(1))
                with b.if_then(of(second, across)):
                    terms, A, _, next_term, *_ = (of(second, pair) for pair in zip(*both, strict=True))
                    to = b.variable()
                    b.store(of(second, tiles), to)
                    with self.blocks(b, height, high) as (i, rows):
                        masks = [self.first(b, b.sub(rows, word(lane))) for lane in range(0, high, lanes)]
                        start = b.add(A, b.mul(b.add(top, i), size))
                        with b.repeat(0, terms) as k:
                            here = b.add(start, b.mul(k, next_term))
                            for number, mask in enumerate(masks):
                                shift = word(number * lanes * self.size)
                                self._copied(b, b.add(here, shift), b.add(b.load(to), shift), mask)
                            b.store(b.add(b.load(to), of_tile), to)
            for number, (terms, _, next_row, next_term, *_) in enumerate(both):
                lies = b.select(across[number], size, next_row), b.select(across[number], of_tile, next_term)
                products.describe(number, [terms, word(0), *lies, word(0), width])
            with self.blocks(b, n, PANELS * self.vectors * lanes) as (first, wide):
                vectors = PANELS * self.vectors
                masks = [self.first(b, b.sub(wide, word(vector * lanes))) for vector in range(vectors)]
                with b.repeat(0, count) as each:
                    second = b.equal(each, word(1))
                    terms, _, _, _, B, next_b = (of(second, pair) for pair in zip(*both, strict=True))
                    start, to = b.add(B, b.mul(first, size)), of(second, panels)
                    with b.repeat(0, terms) as k:
                        here, there = b.add(start, b.mul(k, next_b)), b.add(to, b.mul(k, width))
                        for vector, mask in enumerate(masks):
                            panel, inside = divmod(vector, self.vectors)
                            place = b.add(b.mul(of(second, lengths), word(panel)), word(inside * lanes * self.size))
                            self._copied(b, b.add(here, word(vector * lanes * self.size)), b.add(there, place), mask)
                with self.blocks(b, wide, self.vectors * lanes) as (j, columns):
                    column = b.add(C, b.mul(b.add(first, j), size))
                    number_of_panel = b.sdiv(j, word(self.vectors * lanes))
                    for number in range(2):
                        products.put(number, RIGHT, b.add(panels[number], b.mul(number_of_panel, lengths[number])))
                    with self.tiles_of(b, height, columns) as (i, rows, tile):
                        for number, (terms, A, next_row, *_) in enumerate(both):
                            copied = b.add(tiles[number], b.mul(b.mul(i, terms), size))
                            lies = b.add(A, b.mul(b.add(top, i), next_row))
                            products.put(number, LEFT, b.select(across[number], copied, lies))
                        where = b.add(column, b.mul(b.add(top, i), next_c))
                        b.call(tile, [products.address, count, word(0), alpha, share, where, next_c, rows, columns])

    def _copied(self, b: Builder, here: Any, there: Any, mask: Any) -> None:
        self.masked_store(b, self.masked_load(b, here, mask), there, mask)

    def _emit_part(self) -> Any:
        """Emit part(state, number): this part's pieces, of `parts`, of the product described in `state`.

        They are neighbours, so that what a thread has of a layer's weights lies together, and are made as one. Not so those of
        a transposed matrix, which are taken the other way round: what of the weights is still in the cache since they were
        read forwards comes first backwards. Of divided terms there are two halves, of each of which columns are divided, too.
        """
        function = ir.Function(self.module, PART, f"part_{self.letter}")
        function.linkage = "internal"
        b = Builder(function)
        state = b.ptrtoint(function.args[0], WORD)
        g = self._state(b, state)
        part, pieces, parts, zero = function.args[1], g["pieces"], g["parts"], word(0)
        of_rows, of_terms = b.equal(g["cut"], word(ROWS)), b.equal(g["cut"], word(TERMS))
        of_columns, transposed = b.equal(g["cut"], word(COLUMNS)), b.equal(g["transposed"], word(1))
        size, one = word(self.size), word(1)
        side = b.select(of_rows, g["m"], b.select(of_columns, g["n"], g["terms"]))
        of_half = b.select(of_terms, b.sdiv(pieces, word(2)), pieces)  # pieces that each half of the terms has
        of_minibatch = b.and_(of_rows, b.or_(transposed, b.equal(g["backwards"], zero)))
        block = b.select(of_minibatch, word(_ROWS_TOGETHER), word(tuning.BLAS_BLOCK))

        def bound(number: Any, side: Any, pieces: Any) -> Any:
            blocks = b.sdiv(b.add(b.sdiv(b.mul(side, number), pieces), b.sub(block, one)), block)
            end = b.mul(blocks, block)
            return b.select(b.icmp_signed("<", end, side), end, side)

        begin, end = (b.sdiv(b.mul(pieces, number), parts) for number in (part, b.add(part, one)))
        apart = b.or_(of_terms, transposed)
        with b.repeat(begin, b.select(apart, end, b.select(b.icmp_signed("<", begin, end), b.add(begin, one), begin))) as turn:
            back = b.sub(b.add(begin, b.sub(end, one)), turn)
            piece = b.select(b.and_(transposed, b.not_(of_terms)), back, turn)
            half, column = b.sdiv(piece, of_half), b.srem(piece, of_half)
            number = b.select(of_terms, half, piece)
            next_number = b.select(apart, b.add(number, one), end)
            first, last = (bound(n, side, b.select(of_terms, word(2), pieces)) for n in (number, next_number))
            length = b.sub(last, first)
            left, right = (bound(n, g["n"], of_half) for n in (column, b.add(column, one)))
            left, right = b.select(of_columns, first, left), b.select(of_columns, last, right)
            left, right = b.select(of_rows, zero, left), b.select(of_rows, g["n"], right)
            top, start = b.select(of_rows, first, zero), b.select(of_terms, first, zero)
            A = b.add(g["A"], b.add(b.mul(top, g["row_a"]), b.mul(start, g["term_a"])))
            across, along = b.select(transposed, g["row_b"], size), b.select(transposed, size, g["row_b"])
            B = b.add(g["B"], b.add(b.mul(left, across), b.mul(start, along)))
            # the first half of the terms goes to C, the second to `sums`
            more = b.and_(of_terms, b.equal(half, one))
            row_c = b.select(more, b.mul(g["n"], size), g["row_c"])
            C = b.add(b.select(more, g["sums"], g["C"]), b.add(b.mul(top, row_c), b.mul(left, size)))
            beta = b.select(more, self.number(0), g["beta"])
            product = [b.select(of_terms, length, g["terms"]), A, g["row_a"], g["term_a"], B, g["row_b"]]
            D, E = b.add(g["D"], b.mul(top, g["row_d"])), b.add(g["E"], b.mul(left, size))
            second = [g["second"], D, g["row_d"], g["term_d"], E, g["row_e"]]
            m, n = b.select(of_rows, length, g["m"]), b.sub(right, left)
            room = b.add(g["room"], b.mul(part, g["of_part"]))
            part_of_c = [m, n, g["alpha"], beta, C, row_c, g["m"], g["n"]]
            b.call(self.gemm, [*part_of_c, g["transposed"], *product, *second, room])
        b.ret_void()
        return function

    def _kind(self, name: str) -> Any:
        return self.number if name in ("alpha", "beta") else WORD

    def _emit_gemms(self) -> None:
        """Emit symae_gemms(state): all pieces, by the threads of the pool if there are to be several parts, and their sum."""
        added = self._emit_added()
        function = ir.Function(self.module, ir.FunctionType(NOTHING, [WORD]), f"symae_gemms_{self.letter}")
        (state,) = function.args
        b = Builder(function)
        share = ir.Function(self.module, SHARE, "symae_share")
        pointer = b.inttoptr(state, PART.args[0])
        g = self._state(b, state)
        with b.if_else(b.icmp_signed(">", g["parts"], word(1))) as (several, one):
            with several:
                b.call(share, [self.part, pointer, g["parts"]])
            with one:
                b.call(self.part, [pointer, word(0)])
        with b.if_then(b.equal(g["cut"], word(TERMS))):
            numbers = b.mul(b.mul(g["m"], g["n"]), word(2))
            enough = b.icmp_signed(">=", numbers, word(tuning.NUMBERS_FOR_AWAKE_THREADS[False]))
            with b.if_else(b.and_(enough, b.icmp_signed(">", g["parts"], word(1)))) as (several, one):
                with several:
                    b.call(share, [added, pointer, g["parts"]])
                with one, b.repeat(0, g["parts"]) as part:
                    b.call(added, [pointer, part])
        b.ret_void()

    def _emit_added(self) -> Any:
        """Emit added(state, number): add what the second half of the terms gave to C, for this part's rows."""
        function = ir.Function(self.module, PART, f"added_{self.letter}")
        function.linkage = "internal"
        b = Builder(function)
        g = self._state(b, b.ptrtoint(function.args[0], WORD))
        part, parts, size = function.args[1], g["parts"], word(self.size)
        width = b.mul(g["n"], size)
        first, end = (b.sdiv(b.mul(g["m"], number), parts) for number in (part, b.add(part, word(1))))
        with b.repeat(first, end) as i, self.blocks(b, g["n"], self.lanes) as (j, columns):
            mask, shift = self.first(b, columns), b.mul(j, size)
            where = b.add(g["C"], b.add(b.mul(i, g["row_c"]), shift))
            some = self.masked_load(b, b.add(g["sums"], b.add(b.mul(i, width), shift)), mask)
            self.masked_store(b, b.fadd(self.masked_load(b, where, mask), some), where, mask)
        b.ret_void()
        return function

    def _state(self, b: Builder, state: Any) -> dict[str, Any]:
        """Emit the words of a product that is described at `state`."""
        return {name: self.load(b, b.add(state, word(8 * n)), self._kind(name)) for n, name in enumerate(STATE)}


def _module(letter: str) -> ir.Module:
    return Products(letter).module


@functools.cache
def define(letter: str) -> None:
    """Let machine code find the functions for the dtype that BLAS has this letter for, if the processor has the registers."""
    if available():
        define_kept([f"symae_gemm_{letter}", f"symae_gemms_{letter}"], partial(_module, letter))


# What machine code that is read from a cache needs.
CONNECTIONS = {letter: partial(define, letter) for letter in DTYPES}
