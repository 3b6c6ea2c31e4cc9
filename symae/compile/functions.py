"""``function``: PyTensor's, with symae's rewrites, on a backend chosen by name."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor
from pytensor.compile.mode import CVM, JAX, MLX, NUMBA, PYTORCH, Mode, get_mode
from pytensor.link.jax.linker import JAXLinker
from pytensor.link.numba.linker import NumbaLinker

from symae import (
    patches,  # noqa: F401  (connect themselves)
    rewrites,
)
from symae._runtime.locks import Lock
from symae._runtime.memory import collect_young, keep_freed_memory
from symae._runtime.quiet import without_log, without_warnings
from symae.compile.device_arrays import ResidentJAXLinker
from symae.compile.locked_function import with_lock
from symae.compile.mlx_linker import ResidentMLXLinker
from symae.compile.pytorch_linker import ExplainingPytorchLinker
from symae.errors import BackendError, InputError
from symae.patches.numba_deferred_codegen import whole_programs
from symae.rewrites.lazy_branches import surrounding_mode

__all__ = ["BACKENDS", "COMPILING", "CompileTime", "compile_time", "function", "options"]


@dataclass(frozen=True)
class _Backend:
    mode: Mode
    module: str | None  # what has to be importable
    extra: str | None  # the extra of symae that brings it


_BACKENDS = {
    "numba": _Backend(NUMBA, "numba", None),
    "c": _Backend(CVM, None, None),
    "jax": _Backend(Mode(ResidentJAXLinker(), JAX.provided_optimizer), "jax", "jax"),
    "pytorch": _Backend(Mode(ExplainingPytorchLinker(), PYTORCH.provided_optimizer), "torch", "torch"),
    # mx.compile fuses by itself
    "mlx": _Backend(Mode(ResidentMLXLinker(), MLX.provided_optimizer.excluding("fusion")), "mlx", "mlx"),
}

BACKENDS = tuple(_BACKENDS)

# held by whoever compiles
COMPILING = Lock()
_excluded: ContextVar[tuple[str, ...]] = ContextVar("excluded", default=())
_included: ContextVar[tuple[str, ...]] = ContextVar("included", default=())


@contextmanager
def options(*, exclude: Sequence[str] = (), include: Sequence[str] = ()) -> Iterator[None]:
    """Compile without the rewrites named in `exclude` inside the block, for comparison.

    With those, too, that are tagged for one of `include`, such as `symae.rewrites.THEANO`.

    Raises
    ------
    InputError
        There is no rewrite of that name.
    """
    for name in exclude:
        if name not in rewrites.names():
            raise InputError("exclude", repr(name), f"a rewrite of symae: {', '.join(rewrites.names())}")
    without, more = _excluded.set((*_excluded.get(), *exclude)), _included.set((*_included.get(), *map(rewrites.tag, include)))
    try:
        yield
    finally:
        _excluded.reset(without)
        _included.reset(more)


@dataclass(frozen=True)
class CompileTime:
    """How long a function took to compile, in seconds.

    Attributes
    ----------
    graph : float
        Rewriting the graph and linking it; in the C backend also the C compiler.
    machine_code : float
        Making machine code or, if `cached`, loading it. JAX, PyTorch and MLX do that at the first call, which is not counted.
    cached : bool
        The machine code came from the disk.
    """

    graph: float
    machine_code: float
    cached: bool

    @property
    def total(self) -> float:
        return self.graph + self.machine_code

    def __str__(self) -> str:
        return f"{self.total:.1f} s" + (" (machine code from the cache)" if self.cached else "")


# keyed by the function's maker, because a Function takes neither weak references nor attributes
_times: weakref.WeakKeyDictionary[Any, CompileTime] = weakref.WeakKeyDictionary()


def compile_time(compiled: Any) -> CompileTime:
    """How long `compiled`, a function made by `function`, took to compile."""
    try:
        return _times[compiled.maker]
    except (KeyError, TypeError, AttributeError):
        raise InputError("compile_time", f"a {type(compiled).__name__}", "a function compiled by symae.function") from None


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Other threads wait: while it compiles PyTensor changes settings of the whole process, and puts back what it found."""
    with COMPILING, collect_young():
        yield


