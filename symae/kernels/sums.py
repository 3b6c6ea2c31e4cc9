"""Sums of neighbouring numbers on Numba, in float64, by lanes that do not wait for one another.

A sum that takes one number after the other waits four cycles for each: of the cost of a minibatch that is longer than what is
summed took to compute. The order of additions follows from how many numbers there are alone, on every machine: lane l adds the
numbers l, l + 16, l + 32, …, the lanes are added by halves, and at last come the numbers of what is left, one after the other.

Of a matrix all rows are summed so, or rows are added up, one after the other; of a large one each thread has some of the sums,
which are the same for any number of threads.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from symae.kernels import tuning
from symae.kernels.kept_code import define_kept
from symae.kernels.machine_code import Builder, word
from symae.kernels.parallel.pool import AWAKE, PART, SHARE, THREADS
from symae.kernels.simd.vectors import sum_of_lanes

LANES = 16
ROWS_TOGETHER = 8  # that are added up while a sum is in a register

_WORD, _DOUBLE, _NOTHING = ir.IntType(64), ir.DoubleType(), ir.VoidType()
_VECTOR = ir.VectorType(_DOUBLE, LANES)
_SUM = ir.FunctionType(_DOUBLE, [_WORD, _WORD])  # of the address of the first number, and how many there are
_SUMS = ir.FunctionType(_NOTHING, [_WORD] * 4)  # of a matrix's address, its rows and columns, and the address of the sums
_TYPES = {"float32": (ir.FloatType(), 4), "float64": (_DOUBLE, 8)}


class _Sums:
    """Emit the functions for numbers of one dtype."""

    def __init__(self, dtype: str):
        self.dtype, (self.number, self.size) = dtype, _TYPES[dtype]
        self.module = ir.Module(f"symae_sum_{dtype}")
        self.share, self.awake = ir.Function(self.module, SHARE, "symae_share"), ir.Function(self.module, AWAKE, "symae_awake")
        self.sum = self._emit_sum()
        self._emit_shared("rows", 1, self._sum_rows)
        self._emit_shared("columns", 2, self._add_up_rows)

    def _load(self, b: Builder, address: Any, lanes: int = LANES) -> Any:
        """Emit some numbers, as float64: one if `lanes` is 1."""
        kind, wide = (
            (self.number, _DOUBLE) if lanes == 1 else (ir.VectorType(self.number, lanes), ir.VectorType(_DOUBLE, lanes))
        )
        value = b.load(b.inttoptr(address, kind.as_pointer()), align=self.size)
        return value if self.number == _DOUBLE else b.fpext(value, wide)

    def _emit_sum(self) -> Any:
        function = ir.Function(self.module, _SUM, self.module.name)
        address, count = function.args
        b = Builder(function)
        lanes, total = b.alloca(_VECTOR), b.alloca(_DOUBLE)
        b.store(ir.Constant(_VECTOR, None), lanes)
        whole = b.and_(count, word(-LANES))
        with b.repeat(0, whole, LANES) as first:
            b.store(b.fadd(b.load(lanes), self._load(b, b.add(address, b.mul(first, word(self.size))))), lanes)
        b.store(sum_of_lanes(b, b.load(lanes)), total)
        with b.repeat(whole, count) as index:
            b.store(b.fadd(b.load(total), self._load(b, b.add(address, b.mul(index, word(self.size))), 1)), total)
        b.ret(b.load(total))
        return function

    def _emit_part(self, name: str, side: int, work: Any) -> Any:
        """Emit part(state, number): the part's share of the sums, in multiples of the lanes; of `side` there are as many."""
        function = ir.Function(self.module, PART, f"part_of_{name}")
        function.linkage = "internal"
        b = Builder(function)
        state, number = b.ptrtoint(function.args[0], _WORD), function.args[1]
        given = [b.load(b.inttoptr(b.add(state, word(8 * n)), _WORD.as_pointer())) for n in range(5)]
        parts = given.pop()

        def bound(number: Any) -> Any:
            end = b.and_(b.sdiv(b.mul(given[side], number), parts), word(-LANES))
            return b.select(b.equal(number, parts), given[side], end)

        work(b, *given, bound(number), bound(b.add(number, word(1))))
        b.ret_void()
        return function

    def _sum_rows(self, b: Builder, address: Any, rows: Any, columns: Any, sums: Any, first: Any, end: Any) -> None:
        with b.repeat(first, end) as row:
            place = b.inttoptr(b.add(sums, b.mul(row, word(8))), _DOUBLE.as_pointer())
            start = b.add(address, b.mul(b.mul(row, columns), word(self.size)))
            b.store(b.fadd(b.load(place), b.call(self.sum, [start, columns])), place)

    def _add_up_rows(self, b: Builder, address: Any, rows: Any, columns: Any, sums: Any, first: Any, end: Any) -> None:
        next_row = b.mul(columns, word(self.size))

        def add(row: Any, together: int) -> None:
            start = b.add(address, b.mul(row, next_row))
            starts = [b.add(start, b.mul(next_row, word(n))) for n in range(together)]

            def of_columns(column: Any, lanes: int) -> None:
                kind = _DOUBLE if lanes == 1 else _VECTOR
                place = b.inttoptr(b.add(sums, b.mul(column, word(8))), kind.as_pointer())
                total = b.load(place, align=8)
                for of_row in starts:
                    total = b.fadd(total, self._load(b, b.add(of_row, b.mul(column, word(self.size))), lanes))
                b.store(total, place, align=8)

            whole = b.add(first, b.and_(b.sub(end, first), word(-LANES)))
            with b.repeat(first, whole, LANES) as column:
                of_columns(column, LANES)
            with b.repeat(whole, end) as column:
                of_columns(column, 1)

        whole = b.and_(rows, word(-ROWS_TOGETHER))
        with b.repeat(0, whole, ROWS_TOGETHER) as row:
            add(row, ROWS_TOGETHER)
        with b.repeat(whole, rows) as row:
            add(row, 1)

    def _emit_shared(self, name: str, side: int, work: Any) -> None:
        """Emit symae_rows or symae_columns(matrix, rows, columns, sums): all parts, by threads where that pays."""
        part = self._emit_part(name, side, work)
        function = ir.Function(self.module, _SUMS, f"symae_{name}_{self.dtype}")
        b = Builder(function)
        _, rows, columns, _ = function.args
        state = b.alloca(ir.ArrayType(_WORD, 5))
        base, pointer = b.ptrtoint(state, _WORD), b.bitcast(state, PART.args[0])
        numbers, parts = b.mul(rows, columns), b.variable()
        b.store(word(1), parts)
        enough = b.icmp_signed(">=", numbers, word(tuning.NUMBERS_FOR_AWAKE_THREADS[False]))
        with b.if_then(b.and_(enough, b.icmp_signed(">=", function.args[side], word(THREADS * LANES)))):
            large = b.icmp_signed(">=", numbers, word(tuning.NUMBERS_FOR_THREADS[False]))
            with b.if_then(b.or_(large, b.equal(b.call(self.awake, []), word(1)))):
                b.store(word(THREADS), parts)
        for position, value in enumerate([*function.args, b.load(parts)]):
            b.store(value, b.inttoptr(b.add(base, word(8 * position)), _WORD.as_pointer()))
        with b.if_else(b.equal(b.load(parts), word(1))) as (alone, together):
            with alone:
                b.call(part, [pointer, word(0)])
            with together:
                b.call(self.share, [part, pointer, b.load(parts)])
        b.ret_void()


