"""Sums of neighbouring numbers on Numba, in float64, by lanes that do not wait for one another.

A sum that takes one number after the other waits four cycles for each: of the cost of a minibatch that is longer than what is
summed took to compute. The order of additions follows from how many numbers there are alone, on every machine: lane l adds the
numbers l, l + 16, l + 32, …, the lanes are added by halves, and at last come the numbers of what is left, one after the other.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from symae.kernels.kept_code import define_kept
from symae.kernels.machine_code import Builder, word
from symae.kernels.simd.vectors import sum_of_lanes

LANES = 16

_WORD, _DOUBLE = ir.IntType(64), ir.DoubleType()
_SUM = ir.FunctionType(_DOUBLE, [_WORD, _WORD])  # of the address of the first number, and how many there are
_TYPES = {"float32": (ir.FloatType(), 4), "float64": (_DOUBLE, 8)}


def _module(dtype: str) -> ir.Module:
    module, (number, size) = ir.Module(f"symae_sum_{dtype}"), _TYPES[dtype]
    function = ir.Function(module, _SUM, module.name)
    address, count = function.args
    b = Builder(function)
    single, vector = ir.VectorType(number, LANES), ir.VectorType(_DOUBLE, LANES)

    def load(index: Any, kind: Any) -> Any:
        pointer = b.inttoptr(b.add(address, b.mul(index, word(size))), kind.as_pointer())
        value = b.load(pointer, align=size)
        return value if number == _DOUBLE else b.fpext(value, vector if kind == single else _DOUBLE)

    lanes, total = b.alloca(vector), b.alloca(_DOUBLE)
    b.store(ir.Constant(vector, None), lanes)
    whole = b.and_(count, word(-LANES))
    with b.repeat(0, whole, LANES) as first:
        b.store(b.fadd(b.load(lanes), load(first, single)), lanes)
    b.store(sum_of_lanes(b, b.load(lanes)), total)
    with b.repeat(whole, count) as index:
        b.store(b.fadd(b.load(total), load(index, number)), total)
    b.ret(b.load(total))
    return module


# Now, not when one is compiled that calls it: code from the disk's cache may have it from another file there.
for _dtype in _TYPES:
    define_kept([f"symae_sum_{_dtype}"], partial(_module, _dtype))


def connect() -> None:
    """Do nothing: importing this module is what machine code that is read from a cache needs."""


@intrinsic
def sum_of(typing: Any, x: Any, first: Any, count: Any) -> Any:
    """Return the sum, in float64, of `count` numbers of a C-ordered array of floats, from number `first` on."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, first, count = arguments
        data = context.make_array(x)(context, builder, array).data
        context.active_code_library._reload_init.add(connect)
        function = cgutils.get_or_insert_function(builder.module, _SUM, f"symae_sum_{x.dtype}")
        return builder.call(function, [builder.ptrtoint(builder.gep(data, [first]), _WORD), count])

    return types.float64(x, types.intp, types.intp), codegen
