"""Products of tiles, and their division among threads: functions that compiled graphs call by name.

All is one function, ``symae_gemm_s`` for float32 and ``symae_gemm_d`` for float64. It is serial; ``symae_gemms_s`` and
``symae_gemms_d`` divide it. Each number of the result is a sum in an order that follows from the sizes alone, by fused
multiply-adds.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from functools import partial
from typing import Any

from llvmlite import ir

from symae.kernels import tuning
from symae.kernels.kept_code import define_kept
from symae.kernels.machine_code import Builder, word
from symae.kernels.parallel.pool import PART, SHARE
from symae.kernels.simd.emitted import DTYPES, NOTHING, WORD, available
from symae.kernels.unpacked.dots import Dots
from symae.kernels.unpacked.panels import PRODUCT

ROWS, COLUMNS, TERMS = range(3)  # what of a product is divided
# The words of `symae_gemms`: the product's sizes, matrices, bytes from row to row and from term to term, and how it is divided.
STATE = (
    *("m", "n", "alpha", "beta", "C", "row_c", "transposed", "terms", "A", "row_a", "term_a", "B", "row_b"),
    *("second", "D", "row_d", "term_d", "E", "row_e", "cut", "pieces", "parts", "gradient", "sums", "room", "of_part"),
)


_ROWS_TOGETHER = 4  # of a minibatch are divided: tiles differ by so many, or fewer


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
        none if B is transposed. They want `room_of_part` numbers at `room`.
        """
        kind = ir.FunctionType(NOTHING, [WORD, WORD, self.number, self.number] + [WORD] * (6 + 2 * PRODUCT))
        function = ir.Function(self.module, kind, f"symae_gemm_{self.letter}")
        m, n, alpha, beta, C, next_c, all_rows, all_columns, transposed, *described, room = function.args
        first, second = described[:PRODUCT], described[PRODUCT:]
        terms, next_term = first[0], first[3]
        b = Builder(function)
        panel = b.alloca(ir.ArrayType(self.number, tuning.UNPACKED_TERMS * self.lanes))
        panel.align = 64
        panel = b.ptrtoint(panel, WORD)
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
        whole = m, n, alpha, beta, C, next_c, room
        with b.if_then(b.and_(as_it_lies, b.or_(of_one_tile, b.not_(b.or_(*across))))):
            b.call(self.by_rows, [*whole, word(1), *first, *second])
            b.ret_void()
        at_once = b.and_(few_terms, b.or_(all_across, b.equal(transposed, word(1))))
        with b.if_then(at_once):
            b.call(self.copied, [*whole, transposed, *first, *second])
            b.ret_void()
        self._one_after_the_other(b, whole, transposed, (first, second), across)
        b.ret_void()
        return function

    def _one_after_the_other(
        self, b: Builder, whole: Sequence[Any], transposed: Any, products: Sequence[Any], across: Sequence[Any]
    ) -> None:
        """Emit two products, one after the other, and of those whose matrices are copied some terms at once."""
        m, n, alpha, beta, C, next_c, room = whole
        nothing = [word(0)] * PRODUCT
        turned = b.equal(transposed, word(1))
        for number, (product, is_across) in enumerate(zip(products, across, strict=True)):
            terms, A, next_row, next_term, B, next_b = product
            share = self.number(1) if number else beta
            along = b.select(turned, word(self.size), next_b)  # from term to term of B
            there_is_one, copies = b.icmp_signed(">=", terms, word(number)), b.or_(is_across, turned)
            with b.if_then(there_is_one), b.if_else(copies) as (copied, as_it_lies):
                with copied, self.some_terms(b, terms, word(tuning.UNPACKED_FEW_TERMS), least=1) as (k, some):
                    now = b.select(b.equal(k, word(0)), share, self.number(1))
                    part = some, b.add(A, b.mul(k, next_term)), next_row, next_term, b.add(B, b.mul(k, along)), next_b
                    b.call(self.copied, [m, n, alpha, now, C, next_c, room, transposed, *part, *nothing])
                with as_it_lies:
                    b.call(self.by_rows, [m, n, alpha, share, C, next_c, room, word(1), *product, *nothing])

    def _emit_part(self) -> Any:
        """Emit part(state, number): this part's pieces, of `parts`, of the product described in `state`.

        They are neighbours, so that what a thread has of a layer's weights lies together, and are made as one. Of divided terms
        there are two halves, of each of which columns are divided, too.
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
        of_minibatch = b.and_(of_rows, b.equal(g["gradient"], zero))
        block = b.select(of_minibatch, word(_ROWS_TOGETHER), word(tuning.BLAS_BLOCK))

        def bound(number: Any, side: Any, pieces: Any) -> Any:
            blocks = b.sdiv(b.add(b.sdiv(b.mul(side, number), pieces), b.sub(block, one)), block)
            end = b.mul(blocks, block)
            return b.select(b.icmp_signed("<", end, side), end, side)

        begin, end = (b.sdiv(b.mul(pieces, number), parts) for number in (part, b.add(part, one)))
        as_one = b.select(b.icmp_signed("<", begin, end), b.add(begin, one), begin)
        with b.repeat(begin, b.select(of_terms, end, as_one)) as piece:
            half, column = b.sdiv(piece, of_half), b.srem(piece, of_half)
            number = b.select(of_terms, half, piece)
            next_number = b.select(of_terms, b.add(number, one), end)
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
