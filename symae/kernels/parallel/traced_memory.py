"""Threads that take memory while Python traces it would wait for each other for ever; here is how to know that before.

Numba takes memory by ``PyMem_RawMalloc``. While `tracemalloc` is on that takes Python's lock, to write down where: a thread of
the pool waits for the lock, which the caller holds, who waits for the thread. Other tools that trace memory put functions of
their own there too.
"""

from __future__ import annotations

import ctypes
import tracemalloc

from llvmlite import ir

from symae.kernels.machine_code import Builder, define, word

# symae_traced(): 1 if what is called for memory is not what Python itself would call, else 0
TRACED = ir.FunctionType(ir.IntType(64), [])
_FUNCTIONS = 5  # of an allocator, pointers: its context, then malloc, calloc, realloc, free
_GET = ir.FunctionType(ir.VoidType(), [ir.IntType(32), ir.IntType(64).as_pointer()])
_get = ctypes.pythonapi.PyMem_GetAllocator
_get.restype = None


def _malloc() -> int:
    """Return the address of what is called for memory now."""
    found = (ctypes.c_void_p * _FUNCTIONS)()
    _get(ctypes.c_int(0), found)
    return found[1] or 0


def _emit() -> None:
    """Emit symae_traced(). Where Python traces already, what it would call itself is not known, but what it does not."""
    compared = "==" if tracemalloc.is_tracing() else "!="
    module = ir.Module("symae_traced_memory")
    b = Builder(ir.Function(module, TRACED, "symae_traced"))
    found = b.alloca(ir.IntType(64), _FUNCTIONS)
    b.call(
        b.inttoptr(word(ctypes.cast(_get, ctypes.c_void_p).value or 0), _GET.as_pointer()),
        [ir.Constant(ir.IntType(32), 0), found],
    )
    malloc = b.load(b.gep(found, [word(1)]))
    b.ret(b.zext(b.icmp_signed(compared, malloc, word(_malloc())), ir.IntType(64)))
    define(module)


_emit()
