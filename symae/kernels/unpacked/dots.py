"""Products with a transposed right matrix whose rows are long, as inner products of rows.

In y W' a number of the result is the inner product of a row of y and a row of W. Some rows of both are read at once, vector by
vector; each pair has a vector of sums, which are added up at the end. So W is read where it lies. As panels its rows would have
to be transposed, which for 20 rows of y takes a third of the time; but of short rows adding up takes longer.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from symae.kernels import tuning
from symae.kernels.machine_code import Builder, word
from symae.kernels.simd.emitted import NOTHING, WORD
from symae.kernels.unpacked.ways import Ways

# Rows of the left matrix at once, by how many vector registers there are: so many times the rows of the right, and these and
# one of the left, need a register each.
_ROWS = {32: 5, 16: 2}
_COLUMNS = 4


class Dots(Ways):
    """Emit the functions of such products for one dtype."""

    def __init__(self, letter: str):
        super().__init__(letter)
        self.most_dots = _ROWS[32 if self.wide_registers else 16]
        self.dots = [self._emit_dots(rows) for rows in range(1, self.most_dots + 1)]

    def _emit_dots(self, height: int) -> Any:
        """Emit dots(terms, A, from row to row, B, from row to row, alpha, beta, C, from row to row, columns)."""
        kind = ir.FunctionType(NOTHING, [WORD] * 5 + [self.number] * 2 + [WORD] * 3)
        function = self.function(f"dots_{height}", kind)
        terms, A, next_a, B, next_b, alpha, beta, C, next_c, columns = function.args
        b = Builder(function)
        sums = [[b.alloca(self.vector) for _ in range(_COLUMNS)] for _ in range(height)]
        for row in sums:
            for total in row:
                b.store(ir.Constant(self.vector, None), total)
        last = b.sub(columns, word(1))
        lefts = [b.add(A, b.mul(next_a, word(row))) for row in range(height)]
        numbers = [b.select(b.icmp_signed("<", last, word(n)), last, word(n)) for n in range(_COLUMNS)]
        rights = [b.add(B, b.mul(next_b, n)) for n in numbers]

        def add(k: Any, mask: Any) -> None:
            shift = b.mul(k, word(self.size))

            def read(start: Any) -> Any:
                here = b.add(start, shift)
                return self.load(b, here, self.vector) if mask is None else self.masked_load(b, here, mask)

            of_right = [read(start) for start in rights]
            for start, row in zip(lefts, sums, strict=True):
                of_left = read(start)
                for total, vector in zip(row, of_right, strict=True):
                    b.store(self.fma(b, of_left, vector, b.load(total)), total)
            if mask is None:
                for start in rights:
                    self.fetch(b, b.add(b.add(start, shift), word(tuning.UNPACKED_AHEAD_OF_ROW)), write=False)

        whole = b.mul(b.sdiv(terms, word(self.lanes)), word(self.lanes))
        with b.repeat(0, whole, self.lanes) as k:
            add(k, None)
        with b.if_then(b.icmp_signed("<", whole, terms)):
            add(whole, self.first(b, b.sub(terms, whole)))
        stored = b.icmp_signed(
            "<", ir.Constant(ir.VectorType(WORD, _COLUMNS), list(range(_COLUMNS))), self.fill(b, columns, _COLUMNS)
        )
        factor, share = self.fill(b, alpha, _COLUMNS), self.fill(b, beta, _COLUMNS)
        fresh = b.fcmp_ordered("==", beta, self.number(0))
        for number, row in enumerate(sums):
            total, place = self._of_lanes(b, [b.load(v) for v in row]), b.add(C, b.mul(next_c, word(number)))
            with b.if_else(fresh) as (anew, more):
                with anew:
                    self.masked_store(b, b.fmul(total, factor), place, stored)
                with more:
                    before = b.fmul(share, self.masked_load(b, place, stored))
                    self.masked_store(b, b.fadd(b.fmul(total, factor), before), place, stored)
        b.ret_void()
        return function

    def _of_lanes(self, b: Builder, vectors: list[Any]) -> Any:
        """Emit the vector of the sums of each of four vectors' lanes."""
        lanes = self.lanes

        def halves(x: Any, y: Any, span: int) -> Any:
            """Add the halves of each `span` of lanes of x, and of y behind."""
            low = [start + lane for start in range(0, 2 * lanes, span) for lane in range(span // 2)]
            return b.fadd(self.shuffled(b, x, y, low), self.shuffled(b, x, y, [n + span // 2 for n in low]))

        pairs = [halves(vectors[n], vectors[n + 1], lanes) for n in (0, 2)]
        total, span = halves(pairs[0], pairs[1], lanes // 2), lanes // 4
        while span > 1:
            turned = [start + (lane + span // 2) % span for start in range(0, lanes, span) for lane in range(span)]
            total, span = b.fadd(total, self.shuffled(b, total, total, turned)), span // 2
        return self.shuffled(b, total, total, list(range(0, lanes, lanes // 4)))

    def by_dots(self, b: Builder, m: Any, n: Any, product: Any, alpha: Any, beta: Any, C: Any, next_c: Any) -> None:
        """Emit a product with a transposed B, described by terms, A, from row to row, from term to term, B, from row to row."""
        terms, A, next_row, _, B, next_b = product
        size = word(self.size)
        with self.blocks(b, n, tuning.UNPACKED_ROWS_OF_DOTS) as (first, some), self.blocks(b, m, self.most_dots) as (i, rows):
            function = self.dots[-1]
            for number, lower in reversed(list(enumerate(self.dots[:-1], 1))):
                function = b.select(b.icmp_signed("<=", rows, word(number)), lower, function)
            left, row = b.add(A, b.mul(i, next_row)), b.add(C, b.mul(i, next_c))
            with self.blocks(b, some, _COLUMNS) as (j, columns):
                column = b.add(first, j)
                right, where = b.add(B, b.mul(column, next_b)), b.add(row, b.mul(column, size))
                b.call(function, [terms, left, next_row, right, next_b, alpha, beta, where, next_c, columns])