@_one_at_a_time()
def function(
    inputs: Sequence[Any],
    outputs: Any = None,
    mode: Any = None,
    updates: Any = None,
    givens: Any = None,
    no_default_updates: Any = False,
    accept_inplace: bool = False,
    name: str | None = None,
    rebuild_strict: bool = True,
    allow_input_downcast: bool | None = None,
    profile: Any = None,
    on_unused_input: str | None = None,
    *,
    backend: str | None = None,
    trust_input: bool = False,
) -> Any:
    """Compile a graph into a callable.

    The arguments are those of ``theano.function``, in its order; PyTensor's documentation explains them.

    Parameters
    ----------
    inputs : list of variables
        What the callable takes.
    outputs : variable or list of variables, optional
        What it returns.
    mode : Mode or str, optional
        A PyTensor mode, used as it is: no rewrites of symae. Not together with `backend`.
    updates : list of pairs, dict or OrderedDict, optional
        (shared variable, new value) for each call.
    givens : list of pairs or dict, optional
        Replacements made in the graph first.
    backend : {"numba", "c", "jax", "pytorch", "mlx"}, optional
        Which compiler makes the machine code; Numba unless PyTensor is configured otherwise. MLX computes in float32: it has
        no float64 on GPUs and none of full precision on CPUs, so a graph with float64 in it is refused.

    Returns
    -------
    pytensor.compile.executor.Function
        Compiled, not only linked, on Numba and C: the first call is as fast as the others. `compile_time` tells how long
        it took. Several threads may call it: one at a time. It gives NumPy arrays on every backend and leaves them in shared
        variables; `symae.compile.device_arrays` tells when values of shared variables travel to JAX and MLX.

    Raises
    ------
    BackendError
        The backend is unknown, or not installed: the message names the extra that brings it. Or it is MLX, and something in
        the graph is float64.
    InputError
        Both `mode` and `backend` were given.

    Examples
    --------
    >>> import pytensor.tensor as pt
    >>> x = pt.dvector("x")
    >>> square = function([x], x**2, backend="c")
    >>> square([1, 2, 3])
    array([1., 4., 9.])
    """
    if mode is not None and backend is not None:
        raise InputError("function", f"mode {mode!r} and backend {backend!r}", "one of the two")
    # PyTensor means to drop this argument; handed over only where it says something, and without its warning
    default_updates = {} if no_default_updates is False else {"no_default_updates": no_default_updates}
    started = time.perf_counter()
    keep_freed_memory()
    chosen = get_mode(mode_for(backend) if mode is None else mode)
    if _included.get() and type(chosen) is Mode:  # those of other classes forget their settings in a copy
        chosen = chosen.including(*_included.get())
    if isinstance(chosen.linker, NumbaLinker):
        # Sets filters for warnings that are to stay, so it must not be imported where filters are put back.
        importlib.import_module("pytensor.link.numba.dispatch.basic")
    with _quiet(), whole_programs(), _surrounding(None if mode is not None or "lazy_branches" in _excluded.get() else chosen):
        compiled = pytensor.function(
            inputs,
            outputs,
            mode=chosen,
            updates=updates,
            givens=givens,
            accept_inplace=accept_inplace,
            name=name,
            rebuild_strict=rebuild_strict,
            allow_input_downcast=allow_input_downcast,
            profile=profile,
            on_unused_input=on_unused_input,
            trust_input=trust_input,
            **default_updates,
        )
        if not isinstance(chosen.linker, JAXLinker):
            _bring_home(compiled)
        linked = time.perf_counter()
        cached = _make_machine_code(compiled)
    compiled = with_lock(compiled)
    _times[compiled.maker] = CompileTime(linked - started, time.perf_counter() - linked, cached)
    return compiled


