"""Products of tiles, and their division among threads: functions that compiled graphs call by name.

All is one function, ``symae_gemm_s`` for float32 and ``symae_gemm_d`` for float64. It is
serial; ``symae_gemms_s`` and ``symae_gemms_d`` divide it. Each number of the result is a sum in an order that follows from the
sizes alone, by fused multiply-adds.
"""

from __future__ import annotations

import functools
from functools import partial
from typing import Any

from llvmlite import ir

from symae.kernels import tuning
from symae.kernels.kept_code import define_kept
from symae.kernels.machine_code import Builder, word
from symae.kernels.parallel.pool import PART, SHARE
from symae.kernels.unpacked.tiles import DTYPES, NOTHING, PRODUCT, WORD, Tiles, available

ROWS, COLUMNS, TERMS = range(3)  # what of a product is divided
# The words of `symae_gemms`: the product's sizes, matrices, bytes from row to row and from term to term, and how it is divided.
STATE = (
    *("m", "n", "alpha", "beta", "C", "row_c", "transposed", "terms", "A", "row_a", "term_a", "B", "row_b"),
    *("second", "D", "row_d", "term_d", "E", "row_e", "cut", "pieces", "parts", "backwards", "sums"),
)


class Products(Tiles):
    """Emit the functions for one dtype."""

    def __init__(self, letter: str):
        super().__init__(letter)
        self.gemm = self._emit_gemm()
        self.part = self._emit_part()
        self._emit_gemms()

    def _emit_gemm(self) -> Any:
        """Emit symae_gemm(m, n, alpha, beta, C, from row to row, first product, is B transposed, second product).

        Products are described as tiles want them; the second has 0 terms where there is none, and none if B is transposed.
        """
        kind = ir.FunctionType(NOTHING, [WORD, WORD, self.number, self.number] + [WORD] * (3 + 2 * PRODUCT))
        function = ir.Function(self.module, kind, f"symae_gemm_{self.letter}")
        m, n, alpha, beta, C, next_c, transposed, *described = function.args
        first, second = described[:PRODUCT], described[PRODUCT:]
        terms, A, next_row, next_term, B, next_b = first
        b = Builder(function)
        products = b.alloca(ir.ArrayType(WORD, 2 * PRODUCT))
        products.align = 64
        panel = b.alloca(ir.ArrayType(self.number, tuning.UNPACKED_TERMS * self.lanes))
        panel.align = 64
        products, panel = (b.ptrtoint(array, WORD) for array in (products, panel))
        width = word(self.lanes * self.size)

        def describe(number: int, values: Any) -> None:
            for position, value in enumerate(values):
                b.store(value, b.inttoptr(b.add(products, word(8 * (PRODUCT * number + position))), WORD.as_pointer()))

        describe(1, second)
        anyway = b.select(b.equal(terms, word(0)), word(1), terms)  # C may have to be multiplied by beta
        with self.blocks(b, anyway, tuning.UNPACKED_TERMS) as (k, _):
            rest = b.sub(terms, k)
            inside = b.icmp_signed("<=", rest, word(tuning.UNPACKED_TERMS))
            some = b.select(inside, rest, word(tuning.UNPACKED_TERMS))
            share = b.select(b.equal(k, word(0)), beta, self.number(1))
            left = b.add(A, b.mul(k, next_term))
            with b.if_else(b.equal(transposed, word(1))) as (by_panels, as_it_lies):
                with by_panels, self.blocks(b, n, self.lanes) as (j, columns):
                    start = b.add(B, b.add(b.mul(j, next_b), b.mul(k, word(self.size))))
                    b.call(self.pack, [start, next_b, columns, some, panel])
                    describe(0, [some, left, next_row, next_term, panel, width])
                    self.rows(b, m, products, word(1), alpha, share, b.add(C, b.mul(j, word(self.size))), next_c, columns)
                with as_it_lies:
                    count = b.select(b.and_(inside, b.icmp_signed(">", second[0], word(0))), word(2), word(1))
                    start = b.add(B, b.mul(k, next_b))
                    with self.blocks(b, m, self.heights[-1]) as (i, rows):
                        tile = self._tile(b, rows)
                        with self.blocks(b, n, self.lanes) as (j, columns):
                            shift = b.mul(j, word(self.size))
                            describe(0, [some, left, next_row, next_term, b.add(start, shift), next_b])
                            b.store(
                                b.add(second[4], shift),
                                b.inttoptr(b.add(products, word(8 * (PRODUCT + 4))), WORD.as_pointer()),
                            )
                            where = b.add(b.add(C, b.mul(i, next_c)), shift)
                            b.call(tile, [products, count, i, alpha, share, where, next_c, rows, columns])
        b.ret_void()
        return function

    def _emit_part(self) -> Any:
        """Emit part(state, number): the pieces that are this part's, of `parts`, of the product described in `state`.

        A product with a transposed matrix takes them the other way round: what of a layer's weights is still in the cache since
        they were read forwards comes first backwards.
        """
        function = ir.Function(self.module, PART, f"part_{self.letter}")
        function.linkage = "internal"
        b = Builder(function)
        state = b.ptrtoint(function.args[0], WORD)
        g = {name: self.load(b, b.add(state, word(8 * n)), self._kind(name)) for n, name in enumerate(STATE)}
        part, pieces, parts, zero = function.args[1], g["pieces"], g["parts"], word(0)
        of_rows, of_terms = b.equal(g["cut"], word(ROWS)), b.equal(g["cut"], word(TERMS))
        of_columns, transposed = b.equal(g["cut"], word(COLUMNS)), b.equal(g["transposed"], word(1))
        size = word(self.size)
        side = b.select(of_rows, g["m"], b.select(of_columns, g["n"], g["terms"]))
        own = b.sdiv(b.sub(b.add(pieces, b.sub(parts, word(1))), part), parts)
        block = word(tuning.BLAS_BLOCK)

        def bound(number: Any) -> Any:
            blocks = b.sdiv(b.add(b.sdiv(b.mul(side, number), pieces), b.sub(block, word(1))), block)
            end = b.mul(blocks, block)
            return b.select(b.icmp_signed("<", end, side), end, side)

        def shift(condition: Any, amount: Any) -> Any:
            return b.select(condition, b.mul(first, amount), zero)

        with b.repeat(0, own) as turn:
            back = b.sub(b.sub(own, word(1)), turn)
            piece = b.add(part, b.mul(parts, b.select(b.equal(g["backwards"], word(1)), back, turn)))
            first = bound(piece)
            length = b.sub(bound(b.add(piece, word(1))), first)
            m, n = b.select(of_rows, length, g["m"]), b.select(of_columns, length, g["n"])
            A = b.add(g["A"], b.add(shift(of_rows, g["row_a"]), shift(of_terms, g["term_a"])))
            across, along = b.select(transposed, g["row_b"], size), b.select(transposed, size, g["row_b"])
            B = b.add(g["B"], b.add(shift(of_columns, across), shift(of_terms, along)))
            C = b.add(g["C"], b.add(shift(of_rows, g["row_c"]), shift(of_columns, size)))
            of_sums = b.mul(g["n"], size)
            C = b.select(of_terms, b.add(g["sums"], b.mul(piece, b.mul(g["m"], of_sums))), C)
            row_c = b.select(of_terms, of_sums, g["row_c"])
            beta = b.select(of_terms, self.number(0), g["beta"])
            product = [b.select(of_terms, length, g["terms"]), A, g["row_a"], g["term_a"], B, g["row_b"]]
            D, E = b.add(g["D"], shift(of_rows, g["row_d"])), b.add(g["E"], shift(of_columns, size))
            more = [g["second"], D, g["row_d"], g["term_d"], E, g["row_e"]]
            b.call(self.gemm, [m, n, g["alpha"], beta, C, row_c, g["transposed"], *product, *more])
        b.ret_void()
        return function

    def _kind(self, name: str) -> Any:
        return self.number if name in ("alpha", "beta") else WORD

    def _emit_gemms(self) -> None:
        """Emit symae_gemms(state): all pieces, by the threads of the pool if there are to be several parts, and their sum."""
        function = ir.Function(self.module, ir.FunctionType(NOTHING, [WORD]), f"symae_gemms_{self.letter}")
        (state,) = function.args
        b = Builder(function)
        share = ir.Function(self.module, SHARE, "symae_share")
        pointer = b.inttoptr(state, PART.args[0])
        g = {name: self.load(b, b.add(state, word(8 * n)), self._kind(name)) for n, name in enumerate(STATE)}
        with b.if_else(b.icmp_signed(">", g["parts"], word(1))) as (several, one):
            with several:
                b.call(share, [self.part, pointer, g["parts"]])
            with one:
                b.call(self.part, [pointer, word(0)])
        width = b.mul(g["n"], word(self.size))
        with b.if_then(b.equal(g["cut"], word(TERMS))):
            beta = self.fill(b, g["beta"])
            total = b.alloca(self.vector)
            with b.repeat(0, g["m"]) as i, self.blocks(b, g["n"], self.lanes) as (j, columns):
                mask, shift = self.first(b, columns), b.mul(j, word(self.size))
                b.store(ir.Constant(self.vector, None), total)
                with b.repeat(0, g["pieces"]) as piece:
                    row = b.add(b.mul(piece, g["m"]), i)
                    some = self.masked_load(b, b.add(g["sums"], b.add(b.mul(row, width), shift)), mask)
                    b.store(b.fadd(b.load(total), some), total)
                where = b.add(g["C"], b.add(b.mul(i, g["row_c"]), shift))
                with b.if_else(b.fcmp_ordered("==", g["beta"], self.number(0))) as (anew, more):
                    with anew:
                        self.masked_store(b, b.load(total), where, mask)
                    with more:
                        made = self.fma(b, beta, self.masked_load(b, where, mask), b.load(total))
                        self.masked_store(b, made, where, mask)
        b.ret_void()


def _module(letter: str) -> ir.Module:
    return Products(letter).module


@functools.cache
def define(letter: str) -> None:
    """Let machine code find the functions for the dtype that BLAS has this letter for, if the processor has the registers."""
    if available():
        define_kept([f"symae_gemm_{letter}", f"symae_gemms_{letter}"], partial(_module, letter))


# What machine code that is read from a cache needs.
CONNECTIONS = {letter: partial(define, letter) for letter in DTYPES}
