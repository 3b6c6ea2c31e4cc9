"""Numbers and vectors at addresses, in LLVM's own language: what functions are made of that compiled graphs call by name."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from symae.kernels.machine_code import Builder, word
from symae.kernels.simd.vectors import vector_registers

WORD, NOTHING = ir.IntType(64), ir.VoidType()
DTYPES = {"s": (ir.FloatType(), 4), "d": (ir.DoubleType(), 8)}  # by BLAS's letter


def available() -> bool:
    """Return True if this processor has the registers that functions of vectors are made for."""
    return vector_registers().number > 0


class Emitted:
    """Hold a module for one dtype, and what its functions are built of."""

    def __init__(self, letter: str, name: str):
        self.letter = letter
        self.number, self.size = DTYPES[letter]
        registers = vector_registers()
        self.wide_registers = registers.number == 32
        self.lanes = registers.size // self.size
        self.vector = ir.VectorType(self.number, self.lanes)
        self.mask = ir.VectorType(ir.IntType(1), self.lanes)
        self.module = ir.Module(name)
        self.name = f"v{self.lanes}f{8 * self.size}"

    def intrinsic(self, name: str, result: Any, *arguments: Any) -> Any:
        return self.module.globals.get(name) or ir.Function(self.module, ir.FunctionType(result, arguments), name)

    def function(self, name: str, kind: ir.FunctionType) -> Any:
        function = ir.Function(self.module, kind, f"{name}_{self.letter}")
        function.linkage = "internal"
        function.attributes.add("noinline")
        return function

    def load(self, b: Builder, address: Any, kind: Any = None) -> Any:
        kind = kind or self.number
        return b.load(b.inttoptr(address, kind.as_pointer()), align=self.size)

    def store(self, b: Builder, value: Any, address: Any) -> None:
        b.store(value, b.inttoptr(address, value.type.as_pointer()), align=self.size)

    def fill(self, b: Builder, value: Any, lanes: int | None = None) -> Any:
        kind = ir.VectorType(value.type, lanes or self.lanes)
        single = b.insert_element(ir.Constant(kind, ir.Undefined), value, ir.IntType(32)(0))
        return self.shuffled(b, single, ir.Constant(kind, ir.Undefined), [0] * kind.count)

    def first(self, b: Builder, count: Any) -> Any:
        """Emit a mask of so many lanes.

        Where masks have registers of their own it is made from bits: LLVM moves comparisons into the loops of tiles, where they
        keep one of the two units from multiplying.
        """
        if not self.wide_registers:
            numbers = ir.Constant(ir.VectorType(WORD, self.lanes), list(range(self.lanes)))
            return b.icmp_signed("<", numbers, self.fill(b, count))
        some = b.select(b.icmp_signed("<", count, word(self.lanes)), count, word(self.lanes))
        some = b.select(b.icmp_signed(">", some, word(0)), some, word(0))
        bits = b.trunc(b.sub(b.shl(word(1), some), word(1)), ir.IntType(self.lanes))
        return b.bitcast(bits, self.mask)

    def masked_load(self, b: Builder, address: Any, mask: Any) -> Any:
        """Emit as many numbers as the mask has lanes; zeros where it is not set."""
        kind, name = self._masked(mask)
        pointer = kind.as_pointer()
        load = self.intrinsic(f"llvm.masked.load.{name}.p0", kind, pointer, ir.IntType(32), mask.type, kind)
        return b.call(load, [b.inttoptr(address, pointer), ir.IntType(32)(self.size), mask, ir.Constant(kind, None)])

    def masked_store(self, b: Builder, value: Any, address: Any, mask: Any) -> None:
        kind, name = self._masked(mask)
        pointer = kind.as_pointer()
        store = self.intrinsic(f"llvm.masked.store.{name}.p0", NOTHING, kind, pointer, ir.IntType(32), mask.type)
        b.call(store, [value, b.inttoptr(address, pointer), ir.IntType(32)(self.size), mask])

    def _masked(self, mask: Any) -> tuple[Any, str]:
        lanes = mask.type.count
        return ir.VectorType(self.number, lanes), f"v{lanes}f{8 * self.size}"

    def fma(self, b: Builder, x: Any, y: Any, z: Any) -> Any:
        return b.call(self.intrinsic(f"llvm.fma.{self.name}", self.vector, *[self.vector] * 3), [x, y, z])

    def fetch(self, b: Builder, address: Any, *, write: bool) -> None:
        """Ask for a line of memory that is needed soon; it need not be there."""
        pointer, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
        fetch = self.intrinsic("llvm.prefetch.p0", NOTHING, pointer, flag, flag, flag)
        b.call(fetch, [b.inttoptr(address, pointer), flag(int(write)), flag(3), flag(1)])

    def shuffled(self, b: Builder, x: Any, y: Any, order: list[int]) -> Any:
        return b.shuffle_vector(x, y, ir.Constant(ir.VectorType(ir.IntType(32), len(order)), order))
