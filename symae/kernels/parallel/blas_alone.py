"""BLAS with one thread, just for the products that kernels make.

Kernels divide large products among threads of symae's own; OpenBLAS's beside them, which spin while they wait, made a training
step take six times as long. OpenBLAS has one limit for the whole process. It is lowered around each product, within machine
code, by ``symae_blas_begin()`` and ``symae_blas_end()``, and is what it was before when the last of those that overlap ends. A
Numba function calls the OpenBLAS that SciPy brings; NumPy's is another one in most installations, and is left alone.

Where SciPy's BLAS is none of those known here, the two do nothing.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

import scipy.linalg.cython_blas
from llvmlite import ir
from numba import _helperlib
from threadpoolctl import ThreadpoolController

from symae.kernels.machine_code import Builder, define, word

CALL = ir.FunctionType(ir.VoidType(), [])

_GET, _SET = ir.FunctionType(ir.IntType(32), []), ir.FunctionType(ir.VoidType(), [ir.IntType(32)])


def _openblas() -> tuple[Any, Any] | None:
    """Return what reads and what sets the number of threads of the OpenBLAS that Numba's functions call."""
    # Looks into the libraries, too, that this one is linked with; not so on Windows.
    libraries: list[Any] = [ctypes.CDLL(scipy.linalg.cython_blas.__file__)]
    if os.name == "nt":
        controllers = ThreadpoolController().lib_controllers
        libraries = [c.dynlib for c in controllers if c.internal_api == "openblas" and "scipy" in c.filepath]
    for library in libraries:
        for name in ("scipy_openblas_{}_num_threads", "openblas_{}_num_threads"):
            for suffix in ("", "64_", "_64"):
                found = [getattr(library, name.format(verb) + suffix, None) for verb in ("get", "set")]
                if None not in found:
                    return found[0], found[1]
    return None


class _Limit:
    """Hold the memory and machine code of the two functions: how many products are being made, and the limit before them."""

    def __init__(self) -> None:
        self._memory = (ctypes.c_int64 * 3)()  # a lock, the number of products, the limit
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._memory))
        self._lock, self._products, self._before = (word(ctypes.addressof(self._memory) + 8 * n) for n in range(3))
        self._blas = _openblas()
        module = ir.Module("symae_blas")
        self._emit(module, "symae_blas_begin", begins=True)
        self._emit(module, "symae_blas_end", begins=False)
        define(module)

    def _emit(self, module: ir.Module, name: str, begins: bool) -> None:
        b = Builder(ir.Function(module, CALL, name))
        if self._blas is not None:
            get, set_ = (ctypes.cast(function, ctypes.c_void_p).value or 0 for function in self._blas)
            with b.loop() as after:
                with b.if_then(b.replace(self._lock, word(0), word(1))):
                    b.branch(after)
                b.pause()
            products = b.read(self._products)
            if begins:
                with b.if_then(b.equal(products, word(0))):
                    before = b.call(b.inttoptr(word(get), _GET.as_pointer()), [])
                    b.write(b.sext(before, products.type), self._before)
                    b.call(b.inttoptr(word(set_), _SET.as_pointer()), [ir.Constant(ir.IntType(32), 1)])
                b.write(b.add(products, word(1)), self._products)
            else:
                with b.if_then(b.equal(products, word(1))):
                    before = b.trunc(b.read(self._before), ir.IntType(32))
                    b.call(b.inttoptr(word(set_), _SET.as_pointer()), [before])
                b.write(b.sub(products, word(1)), self._products)
            b.write(word(0), self._lock)
        b.ret_void()

    def after_fork_in_child(self) -> None:
        """Put the limit back after a fork: products of other threads will not end in this process."""
        _, products, before = self._memory
        if products and self._blas is not None:
            self._blas[1](ctypes.c_int(before))
        self._memory[0] = self._memory[1] = 0


def _find_products() -> None:
    """Let Numba look for BLAS's products now: it does so at the first call of each, and takes Python's lock for it.

    A thread of the pool would wait for that for ever, because the caller, which waits for the thread, may hold it.
    """
    size, bytes_, char = ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_char
    arguments = [char] * 3 + [size] * 3 + [bytes_, bytes_, size, bytes_, size, bytes_, bytes_, size]
    multiply = ctypes.PYFUNCTYPE(ctypes.c_int, *arguments)(_helperlib.c_helpers["xxgemm"])
    for kind, number in ((b"s", ctypes.c_float), (b"d", ctypes.c_double)):
        matrix = (number * 1)()
        p = ctypes.addressof(matrix)
        multiply(kind, b"n", b"n", 1, 1, 1, p, p, 1, p, 1, p, p, 1)


_find_products()
_limit = _Limit()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_limit.after_fork_in_child)


def connect() -> None:
    """Do nothing: importing this module is what machine code that is read from a cache needs."""
