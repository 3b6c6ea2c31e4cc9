"""The products of layers that many rows go through, with what happens to their results while these are in registers.

BLAS packs both matrices for each product, writes the result, and reads it again to add to it; bias, rectifier and mask are
more passes. Here the weights are copied once a step, into *panels* of two vectors of columns, and all blocks of rows are
multiplied by the same copy. Rows are read where they lie, a dozen at a time, and a tile of the result leaves the registers
once: rectified, or masked and added up.

There are four functions, which compiled graphs call by name: ``symae_rectified_layer``, ``symae_masked_layer``,
``symae_added_product`` and ``symae_few_outputs``, for float32 (``_s``) and float64 (``_d``).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from symae.kernels.kept_code import define_kept
from symae.kernels.machine_code import Builder, word
from symae.kernels.parallel.parts import jit
from symae.kernels.simd.emitted import NOTHING, WORD, Emitted
from symae.kernels.simd.vectors import sum_of_lanes, vector_registers

# How high tiles of two vectors are, by how many vector registers there are: besides the sums, two vectors of the right matrix
# and, without AVX-512, a number of the left need registers.
_HEIGHTS = {32: (4, 8, 14), 16: (2, 4, 6)}
_VECTORS = 2
_SUMS = 4  # vectors of sums of an inner product, none of which waits for another
_NAMES = ("symae_rectified_layer", "symae_masked_layer", "symae_added_product", "symae_few_outputs")


def panel_width(itemsize: int) -> int:
    """Return how many columns a panel has."""
    return _VECTORS * vector_registers().size // itemsize


class Layers(Emitted):
    """Emit the functions for one dtype. All their arguments are words: addresses, sizes, and bytes from row to row."""

    def __init__(self, letter: str):
        super().__init__(letter, f"symae_layers_{letter}")
        self.heights = _HEIGHTS[vector_registers().number]
        self.width = self.lanes * self.size  # bytes of a vector
        self._emit_layer("rectified", self._rectified)
        self._emit_layer("masked", self._masked_by)
        self._emit_added_product()
        self._emit_few_outputs()

    def _emit_layer(self, name: str, finish: Callable[..., None]) -> None:
        """Emit layer(rows, terms, columns, A, its rows, panels, C, its rows, more, its rows, sums, ahead): a product, finished.

        What is past the last row of a tile is computed as the last row, and not stored. What is `ahead`, whose rows are as far
        apart as those of `more`, will be read later, and is fetched meanwhile.
        """
        tiles = [self._emit_tile(f"{name}_tile", height, finish) for height in self.heights]
        function = ir.Function(self.module, ir.FunctionType(NOTHING, [WORD] * 12), f"symae_{name}_layer_{self.letter}")
        rows, terms, columns, A, next_a, panels, C, next_c, more, next_more, sums, ahead = function.args
        b = Builder(function)
        of_panel = b.mul(terms, word(_VECTORS * self.width))
        with self._tiles(b, rows, tiles) as (i, some, tile):
            left, to = b.add(A, b.mul(i, next_a)), b.add(C, b.mul(i, next_c))
            beside, later = (b.add(start, b.mul(i, next_more)) for start in (more, ahead))
            panel = b.variable()
            b.store(panels, panel)
            with b.repeat(0, columns, _VECTORS * self.lanes) as j:
                shift = b.mul(j, word(self.size))
                places = [b.add(start, shift) for start in (to, beside, sums, later)]
                rest = b.sub(columns, j)
                here = [places[0], next_c, places[1], next_more, *places[2:]]
                b.call(tile, [some, terms, rest, left, next_a, b.load(panel), *here])
                b.store(b.add(b.load(panel), of_panel), panel)
        b.ret_void()

    @contextmanager
    def _tiles(self, b: Builder, size: Any, tiles: list[Any]) -> Iterator[tuple[Any, Any, Any]]:
        """Emit the block for each tile along a side: yield its first, how many it has, and the lowest tile that has as many."""
        highest = self.heights[-1]
        with b.repeat(0, size, highest) as first:
            rest = b.sub(size, first)
            some = b.select(b.icmp_signed("<", rest, word(highest)), rest, word(highest))
            chosen = tiles[-1]
            for height, tile in reversed(list(zip(self.heights[:-1], tiles[:-1], strict=True))):
                chosen = b.select(b.icmp_signed("<=", some, word(height)), tile, chosen)
            yield first, some, chosen

    def _emit_tile(self, name: str, height: int, finish: Callable[..., None]) -> Any:
        function = self.function(f"{name}_{height}", ir.FunctionType(NOTHING, [WORD] * 12))
        rows, terms, columns, A, next_a, panel, C, next_c, more, next_more, sums, ahead = function.args
        b = Builder(function)
        totals = self._zeros(b, height)
        last = b.sub(rows, word(1))
        for place, step, write in ((C, next_c, True), (more, next_more, False), (ahead, next_more, False)):
            for row, v in product(range(height), range(_VECTORS)):
                self.fetch(b, b.add(b.add(place, b.mul(step, word(row))), word(v * self.width)), write=write)
        numbers = [word(0), *(b.select(b.icmp_signed("<", last, word(row)), last, word(row)) for row in range(1, height))]
        # three rows from one address: two distances from it are what an instruction can name
        steps = [b.mul(next_a, word(n)) for n in range(3)]
        whole = b.equal(rows, word(height))
        starts = []
        for row in range(0, height, 3):
            starts.append([b.variable() for _ in range(min(3, height - row))])
            for n, start in enumerate(starts[-1]):
                b.store(b.add(A, b.mul(next_a, numbers[row + n])), start)
        right = b.variable()
        b.store(panel, right)

        def loop(together: bool) -> None:
            with b.repeat(0, terms):
                here = b.load(right)
                of_term = [self.load(b, b.add(here, word(v * self.width)), self.vector) for v in range(_VECTORS)]
                b.store(b.add(here, word(_VECTORS * self.width)), right)
                row = 0
                for group in starts:
                    first = b.load(group[0])
                    for n, start in enumerate(group):
                        place = b.add(first, steps[n]) if together else b.load(start)
                        factor = self.fill(b, self.load(b, place))
                        for total, vector in zip(totals[row], of_term, strict=True):
                            b.store(self.fma(b, factor, vector, b.load(total)), total)
                        row += 1
                        if n == 0 or not together:
                            b.store(b.add(place, word(self.size)), start)

        with b.if_else(whole, likely=True) as (full, some):
            with full:
                loop(together=True)
            with some:
                loop(together=False)
        masks = [self.first(b, b.sub(columns, word(v * self.lanes))) for v in range(_VECTORS)]
        finish(b, totals, masks, rows, C, next_c, more, next_more, sums)
        b.ret_void()
        return function

    def _zeros(self, b: Builder, height: int) -> list[list[Any]]:
        totals = [[b.alloca(self.vector) for _ in range(_VECTORS)] for _ in range(height)]
        for row in totals:
            for total in row:
                b.store(ir.Constant(self.vector, None), total)
        return totals

    def _rectified(
        self, b: Builder, totals: Any, masks: Any, rows: Any, C: Any, next_c: Any, biases: Any, _: Any, __: Any
    ) -> None:
        """Emit C <- max(total + bias, 0); NaN stays what it is."""
        zero = ir.Constant(self.vector, None)
        added = [self.masked_load(b, b.add(biases, word(v * self.width)), mask) for v, mask in enumerate(masks)]
        for row, of_row in enumerate(totals):
            with b.if_then(b.icmp_signed("<", word(row), rows)):
                place = b.add(C, b.mul(next_c, word(row)))
                for v, (total, bias, mask) in enumerate(zip(of_row, added, masks, strict=True)):
                    value = b.fadd(b.load(total), bias)
                    value = b.select(b.fcmp_ordered("<=", value, zero), zero, value)
                    self.masked_store(b, value, b.add(place, word(v * self.width)), mask)

    def _masked_by(
        self, b: Builder, totals: Any, masks: Any, rows: Any, C: Any, next_c: Any, below: Any, next_below: Any, sums: Any
    ) -> None:
        """Emit C <- total, but 0 where what is below is not positive; sums += the sum of C's rows."""
        zero = ir.Constant(self.vector, None)
        added = [b.alloca(self.vector) for _ in masks]
        for v, (of_column, mask) in enumerate(zip(added, masks, strict=True)):
            b.store(self.masked_load(b, b.add(sums, word(v * self.width)), mask), of_column)
        for row, of_row in enumerate(totals):
            with b.if_then(b.icmp_signed("<", word(row), rows)):
                place, seen = b.add(C, b.mul(next_c, word(row))), b.add(below, b.mul(next_below, word(row)))
                for v, (total, of_column, mask) in enumerate(zip(of_row, added, masks, strict=True)):
                    shift = word(v * self.width)
                    dark = b.fcmp_ordered("<=", self.masked_load(b, b.add(seen, shift), mask), zero)
                    value = b.select(dark, zero, b.load(total))
                    self.masked_store(b, value, b.add(place, shift), mask)
                    b.store(b.fadd(b.load(of_column), value), of_column)
        for v, (of_column, mask) in enumerate(zip(added, masks, strict=True)):
            self.masked_store(b, b.load(of_column), b.add(sums, word(v * self.width)), mask)

    def _emit_added_product(self) -> None:
        """Emit added_product(rows, m, n, A, its rows, D, its rows, C, its rows, room): C += A' D, matrices of many rows.

        A panel of D's columns is copied to `room` at a time, which has a panel of so many rows.
        """
        tiles = [self._emit_added_tile(height) for height in self.heights]
        function = ir.Function(self.module, ir.FunctionType(NOTHING, [WORD] * 10), f"symae_added_product_{self.letter}")
        rows, m, n, A, next_a, D, next_d, C, next_c, room = function.args
        b = Builder(function)
        with b.repeat(0, n, _VECTORS * self.lanes) as j:
            shift, rest = b.mul(j, word(self.size)), b.sub(n, j)
            masks = [self.first(b, b.sub(rest, word(v * self.lanes))) for v in range(_VECTORS)]
            with b.repeat(0, rows) as row:
                here = b.add(b.add(D, shift), b.mul(row, next_d))
                there = b.add(room, b.mul(row, word(_VECTORS * self.width)))
                for v, mask in enumerate(masks):
                    value = self.masked_load(b, b.add(here, word(v * self.width)), mask)
                    self.store(b, value, b.add(there, word(v * self.width)))
            with self._tiles(b, m, tiles) as (i, some, tile):
                where = b.add(b.add(C, shift), b.mul(i, next_c))
                b.call(tile, [some, rows, rest, b.add(A, b.mul(i, word(self.size))), next_a, room, where, next_c])
        b.ret_void()

    def _emit_added_tile(self, height: int) -> Any:
        function = self.function(f"added_tile_{height}", ir.FunctionType(NOTHING, [WORD] * 8))
        some, rows, columns, A, next_a, panel, C, next_c = function.args
        b = Builder(function)
        totals = self._zeros(b, height)
        last = b.sub(some, word(1))
        left, right = b.variable(), b.variable()
        b.store(A, left)
        b.store(panel, right)
        masks = [self.first(b, b.sub(columns, word(v * self.lanes))) for v in range(_VECTORS)]

        def loop(whole: bool) -> None:
            shifts = [word(n * self.size) for n in range(height)]
            if not whole:
                shifts = [
                    b.mul(b.select(b.icmp_signed("<", last, word(n)), last, word(n)), word(self.size)) for n in range(height)
                ]
            with b.repeat(0, rows):
                here, there = b.load(right), b.load(left)
                of_row = [self.load(b, b.add(here, word(v * self.width)), self.vector) for v in range(_VECTORS)]
                for of_number, shift in zip(totals, shifts, strict=True):
                    factor = self.fill(b, self.load(b, b.add(there, shift)))
                    for total, vector in zip(of_number, of_row, strict=True):
                        b.store(self.fma(b, factor, vector, b.load(total)), total)
                b.store(b.add(here, word(_VECTORS * self.width)), right)
                b.store(b.add(there, next_a), left)

        with b.if_else(b.equal(some, word(height)), likely=True) as (full, part):
            with full:
                loop(whole=True)
            with part:
                loop(whole=False)
        for row, of_number in enumerate(totals):
            with b.if_then(b.icmp_signed("<", word(row), some)):
                place = b.add(C, b.mul(next_c, word(row)))
                for v, (total, mask) in enumerate(zip(of_number, masks, strict=True)):
                    where = b.add(place, word(v * self.width))
                    self.masked_store(b, b.fadd(b.load(total), self.masked_load(b, where, mask)), where, mask)
        b.ret_void()
        return function

    def _emit_few_outputs(self) -> None:
        """Emit few_outputs(rows, terms, outputs, A, its rows, weights, their rows, biases, C, its rows): C <- A W' + b."""
        function = ir.Function(self.module, ir.FunctionType(NOTHING, [WORD] * 10), f"symae_few_outputs_{self.letter}")
        rows, terms, outputs, A, next_a, weights, next_weights, biases, C, next_c = function.args
        b = Builder(function)
        totals = [b.alloca(self.vector) for _ in range(_SUMS)]
        step = _SUMS * self.lanes
        whole = b.mul(b.sdiv(terms, word(step)), word(step))
        with b.repeat(0, outputs) as k, b.repeat(0, rows) as row:
            left, right = b.add(A, b.mul(row, next_a)), b.add(weights, b.mul(k, next_weights))
            for total in totals:
                b.store(ir.Constant(self.vector, None), total)

            def add(first: Any, total: Any, mask: Any, left: Any = left, right: Any = right) -> None:
                shift = b.mul(first, word(self.size))
                x, y = (
                    self.load(b, b.add(start, shift), self.vector)
                    if mask is None
                    else self.masked_load(b, b.add(start, shift), mask)
                    for start in (left, right)
                )
                b.store(self.fma(b, x, y, b.load(total)), total)

            with b.repeat(0, whole, step) as j:
                for n, total in enumerate(totals):
                    add(b.add(j, word(n * self.lanes)), total, None)
            with b.repeat(whole, terms, self.lanes) as j:
                add(j, totals[0], self.first(b, b.sub(terms, j)))
            pairs = [b.fadd(b.load(totals[n]), b.load(totals[n + 1])) for n in range(0, _SUMS, 2)]
            value = sum_of_lanes(b, b.fadd(*pairs))
            size = word(self.size)
            value = b.fadd(value, self.load(b, b.add(biases, b.mul(k, size))))
            self.store(b, value, b.add(b.add(C, b.mul(row, next_c)), b.mul(k, size)))
        b.ret_void()


