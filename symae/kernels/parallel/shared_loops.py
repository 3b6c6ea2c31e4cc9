"""Elementwise loops that threads share: of a large array each takes some rows.

PyTensor builds the loops of an elementwise function by `make_loop_call`, for one thread. Here they become a function of their
own, for a range of the outermost dimension, and the array's size decides whether it is called once or by each thread for a
part. So there is one piece of machine code for both, and nothing of what Numba makes of parallel loops, which takes seconds to
compile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types

from symae.kernels.parallel.parts import THREADS, emit_awake, emit_region, internal_function
from symae.kernels.simd.vectors import word
from symae.kernels.tuning import NUMBERS_FOR_AWAKE_THREADS, NUMBERS_FOR_THREADS

_BYTES = ir.IntType(8).as_pointer()
_BODY = (types.voidptr, types.intp, types.intp)  # what the loops work on; the range, from its first to its end


@dataclass(frozen=True)
class Core:
    """Tell what is known of a function of numbers that loops call."""

    compiled: bool  # it never calls Python, for which another thread would wait until this one is done, which waits for it
    expensive: bool  # it takes longer than an addition or two


def describe(function: Any, core: Core | None) -> Any:
    """Let what is known go with a function that Numba compiles, for the loops that are made of it later."""
    function.symae_core = core
    return function


def description(function: Any) -> Core | None:
    """Return what `describe` was given about a function; None if nothing."""
    return getattr(function, "symae_core", None)


class SharedLoops:
    """Make machine code of what `make_loop_call` is `given`."""

    def __init__(self, make_loop_call: Callable[..., None], given: Mapping[str, Any], core: Core):
        self.make_loop_call, self.given, self.core = make_loop_call, given, core
        self.context, self.builder, self.lengths = given["context"], given["builder"], given["iter_shape"]
        self.conv = self.context.call_conv
        # An output that is written in place is its input, and has to stay so: hence by identity.
        self.arrays: dict[int, tuple[Any, Any, tuple[bool, ...]]] = {}
        for of in ("input", "output"):
            for array, kind, pattern in zip(given[f"{of}s"], given[f"{of}_types"], given[f"{of}_bc"], strict=True):
                self.arrays.setdefault(id(array), (array, kind, pattern))
        self.lengths = self._rows_in_one()
        values = [array._getvalue() for array, _, _ in self.arrays.values()]
        self.values = [*values, *(length for length in self.lengths if not isinstance(length, ir.Constant))]
        self.kind = ir.LiteralStructType([v.type for v in self.values])

    def emit(self) -> None:
        builder, rows = self.builder, self.lengths[0]
        state = cgutils.alloca_once(builder, self.kind)
        for number, value in enumerate(self.values):
            builder.store(value, cgutils.gep_inbounds(builder, state, 0, number))
        pointer, body = builder.bitcast(state, _BYTES), self._body()

        def part(b: Any, number: Any, given: Any) -> None:
            pointer, rows = given
            first, end = (b.sdiv(b.mul(rows, n), word(THREADS)) for n in (number, b.add(number, word(1))))
            self._call(b, body, [pointer, first, end])

        numbers = word(1)
        for length in self.lengths:
            numbers = builder.mul(numbers, length)
        with builder.if_else(self._pays(numbers, rows), likely=False) as (by_threads, at_once):
            with by_threads:
                emit_region(self.context, builder, [pointer, rows], part)
            with at_once:
                self._call(builder, body, [pointer, word(0), rows])

    def _rows_in_one(self) -> list[Any]:
        """Emit the loops' lengths: all but the first in one, where rows of all arrays are one piece of memory.

        Of filters of 5 x 5 the innermost loop has 5 turns, of all channels' it has hundreds.
        """
        builder, lengths = self.builder, list(self.lengths)
        if len(lengths) < 3:
            return lengths
        whole = cgutils.true_bit
        for array, kind, pattern in self.arrays.values():
            if all(pattern[1:]):
                continue  # one number
            if any(pattern[1:]) or kind.layout == "F":
                return lengths
            if kind.layout == "A":
                apart = self.context.get_constant(
                    types.intp, self.context.get_abi_sizeof(self.context.get_data_type(kind.dtype))
                )
                for axis in range(len(lengths) - 1, 0, -1):
                    here = builder.extract_value(array.strides, axis)
                    whole = builder.and_(whole, builder.icmp_signed("==", here, apart))
                    apart = builder.mul(apart, lengths[axis])
        numbers = lengths[1]
        for length in lengths[2:]:
            numbers = builder.mul(numbers, length)
        one = [*[word(1)] * (len(lengths) - 2), numbers]
        return [lengths[0], *(builder.select(whole, a, b) for a, b in zip(one, lengths[1:], strict=True))]

    def _pays(self, numbers: Any, rows: Any) -> Any:
        """Emit whether threads are to share so many numbers: fewer, if they are awake since the last work they shared."""
        builder, enough = self.builder, NUMBERS_FOR_THREADS[self.core.expensive]
        large = cgutils.alloca_once_value(builder, builder.icmp_signed(">=", numbers, word(enough)))
        medium = builder.icmp_signed(">=", numbers, word(NUMBERS_FOR_AWAKE_THREADS[self.core.expensive]))
        with builder.if_then(builder.and_(medium, builder.not_(builder.load(large)))):
            builder.store(builder.icmp_signed("==", emit_awake(self.context, builder), word(1)), large)
        return builder.and_(builder.load(large), builder.icmp_signed(">=", rows, word(THREADS)))

    def _call(self, builder: Any, body: ir.Function, arguments: list[Any]) -> None:
        status, _ = self.conv.call_function(builder, body, types.none, _BODY, arguments)
        with cgutils.if_unlikely(builder, status.is_error):
            self.conv.return_status_propagate(builder, status)

    def _body(self) -> ir.Function:
        """Emit the loops, for a range of the outermost dimension."""
        function = internal_function(self.builder, "loops", self.conv.get_function_type(types.none, _BODY))
        # LLVM would take half a register of AVX-512 at once, which its first processors were not slowed down by; products of
        # matrices take whole ones anyway. llvmlite knows only attributes that have no value.
        set.add(function.attributes, '"prefer-vector-width"="512"')
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        pointer, first, end = self.conv.decode_arguments(builder, _BODY, function)
        state = builder.bitcast(pointer, self.kind.as_pointer())
        values = iter([builder.load(cgutils.gep_inbounds(builder, state, 0, n)) for n in range(len(self.values))])
        rows = builder.sub(end, first)
        parts = {}
        for name, (_, kind, pattern) in self.arrays.items():
            part = self.context.make_array(kind)(self.context, builder, value=next(values))
            if not pattern[0]:
                step = builder.mul(first, builder.extract_value(part.strides, 0))
                start = builder.gep(builder.bitcast(part.data, _BYTES), [step])
                # Its shape stays: in Fortran's order it says how far the columns are apart.
                part.data = builder.bitcast(start, part.data.type)
            parts[name] = part
        lengths = [length if isinstance(length, ir.Constant) else next(values) for length in self.lengths]
        arrays = {name: [parts[id(array)] for array in self.given[name]] for name in ("inputs", "outputs")}
        self.make_loop_call(**{**self.given, **arrays, "builder": builder, "iter_shape": (rows, *lengths[1:])})
        self.conv.return_native_none(builder)
        return function
