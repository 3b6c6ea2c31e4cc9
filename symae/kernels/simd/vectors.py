"""Vectors of numbers in LLVM's own language, for intrinsics: loads, stores, products, and lanes that are left alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import cgutils
from numba.core.registry import cpu_target


class Registers(NamedTuple):
    """Describe the vector registers that machine code may use: how many, and the bytes of each."""

    number: int
    size: int


def vector_registers() -> Registers:
    """Return the registers of this processor, (0, 0) where vectors were not measured."""
    features = cpu_target.target_context.codegen().magic_tuple()[2].split(",")
    if "+avx512f" in features:
        return Registers(32, 64)
    return Registers(16, 32) if {"+avx2", "+fma"} <= set(features) else Registers(0, 0)


def word(value: int) -> Any:
    """Return a constant index."""
    return ir.Constant(ir.IntType(64), value)


def pointer_to(context: Any, builder: Any, array_type: Any, array: Any, first: Any) -> Any:
    """Return the address of an entry of a flat array."""
    return builder.gep(context.make_array(array_type)(context, builder, array).data, [first])


def sum_of_lanes(builder: Any, vector: Any) -> Any:
    """Emit the sum of a vector's lanes, by halves."""
    lanes = vector.type.count
    while lanes > 1:
        lanes //= 2
        undefined, shape = ir.Constant(vector.type, ir.Undefined), ir.VectorType(ir.IntType(32), lanes)
        low, high = (
            builder.shuffle_vector(vector, undefined, ir.Constant(shape, list(range(first, first + lanes))))
            for first in (0, lanes)
        )
        vector = builder.fadd(low, high)
    return builder.extract_element(vector, ir.IntType(32)(0))


@contextmanager
def repeat(builder: Any, count: Any) -> Iterator[Any]:
    """Emit a loop; yield the index."""
    with cgutils.for_range(builder, count, intp=ir.IntType(64)) as loop:
        yield loop.index


class Vectors:
    """Build code over vectors of `lanes` numbers of a Numba type."""

    def __init__(self, context: Any, builder: Any, kind: Any, lanes: int):
        self.builder, self.lanes, self.alignment = builder, lanes, kind.bitwidth // 8
        self.type = ir.VectorType(context.get_value_type(kind), lanes)
        self.zero = ir.Constant(self.type, None)

    def _address(self, pointer: Any, index: int) -> Any:
        return self.builder.bitcast(self.builder.gep(pointer, [word(index)]), self.type.as_pointer())

    def load(self, pointer: Any, index: int) -> Any:
        return self.builder.load(self._address(pointer, index), align=self.alignment)

    def store(self, value: Any, pointer: Any, index: int) -> None:
        self.builder.store(value, self._address(pointer, index), align=self.alignment)

    def fill(self, number: Any) -> Any:
        """Emit a vector of one number."""
        undefined = ir.Constant(self.type, ir.Undefined)
        single = self.builder.insert_element(undefined, number, ir.IntType(32)(0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), None)
        return self.builder.shuffle_vector(single, undefined, mask)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        """Emit a * b + c, one instruction where the machine has it."""
        return self.builder.fadd(self.builder.fmul(a, b, flags=("contract",)), c, flags=("contract",))

    def mask(self, count: Any) -> Any:
        """Emit a mask of the first `count` lanes, of none or all where that is below 0 or too many."""
        numbers = ir.Constant(ir.VectorType(ir.IntType(64), self.lanes), list(range(self.lanes)))
        if vector_registers().number < 32:
            undefined = ir.Constant(numbers.type, ir.Undefined)
            single = self.builder.insert_element(undefined, count, ir.IntType(32)(0))
            every = self.builder.shuffle_vector(single, undefined, ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), None))
            return self.builder.icmp_signed("<", numbers, every)
        # masks have registers of their own, and are made from bits
        builder = self.builder
        some = builder.select(builder.icmp_signed("<", count, word(self.lanes)), count, word(self.lanes))
        some = builder.select(builder.icmp_signed(">", some, word(0)), some, word(0))
        bits = builder.sub(builder.shl(word(1), some), word(1))
        return builder.bitcast(builder.trunc(bits, ir.IntType(self.lanes)), ir.VectorType(ir.IntType(1), self.lanes))

    def masked_load(self, pointer: Any, mask: Any) -> Any:
        """Emit a vector of what is there, and zero where the mask is not set."""
        load = self._intrinsic("load", self.type, self.type.as_pointer(), ir.IntType(32), mask.type, self.type)
        return self.builder.call(load, [self._address(pointer, 0), ir.IntType(32)(self.alignment), mask, self.zero])

    def masked_store(self, value: Any, pointer: Any, mask: Any) -> None:
        store = self._intrinsic("store", ir.VoidType(), self.type, self.type.as_pointer(), ir.IntType(32), mask.type)
        self.builder.call(store, [value, self._address(pointer, 0), ir.IntType(32)(self.alignment), mask])

    def _intrinsic(self, name: str, result: Any, *arguments: Any) -> Any:
        full = f"llvm.masked.{name}.v{self.lanes}f{8 * self.alignment}.p0"
        return cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(result, arguments), full)

    def first_lanes(self, count: int, inside: Any, outside: Any) -> Any:
        """Emit so many lanes of `inside`, and those of `outside` in the rest."""
        if count >= self.lanes:
            return inside
        lanes = [ir.Constant(ir.IntType(1), int(lane < count)) for lane in range(self.lanes)]
        return self.builder.select(ir.Constant(ir.VectorType(ir.IntType(1), self.lanes), lanes), inside, outside)

    def total(self, vector: Any) -> Any:
        """Emit the sum of a vector's lanes, by halves."""
        return sum_of_lanes(self.builder, vector)
