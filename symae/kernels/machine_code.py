"""Small functions of machine code that kernels call by name, made without Numba: words of memory that threads share.

Numba has no atomic operations, and what it compiles can only refer to the addresses of a process where it is not kept on the
disk.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from llvmlite import binding, ir

_WORD, _NOTHING = ir.IntType(64), ir.VoidType()


def word(value: int) -> ir.Constant:
    return ir.Constant(_WORD, value)


class Builder(ir.IRBuilder):
    """Extend LLVM's builder by the few forms of control flow and of memory shared by threads that are needed here."""

    def __init__(self, function: ir.Function):
        super().__init__(function.append_basic_block("entry"))

    def at(self, address: Any) -> Any:
        """Return a word's address, which may be a number, as a pointer."""
        return self.inttoptr(word(address) if isinstance(address, int) else address, _WORD.as_pointer())

    def read(self, address: Any) -> Any:
        return self.load_atomic(self.at(address), "seq_cst", 8)

    def write(self, value: Any, address: Any) -> None:
        self.store_atomic(value, self.at(address), "seq_cst", 8)

    def exchange(self, address: Any, value: int) -> Any:
        """Set the word to `value` and return what it was before."""
        return self.atomic_rmw("xchg", self.at(address), word(value), "seq_cst")

    def replace(self, address: Any, old: Any, new: Any) -> Any:
        """Set the word to `new` if it is `old`, and return True if it was."""
        return self.extract_value(self.cmpxchg(self.at(address), old, new, "seq_cst", "seq_cst"), 1)

    def equal(self, a: Any, b: Any) -> Any:
        return self.icmp_signed("==", a, b)

    @contextmanager
    def loop(self) -> Iterator[ir.Block]:
        """Repeat the block until it branches to what is yielded."""
        again, after = self.append_basic_block("again"), self.append_basic_block("after")
        self.branch(again)
        self.position_at_end(again)
        yield after
        self.branch(again)
        self.position_at_end(after)

    @contextmanager
    def repeat(self, first: Any, end: Any, step: Any = 1) -> Iterator[Any]:
        """Repeat the block for each number in ``range(first, end, step)``."""
        first, end, step = (word(value) if isinstance(value, int) else value for value in (first, end, step))
        counter = self.variable()
        self.store(first, counter)
        with self.loop() as after:
            number = self.load(counter)
            with self.if_then(self.icmp_signed(">=", number, end)):
                self.branch(after)
            yield number
            self.store(self.add(number, step), counter)

    def variable(self) -> Any:
        """Reserve a word on the stack, once for each call of the function."""
        with self.goto_entry_block():
            return self.alloca(_WORD)

    def call_address(self, address: Any, kind: ir.FunctionType, *arguments: Any) -> Any:
        """Call what the word at that address points to."""
        return self.call(self.inttoptr(self.read(address), kind.as_pointer()), arguments)

    def pause(self) -> None:
        """Tell the processor that this thread only waits."""
        machine = binding.get_default_triple().partition("-")[0]
        if machine in {"x86_64", "i686"}:
            self._call_intrinsic("llvm.x86.sse2.pause")
        elif machine in {"aarch64", "arm64"}:
            self._call_intrinsic("llvm.aarch64.hint", ir.Constant(ir.IntType(32), 1))  # yield

    def _call_intrinsic(self, name: str, *arguments: Any) -> None:
        kind = ir.FunctionType(_NOTHING, [argument.type for argument in arguments])
        function = self.module.globals.get(name) or ir.Function(self.module, kind, name)
        self.call(function, arguments)


def define(module: ir.Module) -> dict[str, int]:
    """Make machine code of `module`; other code finds its functions by name from now on. Returns their addresses."""
    engine = binding.create_mcjit_compiler(binding.parse_assembly(str(module)), target().create_target_machine(opt=1))
    return named(engine, [function.name for function in module.functions if not function.is_declaration])


def target() -> binding.Target:
    """Return LLVM's target for this machine."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.Target.from_default_triple()


def named(engine: Any, names: Sequence[str]) -> dict[str, int]:
    """Let other code find functions of an engine by their names. Returns their addresses."""
    engine.finalize_object()
    # for good: threads may be in this code while the interpreter ends
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(engine))
    addresses = {name: int(engine.get_function_address(name)) for name in names}
    for name, address in addresses.items():
        binding.add_symbol(name, address)
    return addresses
