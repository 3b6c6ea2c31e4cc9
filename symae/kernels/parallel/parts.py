"""Threads of kernels: when to use them, and how to call a function for each part of some work."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numba
import numpy as np
from llvmlite import ir
from numba.core import callconv, cgutils, types
from numba.extending import intrinsic

from symae.kernels import tuning
from symae.kernels.machine_code import word
from symae.kernels.parallel.pool import AWAKE, PART, SHARE, THREADS, connect

Threads = Literal["never", "always", "large"]

jit: Any = numba.njit(error_model="numpy", fastmath=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)
inlined: Any = numba.njit(error_model="numpy", inline="always")

_BYTES = PART.args[0]


def threads_for(sizes: Sequence[int | None], enough: int, threads: int = THREADS) -> Threads:
    """Return when to use threads for work that is the product of `sizes`; None is one that is not known before it runs.

    Then machine code is needed for both ways.
    """
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes):
        return "large"
    return "always" if math.prod(known) >= enough and threads > 1 else "never"


def threads_for_multiplications(sizes: Sequence[int | None]) -> Threads:
    """Return when to use threads for so many multiplications, the product of `sizes`."""
    return threads_for(sizes, tuning.MULTIPLICATIONS_FOR_THREADS)


def parts_for(threads: Threads) -> int:
    """Return the most parts that work is divided into; each adds up sums of its own."""
    return 1 if threads == "never" else THREADS


def in_parts(
    work: Any, threads: Threads, enough: int = tuning.MULTIPLICATIONS_FOR_THREADS, enough_awake: int | None = None
) -> Any:
    """Return a function (n, size, arguments) that does `work(part, parts, arguments)` in parts, and returns how many.

    Where `threads` is ``"large"``, there are several from a size of `enough` on, and from `enough_awake` on while all threads
    look for work anyway.
    """
    least = enough if enough_awake is None else enough_awake

    # Numba optimises all that a compiled function calls once more with it, so a level of calls less is quicker to compile.
    @inlined
    def alone(n: Any, size: Any, arguments: Any) -> Any:
        work(np.int64(0), np.int64(1), arguments)
        return np.int64(1)

    if threads == "never":
        return alone

    @jit
    def together(n: Any, size: Any, arguments: Any) -> Any:
        parts = max(np.int64(1), min(np.int64(n), np.int64(THREADS)))
        _share(work, parts, arguments)
        return parts

    if threads == "always":
        return together

    @inlined
    def choice(n: Any, size: Any, arguments: Any) -> Any:
        if pays(size, enough, least):
            return together(n, size, arguments)
        return alone(n, size, arguments)

    return choice


@intrinsic
def _share(typing: Any, work: Any, parts: Any, arguments: Any) -> Any:
    """Call `work(part, parts, arguments)` for each part, by the threads of the pool; an error of a part is the caller's."""
    of_work = work.get_call_type(typing, (types.int64, types.int64, arguments), {})

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        call = context.get_function(work, of_work)
        for library in getattr(call, "libs", ()):
            context.active_code_library.add_linking_library(library)

        def body(b: Any, part: Any, given: Sequence[Any]) -> None:
            parts, arguments = given
            with b.if_then(b.icmp_signed("<", part, parts)):
                call(b, (part, parts, arguments))

        emit_region(context, builder, values[1:], body)
        return context.get_dummy_value()

    return types.void(work, types.int64, arguments), codegen


def emit_awake(context: Any, builder: Any) -> Any:
    """Emit whether there are threads and none of them sleeps: 1 or 0."""
    context.active_code_library._reload_init.add(connect)
    return builder.call(cgutils.get_or_insert_function(builder.module, AWAKE, "symae_awake"), [])


@intrinsic
def awake(typing: Any) -> Any:
    """Return 1 if there are threads and none of them sleeps, else 0."""
    return types.int64(), lambda context, builder, signature, arguments: emit_awake(context, builder)


@inlined
def pays(size: Any, enough: Any, enough_awake: Any) -> bool:
    """Return True if threads are to share work of that size: if it is large, or less large and all of them are awake."""
    return size >= enough or (size >= enough_awake and awake() == 1)


def emit_region(context: Any, builder: Any, values: Sequence[Any], emit: Callable[[Any, Any, Sequence[Any]], None]) -> None:
    """Emit a region of the pool: what `emit(builder, part, values)` emits is called once for each part below `THREADS`.

    It is emitted into a function of Numba's, with `values` handed over to it; if it raises an error in a part, or several, the
    function that `builder` is in raises one of these when all parts are done.
    """
    conv = context.call_conv
    # Machine code that is read from a cache connects itself to the pool, too.
    context.active_code_library._reload_init.add(connect)
    kind = ir.LiteralStructType([*(value.type for value in values), callconv.errcode_t, callconv.excinfo_ptr_t])
    code, exception = len(values), len(values) + 1
    state = cgutils.alloca_once(builder, kind)
    for number, value in enumerate([*values, callconv.RETCODE_OK, callconv.excinfo_ptr_t(None)]):
        builder.store(value, cgutils.gep_inbounds(builder, state, 0, number))

    of_body = (types.voidptr, types.intp)
    body = internal_function(builder, "parts", conv.get_function_type(types.none, of_body))
    b = ir.IRBuilder(body.append_basic_block("entry"))
    pointer, part = conv.decode_arguments(b, of_body, body)
    given = b.bitcast(pointer, kind.as_pointer())
    emit(b, part, [b.load(cgutils.gep_inbounds(b, given, 0, number)) for number in range(len(values))])
    conv.return_native_none(b)

    function = internal_function(builder, "part", PART)
    b = ir.IRBuilder(function.append_basic_block("entry"))
    status, _ = conv.call_function(b, body, types.none, of_body, function.args)
    given = b.bitcast(function.args[0], kind.as_pointer())
    with cgutils.if_unlikely(b, status.is_error):
        b.store(status.excinfoptr, cgutils.gep_inbounds(b, given, 0, exception))
        b.store(status.code, cgutils.gep_inbounds(b, given, 0, code))
    b.ret_void()

    share = cgutils.get_or_insert_function(builder.module, SHARE, "symae_share")
    builder.call(share, [function, builder.bitcast(state, _BYTES), word(THREADS)])
    failed, why = (builder.load(cgutils.gep_inbounds(builder, state, 0, number)) for number in (code, exception))
    status = conv._get_return_status(builder, failed, why)
    with cgutils.if_unlikely(builder, status.is_error):
        conv.return_status_propagate(builder, status)


def internal_function(builder: Any, name: str, kind: ir.FunctionType) -> ir.Function:
    """Return a function of its own in the module that `builder` writes."""
    module = builder.module
    function = ir.Function(module, kind, module.get_unique_name(f"{builder.function.name}.{name}"))
    function.linkage = "internal"
    function.attributes.add("noinline")  # two copies would take twice as long to compile
    return function
