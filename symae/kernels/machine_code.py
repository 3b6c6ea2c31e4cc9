"""Small functions of machine code that kernels call by name, made without Numba: words of memory that threads share.

Numba has no atomic operations, and what it compiles can only refer to the addresses of a process where it is not kept on the
disk.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import llvmlite
from llvmlite import binding, ir
from numba.core.registry import cpu_target
from pytensor import config

from symae._runtime.atomic_files import replacing
from symae.errors import UnwritableError

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
    def repeat(self, first: Any, end: Any, step: int = 1) -> Iterator[Any]:
        """Repeat the block for each number in ``range(first, end, step)``."""
        first, end = (word(value) if isinstance(value, int) else value for value in (first, end))
        counter = self.variable()
        self.store(first, counter)
        with self.loop() as after:
            number = self.load(counter)
            with self.if_then(self.icmp_signed(">=", number, end)):
                self.branch(after)
            yield number
            self.store(self.add(number, word(step)), counter)

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
    engine = binding.create_mcjit_compiler(binding.parse_assembly(str(module)), _target().create_target_machine(opt=1))
    return _named(engine, [function.name for function in module.functions if not function.is_declaration])


def define_kept(names: Sequence[str], make: Callable[[], ir.Module], *sources: str) -> dict[str, int]:
    """Do the same with the functions `names` of the module that `make` makes, which refers to no address.

    They are optimised for this processor, and the machine code is kept on the disk, beside Numba's, for as long as the modules
    `sources`, whose names are given, are the same.
    """
    triple, processor, features = cpu_target.target_context.codegen().magic_tuple()
    key = hashlib.sha256(f"{llvmlite.__version__} {triple} {processor} {features}".encode())
    for source in (__name__, *sources):
        key.update(Path(str(sys.modules[source].__file__)).read_bytes())
    kept = Path(config.base_compiledir) / "numba" / f"{names[0]}-{key.hexdigest()}.o"
    machine = _target().create_target_machine(cpu=processor, features=features, opt=2)
    code = read_kept(kept)
    if code is None:
        module = binding.parse_assembly(str(make()))
        options = binding.create_pipeline_tuning_options(speed_level=2)
        options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = False
        passes = binding.create_pass_builder(machine, options)
        passes.getModulePassManager().run(module, passes)
        code = machine.emit_object(module)
        # of a disk that is full or read-only only the next start has to know
        with contextlib.suppress(UnwritableError, OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            with replacing(kept) as file:
                file.write(hashlib.sha256(code).digest() + code)
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    return _named(engine, names)


def read_kept(kept: Path) -> bytes | None:
    """Return the machine code in a file; None if it is not there, or damaged: LLVM would end the process."""
    try:
        content = kept.read_bytes()
    except OSError:
        return None
    return content[32:] if hashlib.sha256(content[32:]).digest() == content[:32] else None


def _target() -> binding.Target:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.Target.from_default_triple()


def _named(engine: Any, names: Sequence[str]) -> dict[str, int]:
    engine.finalize_object()
    # for good: threads may be in this code while the interpreter ends
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(engine))
    addresses = {name: int(engine.get_function_address(name)) for name in names}
    for name, address in addresses.items():
        binding.add_symbol(name, address)
    return addresses
