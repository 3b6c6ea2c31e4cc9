"""Threads that take memory while Python traces it would wait for each other for ever; here is how to know that before.

Numba takes memory by ``PyMem_RawMalloc``. While `tracemalloc` is on that takes Python's lock, to write down where: a thread of
the pool waits for the lock, which the caller holds, who waits for the thread. Other tools that trace memory put functions of
their own there too. One that is there when this module is imported is known by the library in which its function lies, not on
Windows; what begins on top of it later is taken for Python itself.
"""

from __future__ import annotations

import ctypes
import os
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


class _Symbol(ctypes.Structure):
    """Describe where an address is, as dladdr does."""

    _fields_ = (("file", ctypes.c_char_p), ("library", ctypes.c_void_p), ("name", ctypes.c_char_p), ("at", ctypes.c_void_p))


def _library(address: int) -> int:
    """Return where the library begins that an address is in; 0 if it is in none, or if the system doesn't say."""
    found = _Symbol()
    look = getattr(ctypes.CDLL(None), "dladdr", None) if os.name == "posix" else None
    return (found.library or 0) if look is not None and look(ctypes.c_void_p(address), ctypes.byref(found)) else 0


def _is_traced() -> bool:
    """Return True if memory is traced now: Python says so, or what is called is not in Python's library."""
    return tracemalloc.is_tracing() or _library(_malloc()) != _library(ctypes.cast(_get, ctypes.c_void_p).value or 0)


def _emit() -> None:
    """Emit symae_traced(). Where memory is traced already, what Python would call itself is not known, but what it does not."""
    compared = "==" if _is_traced() else "!="
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
