"""Rows that are copied as columns, for panels of a transposed matrix, and loops over blocks, in LLVM's own language."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir

from symae.kernels.machine_code import Builder, word
from symae.kernels.simd.emitted import NOTHING, WORD, Emitted

# Words that describe a product: terms, address, bytes from row to row and from term to term; address, bytes from row to row.
PRODUCT = 6


class Panels(Emitted):
    """Emit the functions of panels into a module for one dtype."""

    def __init__(self, letter: str):
        super().__init__(letter, f"symae_gemm_{letter}")
        self.pack = self._emit_pack()

    def _emit_pack(self) -> Any:
        """Emit pack(B, from row to row, rows, terms, panel, its rows): write a vector's rows of B, or fewer, as columns."""
        function = self.function("pack", ir.FunctionType(NOTHING, [WORD] * 6))
        B, next_row, rows, terms, panel, width = function.args
        b = Builder(function)
        group = 16 // self.size  # numbers that one of the registers' quarters or halves has
        done = b.variable()
        b.store(word(0), done)
        with b.if_then(b.equal(rows, word(self.lanes))):
            whole = b.mul(b.sdiv(terms, word(group)), word(group))
            b.store(whole, done)
            self.columns(b, B, next_row, whole, panel, width)
        with b.repeat(b.load(done), terms) as k, b.repeat(0, rows) as row:
            value = self.load(b, b.add(b.add(B, b.mul(row, next_row)), b.mul(k, word(self.size))))
            self.store(b, value, b.add(panel, b.add(b.mul(k, width), b.mul(row, word(self.size)))))
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
