"""Threads share the loops of large elementwise functions on Numba."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pytensor.scalar import basic as scalar
from pytensor.scalar.basic import Composite

from symae.patches.changes import Changes
from symae.patches.numba_elemwise import loops
from symae.patches.patch import Expected, Patch

# Functions of numbers that are an instruction or two; all others are taken to be worth several of them.
CHEAP = (
    *(scalar.Abs, scalar.Add, scalar.BinaryBitOp, scalar.Cast, scalar.Clip, scalar.Identity, scalar.LogicalComparison),
    *(scalar.Mul, scalar.Neg, scalar.Reciprocal, scalar.ScalarMaximum, scalar.ScalarMinimum, scalar.Second, scalar.Sign),
    *(scalar.Sqr, scalar.Sqrt, scalar.Sub, scalar.Switch, scalar.TrueDiv, scalar.UnaryBitOp),
)

# Parameters of `make_loop_call` that say what is computed where, and nothing of what goes from one turn to another.
_STATELESS = {
    *("typingctx", "context", "builder", "core_func", "core_signature", "core_handles_out", "core_scalar", "iter_shape"),
    *("inputs", "outputs", "input_bc", "output_bc", "input_types", "output_types", "inplace"),
}
# Those of indexed reads and writes: without an index they are empty, None, or as many of these as there are arrays.
_INDEXING = {
    *("constant_inputs", "input_read_spec", "idx_arrays", "idx_arrays_type", "idx_load_axes", "idx_bc", "output_write_spec"),
}


def apply(dispatch: Any, changes: Changes) -> None:
    from pytensor.link.numba.dispatch import elemwise, vectorize_codegen

    from symae.kernels.parallel.parts import THREADS
    from symae.kernels.parallel.shared_loops import describe, description

    changes.replace(
        elemwise, "numba_funcify_and_cache_key", functools.partial(_described, elemwise.numba_funcify_and_cache_key)
    )
    stock_body = getattr(elemwise, "store_core_outputs", None)  # none in PyTensor 3.3
    if stock_body is not None:

        def body(core_op_fn: Any, *given: Any, **named: Any) -> Any:
            return describe(stock_body(core_op_fn, *given, **named), description(core_op_fn))

        changes.replace(elemwise, "store_core_outputs", body)
    changes.replace(vectorize_codegen, "make_loop_call", shared(vectorize_codegen.make_loop_call))
    for kind in loops(elemwise):

        @changes.convert_numba(kind)
        def loop(stock: Any, op: Any, **keywords: Any) -> tuple[Any, str | None]:
            function, key = stock(op, **keywords)
            return function, key and f"shared by {THREADS} {key}"


def _described(funcify: Callable[..., Any], op: Any, *given: Any, **named: Any) -> tuple[Any, str | None]:
    """Return a function of numbers, by `funcify`, with what is to be known of it by the loops that call it."""
    from symae.kernels.parallel.shared_loops import Core, describe

    function, key = funcify(op, *given, **named)
    parts = [node.op for node in op.fgraph.apply_nodes] if isinstance(op, Composite) else [op]
    # PyTensor has no key for what runs in Python.
    core = Core(compiled=key is not None, expensive=not all(isinstance(part, CHEAP) for part in parts))
    return describe(function, core), key


def shared(make_loop_call: Callable[..., None]) -> Callable[..., None]:
    """Return PyTensor's function of that name, but for loops whose turns do not depend on each other, which threads share."""
    from symae.kernels.parallel.parts import THREADS
    from symae.kernels.parallel.shared_loops import SharedLoops, description

    signature = inspect.signature(make_loop_call)

    def make(*arguments: Any, **keywords: Any) -> None:
        given = signature.bind(*arguments, **keywords).arguments
        core = description(getattr(given["core_func"], "dispatcher", None))
        if THREADS > 1 and core is not None and core.compiled and independent(given, signature):
            SharedLoops(make_loop_call, given, core).emit()
        else:
            make_loop_call(*arguments, **keywords)

    return make


def independent(given: Mapping[str, Any], signature: inspect.Signature) -> bool:
    """Return True if every turn of the outermost loop is known to read and write numbers of its own.

    Known is what is said by parameters that are known. One of another name may carry a state from turn to turn: if it has
    another value than its default, the loop is nobody's to share.
    """
    if not given.get("core_scalar", True) or not given["iter_shape"] or any(bc[0] for bc in given["output_bc"]):
        return False
    for name, value in given.items():
        if name in _STATELESS:
            continue
        if name in _INDEXING:
            if _says_something(value):
                return False
            continue
        default = signature.parameters[name].default
        if default is inspect.Parameter.empty or not (value is default or (not value and not default)):
            return False
    return True


def _says_something(value: Any) -> bool:
    """Return True if a parameter for indices has one; None and empty entries are of arrays that are read as they are."""
    return bool(value) and any(entry is not None and entry != () for entry in value)


_PARAMETERS = (  # of make_loop_call, without which loops cannot be cut
    *("typingctx", "context", "builder", "core_func", "iter_shape", "inputs", "outputs", "input_bc", "output_bc"),
    *("input_types", "output_types"),
)

PATCH = Patch(
    module="pytensor.link.numba.dispatch",
    replaces="pytensor.link.numba.dispatch: vectorize_codegen.make_loop_call, and elemwise's names of "
    "numba_funcify_and_cache_key and store_core_outputs",
    why="elementwise functions of large arrays use one core",
    upstream="not proposed: make_loop_call could emit its loops as a function of a range of the outermost dimension; then a "
    "pool of threads can share them without Numba's parallel target, which takes seconds to compile.",
    delete_when="PyTensor shares elementwise loops among threads",
    apply=apply,
    expects=(
        Expected("pytensor.link.numba.dispatch.vectorize_codegen", "make_loop_call", _PARAMETERS, others=True),
        Expected("pytensor.link.numba.dispatch.elemwise", "numba_funcify_and_cache_key"),
    ),
    after=("numba_elemwise",),
)