@functools.cache
def _define(letter: str) -> None:
    define_kept([f"{name}_{letter}" for name in _NAMES], lambda: Layers(letter).module)


# What machine code that is read from a cache needs.
_CONNECTIONS = {letter: partial(_define, letter) for letter in ("s", "d")}


@intrinsic(prefer_literal=True)
def _call(typing: Any, name: Any, like: Any, arguments: Any) -> Any:
    """Call the function of that name, for arrays as `like`, with some words."""
    letter = "s" if like.dtype == types.float32 else "d"
    full = f"{name.literal_value}_{letter}"

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        _define(letter)
        context.active_code_library._reload_init.add(_CONNECTIONS[letter])
        words = cgutils.unpack_tuple(builder, values[2])
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(NOTHING, [WORD] * len(words)), full)
        builder.call(function, words)
        return context.get_dummy_value()

    return types.void(name, like, arguments), codegen


@jit
def panels(W: Any, width: int, turned: bool) -> Any:
    """Return W, or W', in panels of `width` columns: (panels, terms, width), zeros where there are no columns."""
    terms, columns = (W.shape[1], W.shape[0]) if turned else W.shape
    made = np.empty((-(-columns // width), terms, width), W.dtype)
    for number in range(made.shape[0]):
        first = number * width
        some = min(width, columns - first)
        for k in range(terms):
            row = made[number, k]
            if turned:
                for j in range(some):
                    row[j] = W[first + j, k]
            else:
                for j in range(some):
                    row[j] = W[k, first + j]
            row[some:] = 0
    return made


@jit
def rectified_layer(A: Any, of_weights: Any, b: Any, C: Any) -> None:
    """Compute C <- max(A W + b, 0), with W in `panels`."""
    sizes = A.shape[0], A.shape[1], C.shape[1]
    matrices = A.ctypes.data, A.strides[0], of_weights.ctypes.data, C.ctypes.data, C.strides[0]
    _call("symae_rectified_layer", A, (*sizes, *matrices, b.ctypes.data, 0, 0, b.ctypes.data))


@jit
def masked_layer(D: Any, of_weights: Any, below: Any, C: Any, total: Any, ahead: Any) -> None:
    """Compute C <- D W', but 0 where `below` is not positive, and total += sum C, with W' in `panels`.

    What is `ahead`, as large as `below`, will be read next: it is fetched meanwhile.
    """
    sizes = D.shape[0], D.shape[1], C.shape[1]
    matrices = D.ctypes.data, D.strides[0], of_weights.ctypes.data, C.ctypes.data, C.strides[0]
    _call(
        "symae_masked_layer", D, (*sizes, *matrices, below.ctypes.data, below.strides[0], total.ctypes.data, ahead.ctypes.data)
    )


@jit
def added_product(A: Any, D: Any, C: Any, room: Any) -> None:
    """Compute C += A' D; `room` has a panel of D's rows."""
    sizes = A.shape[0], A.shape[1], D.shape[1]
    matrices = A.ctypes.data, A.strides[0], D.ctypes.data, D.strides[0], C.ctypes.data, C.strides[0]
    _call("symae_added_product", A, (*sizes, *matrices, room.ctypes.data))


@jit
def few_outputs(A: Any, weights: Any, b: Any, C: Any) -> None:
    """Compute C <- A weights' + b, each a sum of its own: for a few outputs."""
    sizes = A.shape[0], A.shape[1], C.shape[1]
    matrices = A.ctypes.data, A.strides[0], weights.ctypes.data, weights.strides[0], b.ctypes.data
    _call("symae_few_outputs", A, (*sizes, *matrices, C.ctypes.data, C.strides[0]))