def _module(dtype: str) -> ir.Module:
    return _Sums(dtype).module


# Now, not when one is compiled that calls it: code from the disk's cache may have it from another file there.
for _dtype in _TYPES:
    define_kept([f"symae_{_name}_{_dtype}" for _name in ("sum", "rows", "columns")], partial(_module, _dtype))


def connect() -> None:
    """Do nothing: importing this module is what machine code that is read from a cache needs."""


def _adder(name: str) -> Any:
    @intrinsic
    def add(typing: Any, x: Any, first: Any, rows: Any, columns: Any, sums: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array, first, rows, columns, sums = arguments
            to = builder.ptrtoint(context.make_array(signature.args[4])(context, builder, sums).data, _WORD)
            _call(context, builder, _SUMS, f"symae_{name}_{x.dtype}", x, array, first, [rows, columns, to])
            return context.get_dummy_value()

        return types.void(x, types.intp, types.intp, types.intp, sums), codegen

    return add


# (x, first, rows, columns, sums): of a matrix that begins with number `first` of a C-ordered array of floats, the sums of its
# rows, or of its columns, are added to `sums`, of float64.
add_sums_of_rows, add_sums_of_columns = _adder("rows"), _adder("columns")


def _call(context: Any, builder: Any, kind: Any, name: str, x: Any, array: Any, first: Any, more: list[Any]) -> Any:
    data = context.make_array(x)(context, builder, array).data
    context.active_code_library._reload_init.add(connect)
    function = cgutils.get_or_insert_function(builder.module, kind, name)
    return builder.call(function, [builder.ptrtoint(builder.gep(data, [first]), _WORD), *more])
