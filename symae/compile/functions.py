"""``function``: PyTensor's, with symae's rewrites, on a backend chosen by name."""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import pytensor

from symae import patches
from symae._runtime.locks import Lock
from symae._runtime.memory import collect_young
from symae._runtime.quiet import without_log, without_warnings
from symae._runtime.roomy_calls import roomy
from symae.compile.backends import BY_NAME, linked_by
from symae.compile.known_graphs import keep, looking_up
from symae.compile.locked_function import with_lock
from symae.compile.modes import chosen_mode, mode_of_branches, surrounding
from symae.errors import InputError
from symae.patches.numba_deferred_codegen import whole_programs

# held by whoever compiles
COMPILING = Lock()


@dataclass(frozen=True)
class CompileTime:
    """Tell how long a function took to compile, in seconds.

    Attributes
    ----------
    graph : float
        Rewriting the graph and linking it; in the C backend also the C compiler.
    machine_code : float
        Making machine code or, if `cached`, loading it. Backends that do not compile ahead, such as JAX, do that at the first
        call, which is not counted.
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
    """Return how long `compiled`, a function made by `function`, took to compile."""
    try:
        return _times[compiled.maker]
    except (KeyError, TypeError, AttributeError):
        raise InputError("compile_time", f"a {type(compiled).__name__}", "a function compiled by symae.function") from None


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let other threads wait: compiling, PyTensor changes settings of the whole process, and puts back what it found."""
    with COMPILING, collect_young():
        yield


@_one_at_a_time()
@roomy
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
    backend : str, optional
        Which compiler makes the machine code, one of `symae.compile.BACKENDS`; Numba unless PyTensor is configured otherwise.
        MLX computes in float32: it has no float64 on GPUs and none of full precision on CPUs, so a graph with float64 in it is
        refused.

    Returns
    -------
    pytensor.compile.executor.Function
        Compiled, not only linked, on backends that compile ahead, Numba and C: the first call is as fast as the others.
        `compile_time` tells how long it took. Several threads may call it: one at a time. It gives NumPy arrays on every
        backend and leaves them in shared variables; `symae.compile.device_arrays` tells when values of shared variables
        travel to JAX and MLX.

    Raises
    ------
    BackendError
        The backend is unknown, or not installed: the message names the extra that brings it. Or it is MLX, and something in
        the graph is float64. Or a patch that guards memory does not fit the PyTensor or backend that is installed.
    InputError
        Both `mode` and `backend` were given.

    Examples
    --------
    >>> import pytensor.tensor as pt
    >>> x = pt.dvector("x")
    >>> square = function([x], x**2)
    >>> square([1, 2, 3])
    array([1., 4., 9.])
    """
    if mode is not None and backend is not None:
        raise InputError("function", f"mode {mode!r} and backend {backend!r}", "one of the two")
    # PyTensor means to drop this argument; handed over only where it says something, and without its warning
    default_updates = {} if no_default_updates is False else {"no_default_updates": no_default_updates}
    started = time.perf_counter()
    chosen = chosen_mode(mode, backend)
    compiler = linked_by(chosen.linker)
    if compiler is not None and compiler.before_compiling is not None:
        compiler.before_compiling()
    while_compiling = nullcontext if compiler is None else compiler.while_compiling
    branches_in = mode_of_branches(chosen if mode is None else None)

    @contextmanager
    def surroundings() -> Iterator[None]:
        with _quiet(), whole_programs(), surrounding(branches_in), while_compiling():
            yield

    @contextmanager
    def later() -> Iterator[None]:
        with COMPILING, surroundings():
            yield

    with surroundings():
        compiled = pytensor.function(
            inputs,
            outputs,
            mode=chosen if profile else looking_up(chosen, later, mode is None),
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
        if compiler is not None and mode is None:
            patches.refuse_missing(compiler.name)
        _bring_to_host(compiled, chosen.linker)
        linked = time.perf_counter()
        cached = compiler is not None and compiler.compile_ahead is not None and compiler.compile_ahead(compiled)
        keep(compiled, linked - started)
    compiled = with_lock(compiled)
    _times[compiled.maker] = CompileTime(linked - started, time.perf_counter() - linked, cached)
    return compiled


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what PyTensor says at each compilation and no user of symae can mend: each backend says what that is."""
    messages = [message for backend in BY_NAME.values() for message in backend.held_back]
    with without_log("pytensor.tensor.blas"), without_warnings("The no_default_updates parameter is deprecated", *messages):
        yield


def _bring_to_host(compiled: Any, linker: Any) -> None:
    """Make NumPy arrays of what functions in PyTensor's own modes have left in shared variables, unless `linker` takes it."""
    for container in compiled.input_storage:
        package = type(container.storage[0]).__module__.partition(".")[0]
        for backend in BY_NAME.values():
            if package in backend.array_packages and not backend.reads(linker):
                container.storage[0] = backend.to_host(container.storage[0])