def mode_for(backend: str | None) -> Any:
    """PyTensor's mode with symae's rewrites for `backend`; of None the default, or None where PyTensor is configured otherwise.

    Raises
    ------
    BackendError
        It is unknown, or not installed here.
    """
    if backend is None:
        configured = pytensor.config.mode.lower()
        linker = pytensor.config.linker
        if configured in _BACKENDS:
            backend = configured
        elif configured in {"mode", "fast_run"} and linker in {"auto", "numba"} and pytensor.config.optimizer == "o4":
            backend = "numba"
        else:
            return None  # the user has configured PyTensor otherwise: so be it
    chosen = _BACKENDS.get(backend)
    if chosen is None:
        raise BackendError("backend", repr(backend), f"one of {', '.join(BACKENDS)}")
    if chosen.module is not None and importlib.util.find_spec(chosen.module) is None:
        package = f"symae[{chosen.extra}]" if chosen.extra else chosen.module
        raise BackendError(f"backend {backend!r}", f"no module {chosen.module}", f'it installed: pip install "{package}"')
    if backend == "c" and not pytensor.config.cxx:
        raise BackendError("backend 'c'", "no C++ compiler", "g++ or clang++ on the PATH")
    config = pytensor.config
    switched_off = [name for name in config.optimizer_excluding.split(":") if name]
    switched_on = [name for name in config.optimizer_including.split(":") if name]
    return chosen.mode.including(rewrites.tag(backend), *switched_on).excluding(*_excluded.get(), *switched_off)


# Ops that Numba has no machine code for and calls in Python: NumPy's draws, and some of PyTensor's for sparse matrices.
_IN_PYTHON = (
    *("NumpyDraw", "AddSS", "AddSSData", "AddSD", "StructuredAddSV", "SparseSparseMultiply", "TrueDot", "SamplingDot", "Usmm"),
    *("CSMGrad", "EnsureSortedIndices", "Remove0", "ConstructSparseFromList", r"(Not)?EqualS[SD]", r"(Less|Greater)\w+S[SD]"),
)


@contextmanager
def _surrounding(mode: Any) -> Iterator[None]:
    """Let rewrites of inner graphs know the mode of the function that is compiled in the block."""
    token = surrounding_mode.set(mode)
    try:
        yield
    finally:
        surrounding_mode.reset(token)


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what PyTensor says at each compilation and no user of symae can mend.

    Its C backend has no BLAS of its own in any installation from wheels. Theano's default updates, which symae keeps, are
    on their way out of PyTensor. JAX cannot check at run time that indices broadcast; it refuses those that do not by itself.
    Random draws that only NumPy makes run in Numba's object mode, as `symae.random` says, and so does what SciPy computes of
    two sparse matrices.
    """
    held_back = (
        "PyTensor could not link to a BLAS installation",
        "The no_default_updates parameter is deprecated",
        rf"Numba will use object mode to run ({'|'.join(_IN_PYTHON)})\b",
        r"Skipping `?Assert.*Could not broadcast dimensions",
    )
    with without_log("pytensor.tensor.blas"), without_warnings(*held_back):
        yield


def _bring_home(compiled: Any) -> None:
    """Turn what functions in PyTensor's own modes for JAX and MLX have left in shared variables back into NumPy arrays."""
    for container in compiled.input_storage:
        value = container.storage[0]
        if type(value).__module__.partition(".")[0] in {"jax", "jaxlib", "mlx"}:
            container.storage[0] = np.array(value)


def _make_machine_code(compiled: Any) -> bool:
    """Let Numba compile now what it would compile at the first call; True if its code came from the disk."""
    dispatcher = getattr(compiled.vm, "jit_fn", None)
    if dispatcher is None or not type(dispatcher).__module__.startswith("numba."):
        return False
    import numba
    from pytensor.link.numba.dispatch.basic import get_numba_type
    from pytensor.sparse.type import SparseTensorType
    from pytensor.tensor.type import DenseTensorType

    from symae.compile.loops.numba import takes_tuple

    arguments = []
    for variable, container in zip(compiled.maker.fgraph.inputs, compiled.input_storage, strict=True):
        if container.storage[0] is not None:
            with contextlib.suppress(ValueError):
                arguments.append(numba.typeof(container.storage[0]))
        elif isinstance(variable.type, DenseTensorType | SparseTensorType):
            arguments.append(get_numba_type(variable.type, layout="C"))
    if len(arguments) != len(compiled.maker.fgraph.inputs):
        return False  # an input without a Numba type that is known here: the first call will compile
    as_tuple = (numba.types.BaseTuple.from_types(arguments),)
    dispatcher.compile(as_tuple if takes_tuple(dispatcher) else tuple(arguments))
    return bool(sum(dispatcher.stats.cache_hits.values()))
