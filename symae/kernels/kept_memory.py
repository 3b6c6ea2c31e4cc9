"""Memory of large arrays that Numba's functions have freed, kept for those that they will make.

What a training step computes is freed when it ends, and glibc hands blocks of megabytes back to the system, which clears them
page by page at the next step: a third of the time of a convolutional autoencoder's. Here such blocks wait for an array of
nearly their size, in a table of a few dozen. Those of no use for long go back: the oldest where the table is full, or has
`MOST` bytes, and all that lay there from one full collection of Python's garbage to the next.

The machine code is called where Numba's functions call ``NRT_MemInfo_alloc_aligned``; Numba lets each array know how it is to
be freed. Nobody waits: who finds another thread at the table takes memory from the system, or gives it back.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import os
import threading
import time
from typing import Any

from llvmlite import ir
from numba.core.registry import cpu_target
from numba.core.runtime import _nrt_python
from numba.core.runtime.nrt import rtsys

from symae._runtime.memory import memory_limit
from symae.kernels.kept_code import define_kept
from symae.kernels.machine_code import Builder, word

LEAST = 2**17  # bytes of an array: malloc keeps what is smaller
MOST = 2**30  # bytes that are kept, or an eighth of what the process may have
BLOCKS = 64

_WORD, _BYTES, _INT, _NOTHING = ir.IntType(64), ir.IntType(8).as_pointer(), ir.IntType(32), ir.VoidType()
# What Numba's function is called with, size and alignment, and what it calls for memory and to free it.
ARRAY = ir.FunctionType(_BYTES, [_WORD, _INT])
_TAKE, _GIVE = ir.FunctionType(_BYTES, [_WORD, _BYTES]), ir.FunctionType(_NOTHING, [_BYTES, _BYTES])
_MALLOC, _FREE, _EXTERNAL = ir.FunctionType(_BYTES, [_WORD]), ir.FunctionType(_NOTHING, [_BYTES]), _TAKE

_LINE = 64  # bytes: arrays begin at multiples
_HEAD = 16  # bytes before a block: the system's address, and the block's size
_NAMES = (
    "symae_kept_array",
    "symae_take_block",
    "symae_give_block",
    "symae_release_blocks",
    "symae_lock_blocks",
    "symae_blocks",
)
# Words of the table: its state; addresses of functions; Numba's NRT_ExternalAllocator, which is malloc, realloc, free, and what
# they are handed; of each block its address or 0, its size, and when it came.
_LOCK, _KEPT, _CLOCK, _LIMIT, _ROOM, _SHIFT = range(6)
_OF_MALLOC, _OF_FREE, _OF_EXTERNAL, _OF_ARRAY, _ALLOCATOR, _FIRST = 6, 7, 8, 9, 10, 14
_PER_BLOCK = 3


class _Code:
    """Emit the machine code. It refers to no address, so that it can be kept."""

    def __init__(self) -> None:
        self.module = ir.Module("symae_kept_memory")
        kind = ir.ArrayType(_WORD, _FIRST + _PER_BLOCK * BLOCKS)
        self._table = ir.GlobalVariable(self.module, kind, "symae_table_of_blocks")
        self._table.linkage, self._table.initializer = "internal", ir.Constant(kind, None)
        release = self._emit_release()
        self._emit_take(release)
        self._emit_give()
        self._emit_array()
        self._function("symae_lock_blocks", ir.FunctionType(_WORD, []), lambda b: b.ret(b.zext(self._locked(b), _WORD)))
        self._function("symae_blocks", ir.FunctionType(_WORD, []), lambda b: b.ret(self._at(b, _LOCK)))

    def _function(self, name: str, kind: ir.FunctionType, emit: Any) -> ir.Function:
        function = ir.Function(self.module, kind, name)
        emit(Builder(function), *function.args)
        return function

    def _at(self, b: Builder, position: int) -> Any:
        return b.add(b.ptrtoint(self._table, _WORD), word(8 * position))

    def _of(self, b: Builder, number: Any, which: int) -> Any:
        return b.add(self._at(b, _FIRST + which), b.mul(number, word(8 * _PER_BLOCK)))

    def _word(self, b: Builder, position: int) -> Any:
        return b.load(b.at(self._at(b, position)))

    def _block(self, b: Builder, number: Any) -> tuple[Any, Any, Any]:
        address, size, when = (b.load(b.at(self._of(b, number, which))) for which in range(_PER_BLOCK))
        return address, size, when

    def _call(self, b: Builder, position: int, kind: ir.FunctionType, *arguments: Any) -> Any:
        return b.call(b.inttoptr(self._word(b, position), kind.as_pointer()), arguments)

    def _locked(self, b: Builder) -> Any:
        return b.equal(b.exchange(self._at(b, _LOCK), 1), word(0))

    def _unlock(self, b: Builder) -> None:
        b.write(word(0), self._at(b, _LOCK))

    def _take_out(self, b: Builder, number: Any) -> Any:
        """Emit that a block leaves the table, while that is locked; return its address."""
        address, size, _ = self._block(b, number)
        b.store(word(0), b.at(self._of(b, number, 0)))
        b.store(b.sub(self._word(b, _KEPT), size), b.at(self._at(b, _KEPT)))
        return address

    def _to_system(self, b: Builder, block: Any) -> None:
        self._call(b, _OF_FREE, _FREE, b.inttoptr(b.load(b.at(b.sub(block, word(_HEAD)))), _BYTES))

    def _emit_take(self, release: ir.Function) -> None:
        """Emit take(size, of no meaning): the smallest block of so many bytes and a quarter more at most, or a new one."""

        def emit(b: Builder, size: Any, _: Any) -> None:
            chosen, smallest = b.variable(), b.variable()
            b.store(word(-1), chosen)
            b.store(b.add(b.add(size, b.ashr(size, word(2))), word(1)), smallest)
            with b.if_then(self._locked(b)):
                with b.repeat(0, self._word(b, _ROOM)) as number:
                    address, there, _ = self._block(b, number)
                    used = b.icmp_signed("!=", address, word(0))
                    fits = b.and_(b.icmp_unsigned(">=", there, size), b.icmp_signed("<", there, b.load(smallest)))
                    with b.if_then(b.and_(used, fits)):
                        b.store(number, chosen)
                        b.store(there, smallest)
                with b.if_then(b.icmp_signed(">=", b.load(chosen), word(0))):
                    found = self._take_out(b, b.load(chosen))
                    self._unlock(b)
                    b.ret(b.inttoptr(found, _BYTES))
                self._unlock(b)
            new, room = b.variable(), b.add(size, word(_HEAD + _LINE))
            b.store(b.ptrtoint(self._call(b, _OF_MALLOC, _MALLOC, room), _WORD), new)
            with b.if_then(b.equal(b.load(new), word(0)), likely=False):  # what is kept may be what is missing
                b.call(release, [word(2**62)])
                b.store(b.ptrtoint(self._call(b, _OF_MALLOC, _MALLOC, room), _WORD), new)
                with b.if_then(b.equal(b.load(new), word(0))):
                    b.ret(ir.Constant(_BYTES, None))
            # Numba's own numbers stand before the array's, which begin a line
            shift = self._word(b, _SHIFT)
            first = b.add(b.load(new), b.add(shift, word(_HEAD + _LINE - 1)))
            block = b.sub(b.and_(first, word(-_LINE)), shift)
            b.store(b.load(new), b.at(b.sub(block, word(_HEAD))))
            b.store(size, b.at(b.sub(block, word(_HEAD - 8))))
            b.ret(b.inttoptr(block, _BYTES))

        self._function("symae_take_block", _TAKE, emit)

    def _emit_give(self) -> None:
        """Emit give(block, of no meaning): keep it, or hand it back to the system."""

        def emit(b: Builder, pointer: Any, _: Any) -> None:
            block = b.ptrtoint(pointer, _WORD)
            size = b.load(b.at(b.sub(block, word(_HEAD - 8))))
            empty, oldest, earliest = b.variable(), b.variable(), b.variable()

            def leave() -> None:
                self._to_system(b, block)
                b.ret_void()

            with b.if_then(b.icmp_signed(">", size, self._word(b, _LIMIT))):
                leave()
            with b.loop():
                with b.if_then(b.not_(self._locked(b))):
                    leave()
                for variable, value in ((empty, -1), (oldest, -1), (earliest, 2**62)):
                    b.store(word(value), variable)
                with b.repeat(0, self._word(b, _ROOM)) as number:
                    address, _, when = self._block(b, number)
                    with b.if_else(b.equal(address, word(0))) as (is_empty, is_used):
                        with is_empty:
                            b.store(number, empty)
                        with is_used, b.if_then(b.icmp_signed("<", when, b.load(earliest))):
                            b.store(number, oldest)
                            b.store(when, earliest)
                kept = b.add(self._word(b, _KEPT), size)
                fits = b.icmp_signed("<=", kept, self._word(b, _LIMIT))
                with b.if_then(b.and_(fits, b.icmp_signed(">=", b.load(empty), word(0)))):
                    now = b.add(self._word(b, _CLOCK), word(1))
                    b.store(now, b.at(self._at(b, _CLOCK)))
                    b.store(kept, b.at(self._at(b, _KEPT)))
                    for which, value in enumerate((block, size, now)):
                        b.store(value, b.at(self._of(b, b.load(empty), which)))
                    self._unlock(b)
                    b.ret_void()
                old = self._take_out(b, b.load(oldest))  # there is one: this block would fit alone
                self._unlock(b)
                self._to_system(b, old)
            b.unreachable()

        self._function("symae_give_block", _GIVE, emit)

    def _emit_release(self) -> ir.Function:
        """Emit release(when): hand back to the system what came then or before."""

        def emit(b: Builder, until: Any) -> None:
            with b.repeat(0, self._word(b, _ROOM)) as number, b.if_then(self._locked(b)):
                address, _, when = self._block(b, number)
                leaves = b.and_(b.icmp_signed("!=", address, word(0)), b.icmp_signed("<=", when, until))
                with b.if_else(leaves) as (leaving, staying):
                    with leaving:
                        block = self._take_out(b, number)
                        self._unlock(b)
                        self._to_system(b, block)
                    with staying:
                        self._unlock(b)
            b.ret_void()

        return self._function("symae_release_blocks", ir.FunctionType(_NOTHING, [_WORD]), emit)

    def _emit_array(self) -> None:
        """Emit what Numba's functions call: its own for small arrays, and its function for memory of somebody else's."""

        def emit(b: Builder, size: Any, alignment: Any) -> None:
            small = b.icmp_unsigned("<", size, word(LEAST))
            with b.if_then(b.or_(small, b.icmp_unsigned(">", alignment, ir.Constant(_INT, _LINE)))):
                b.ret(self._call(b, _OF_ARRAY, ARRAY, size, alignment))
            b.ret(self._call(b, _OF_EXTERNAL, _EXTERNAL, size, b.inttoptr(self._at(b, _ALLOCATOR), _BYTES)))

        self._function("symae_kept_array", ARRAY, emit)


class Table:
    """Hold a table, and when it gives back what it keeps."""

    def __init__(self, most: int = MOST, blocks: int = BLOCKS) -> None:
        addresses = define_kept(_NAMES, lambda: _Code().module)
        self.array, take, give, release, lock, table = (addresses[name] for name in _NAMES)
        self._release = ctypes.CFUNCTYPE(None, ctypes.c_int64)(release)
        self._lock = ctypes.CFUNCTYPE(ctypes.c_int64)(lock)
        self._words = (ctypes.c_int64 * _FIRST).from_address(ctypes.CFUNCTYPE(ctypes.c_int64)(table)())
        malloc, free = (getattr(ctypes.pythonapi, f"PyMem_Raw{name}") for name in ("Malloc", "Free"))
        for position, function in ((_OF_MALLOC, malloc), (_OF_FREE, free)):
            self._words[position] = ctypes.cast(function, ctypes.c_void_p).value or 0
        self._words[_OF_EXTERNAL], self._words[_OF_ARRAY] = (
            numbas_functions()[1],
            _nrt_python.c_helpers["MemInfo_alloc_aligned"],
        )
        self._words[_ALLOCATOR], self._words[_ALLOCATOR + 2] = take, give
        self._words[_LIMIT], self._words[_ROOM], self._words[_SHIFT] = most, blocks, _bytes_before_data()
        self._seen, self._forking = 0, threading.local()

    def bytes_kept(self) -> int:
        return int(self._words[_KEPT])

    def release(self) -> None:
        self._release(2**62)

    def at_collection(self, phase: str, info: dict[str, int]) -> None:
        """Hand back what nobody took since the last full collection."""
        if phase == "stop" and info["generation"] == 2:
            self._release(self._seen)
            self._seen = self._words[_CLOCK]

    def before_fork(self) -> None:
        # whoever is at the table is done within a microsecond, unless the system has stopped that thread
        end = time.monotonic() + 1
        held = bool(self._lock())
        while not held and time.monotonic() < end:
            time.sleep(0)
            held = bool(self._lock())
        self._forking.held = held  # by this thread: another one may fork meanwhile

    def after_fork(self) -> None:
        if getattr(self._forking, "held", False):  # otherwise the child never takes a block from it
            self._words[_LOCK] = 0


def numbas_functions() -> Any:
    """Return the addresses of Numba's functions for others: to take memory, also of somebody else's, and four more."""
    table = ctypes.CFUNCTYPE(ctypes.POINTER(ctypes.c_void_p * 6))(_nrt_python.c_helpers["get_api"])
    return table().contents


def _bytes_before_data() -> int:
    """Return how many bytes of its own Numba has before an array's numbers."""
    take, _, _, _, release, data = numbas_functions()
    array = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_size_t)(take)(_LINE)
    shift = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(data)(array) - array
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(release)(array)
    return int(shift)


@functools.cache
def _of_process() -> Table:
    rtsys.initialize(cpu_target.target_context)  # otherwise Numba names its own functions later
    table = Table(int(min(MOST, memory_limit() / 8)))
    gc.callbacks.append(table.at_collection)
    if hasattr(os, "register_at_fork"):  # not on Windows
        os.register_at_fork(before=table.before_fork, after_in_parent=table.after_fork, after_in_child=table.after_fork)
    return table


def address() -> int:
    """Return the address of the machine code that functions call for an array: of bytes and alignment, as Numba's own."""
    return _of_process().array


def bytes_kept() -> int:
    """Return how many bytes are kept, of no use now."""
    return _of_process().bytes_kept()


def release() -> None:
    """Hand all that is kept back to the system."""
    _of_process().release()
