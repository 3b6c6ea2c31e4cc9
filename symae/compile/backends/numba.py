"""Numba: machine code by LLVM, kept on the disk; the default."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pytensor.compile.mode import NUMBA
from pytensor.graph.basic import Apply

from symae._runtime.lazy_modules import load_when_used
from symae.compile.backends.base import Backend
from symae.kernels.fingerprint import APPLIED
from symae.ops.base import BackendOp, kernel, source_fingerprint
from symae.rewrites.lazy_branches import rewrite_loop_steps
from symae.rewrites.registry import EAGER_BRANCHES, FUNCTIONS_OF_NUMBERS, FUSED_KERNELS, NATIVE

if TYPE_CHECKING:
    from symae.compile.loops.base import IndexedStep, Loop

# Ops that Numba has no machine code for and calls in Python: NumPy's draws, as `symae.random` says, and some of PyTensor's for
# sparse matrices, which SciPy computes.
_IN_PYTHON = (
    *("NumpyDraw", "AddSS", "AddSSData", "AddSD", "StructuredAddSV", "SparseSparseMultiply", "TrueDot", "SamplingDot", "Usmm"),
    *("CSMGrad", "EnsureSortedIndices", "Remove0", "ConstructSparseFromList", r"(Not)?EqualS[SD]", r"(Less|Greater)\w+S[SD]"),
)

# The patch without which machine code on the disk loses what has to be called before it runs.
KEPT_WITH = "numba_cache_connections"


def _connect(dispatch: ModuleType) -> None:
    """Connect the kernels of all BackendOps, under keys that tell when a kernel's source has changed."""
    from pytensor.link.numba.dispatch.basic import generate_fallback_impl, register_funcify_and_cache_key

    @register_funcify_and_cache_key(BackendOp)
    def _(op: BackendOp, node: Apply, **keywords: Any) -> tuple[Callable[..., Any], str | None]:
        if not hasattr(op, "numba"):
            return generate_fallback_impl(op, node=node, **keywords), None
        if KEPT_WITH not in APPLIED:  # what others read would lack the kernels that it calls by name
            return kernel("numba", op, node), None
        key = f"{source_fingerprint(op)} {type(op)} {op._props()} {op.numba_key(node)!r}"
        return kernel("numba", op, node), hashlib.sha256(key.encode()).hexdigest()


def _import_conversions() -> None:
    # SciPy's compatibility layer takes all of NumPy's names, and with them a reader of Fortran: a twentieth of a second.
    load_when_used("numpy.f2py")
    # Sets filters for warnings that are to stay, so it must not be imported where filters are put back.
    importlib.import_module("pytensor.link.numba.dispatch.basic")


def _jobs_of_a_graph() -> AbstractContextManager[None]:
    from symae.kernels.compiled_once import jobs_of_a_graph

    return jobs_of_a_graph()


def _compile_ahead(function: Any) -> bool:
    from symae.compile.numba_calls import compile_ahead

    return compile_ahead(function)


def _loop(indexed: IndexedStep) -> Loop:
    from symae.compile.loops.numba import NumbaLoop

    return NumbaLoop(indexed)


rewrite_loop_steps("numba")

BACKEND = Backend(
    name="numba",
    title="Numba",
    compiler="Numba, cached on the disk; the default",
    mode=NUMBA,
    needs=(NATIVE, FUNCTIONS_OF_NUMBERS, FUSED_KERNELS, EAGER_BRANCHES),
    module="numba",
    compiles_ahead=True,
    compile_ahead=_compile_ahead,
    dispatch="pytensor.link.numba.dispatch",
    overrides=(_connect,),
    loop=_loop,
    before_compiling=_import_conversions,
    while_compiling=_jobs_of_a_graph,
    held_back=(rf"Numba will use object mode to run ({'|'.join(_IN_PYTHON)})\b",),
)
