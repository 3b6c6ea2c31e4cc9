"""Kernels of Numba that are compiled once for all graphs: their machine code is kept on the disk, and called by name.

A function that Numba links into a graph is typed, lowered and optimised with it, each time anew, and for each way in which its
arguments can lie in memory. What is here is compiled once for its arguments' dtypes and numbers of dimensions, whatever else
they are, and costs a graph one call. So it is for kernels that work long enough, and gain nothing by what is known where they
are called.

Ops `ask` for the kernels that they will call, as soon as they know. What is not on the disk waits in a queue then, for another
process (`symae.compile.second_process`) or for this one: where a graph's machine code is made at the end, the names in it get
their addresses just before (`complete`). What a graph asked for and did not need by then is forgotten (`jobs_of_a_graph`).
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import os
import pickle
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from llvmlite import binding
from numba.core import cgutils, types
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import intrinsic

from symae.kernels.kept_code import keep, kept_file, load, read_kept

Types = tuple[Any, ...]

_once: dict[tuple[str, tuple[Any, ...] | None], _Once] = {}


class _Once:
    """Hold the symbols under which machine code finds a function, by the types of its arguments."""

    def __init__(self, name: str, settings: tuple[Any, ...] | None, make: Callable[[], Any], contiguous: bool):
        self.name, self.settings, self.contiguous = name, settings, contiguous
        self._make = make
        self._symbols: dict[Types, str] = {}
        self._named: dict[Types, tuple[str, Path]] = {}
        self._libraries: list[Any] = []
        _once[name, settings] = self

    def general(self, arguments: Types) -> Types:
        return tuple(_general(kind, self.contiguous) for kind in arguments)

    def named(self, arguments: Types) -> tuple[str, Path]:
        """Return the symbol for arguments of these types, and the file that has its machine code, if there is one."""
        if arguments not in self._named:
            # Graphs from the disk, which other settings may have been valid for, find it by the same name.
            settings = "" if self.settings is None else repr(self.settings)
            described = f"{self.name}{settings}({', '.join(map(repr, arguments))})"
            symbol = f"{self.name}.{hashlib.sha256(described.encode()).hexdigest()[:16]}"
            source = Path(inspect.getfile(importlib.import_module(self.name.rpartition(".")[0]))).read_bytes()
            file = kept_file(f"symae_{self.name.rpartition('.')[2]}", f"{described} {hashlib.sha256(source).hexdigest()}")
            self._named[arguments] = symbol, file
        return self._named[arguments]

    def is_there(self, arguments: Types) -> bool:
        """Return True if it is known in this process, or kept."""
        return arguments in self._symbols or self.named(arguments)[1].exists()

    def symbol(self, arguments: Types) -> str:
        """Return the name of the function for arguments of these types, which it has from now on."""
        with global_compiler_lock:
            symbol, file = self.named(arguments)
            if arguments not in self._symbols:
                binding.add_symbol(symbol, _loaded(file) or self._compiled(arguments, file))
                self._symbols[arguments] = symbol
            return symbol

    def _compiled(self, arguments: Types, file: Path) -> int:
        dispatcher = self._make()
        with _nothing_missing():  # but what this one calls
            dispatcher.compile(arguments)
            made = dispatcher.overloads[arguments]
            library, name = made.library, made.fndesc.llvm_func_name
            address = int(library.get_pointer_to_function(name))
        # its address is known by name, for as long as the process lives
        self._libraries.append(library)
        # dynamic globals are addresses of this process
        if not library.has_dynamic_globals and library._compiled_object is not None:
            # what has to be called first wherever the code is read: it names what the code refers to
            keep(file, pickle.dumps((name, list(library._reload_init), library._get_compiled_object())))
        return address


def _loaded(file: Path) -> int | None:
    kept = read_kept(file)
    if kept is None:
        return None
    try:
        name, connections, code = pickle.loads(kept)
        with _nothing_missing():
            for connect in connections:
                connect()
            complete()
    except (ImportError, AttributeError, KeyError):  # written where what it refers to lay elsewhere
        return None
    return load(code, [name])[name]


def compiled_once(jit: Any, contiguous: bool = False) -> Callable[[Callable[..., None]], Any]:
    """Return a decorator that compiles a function by `jit` once for each combination of its arguments' types.

    Numba functions call it like any other. It must return nothing; an error that it raises is the caller's. With `contiguous`,
    arrays that are known to be C-contiguous where it is called are so where it is compiled: for loops over entries, which
    are vectors of the processor's only then.
    """

    def decorate(function: Callable[..., None]) -> Any:
        name = f"{function.__module__}.{function.__name__}"
        return _callable(_Once(name, None, lambda: jit(function), contiguous), function)

    return decorate


def each_compiled_once(make: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate what makes jitted functions of hashable settings: each of these is compiled once, as by `compiled_once`.

    Asked twice it gives the same function. Arrays that are known to be C-contiguous where it is called are so where it is
    compiled.
    """
    name = f"{make.__module__}.{make.__name__}"

    @functools.cache
    @functools.wraps(make)
    def made(*settings: Any) -> Any:
        jitted = make(*settings)
        return _callable(_Once(name, settings, lambda: jitted, contiguous=True), jitted.py_func)

    return made


def _callable(once: _Once, function: Callable[..., None]) -> Any:
    """Return what Numba functions call: `once`, with the parameters of `function`."""

    def call(typing: Any, *arguments: Any) -> Any:
        general = once.general(arguments)

        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            # machine code that is read from a cache needs it, too
            context.active_code_library._reload_init.add(_connection(once.name, once.settings, general))
            conv, symbol = context.call_conv, _wanted(once, general)
            kind = conv.get_function_type(types.none, general)
            target = cgutils.get_or_insert_function(builder.module, kind, symbol)
            given = [context.cast(builder, v, a, b) for v, a, b in zip(values, signature.args, general, strict=True)]
            status, _ = conv.call_function(builder, target, types.none, general, given)
            with cgutils.if_unlikely(builder, status.is_error):
                conv.return_status_propagate(builder, status)
            return context.get_dummy_value()

        return types.void(*arguments), codegen

    named = inspect.signature(function)
    first = inspect.Parameter("typing", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    call.__signature__ = named.replace(parameters=[first, *named.parameters.values()])  # type: ignore[attr-defined]
    call.__name__, call.__doc__ = function.__name__, function.__doc__
    called = intrinsic(call)
    called.once = once
    return called


def _general(kind: Any, contiguous: bool) -> Any:
    """Return a type that has fewer others beside it: arrays of any layout, whole numbers of one size."""
    kind = types.unliteral(kind)
    if isinstance(kind, types.Array):
        layout = kind.layout if contiguous and kind.layout == "C" else "A"
        return types.Array(kind.dtype, kind.ndim, layout, readonly=not kind.mutable, aligned=kind.aligned)
    return types.int64 if isinstance(kind, types.Integer) else kind


def connect(name: str, settings: tuple[Any, ...] | None, arguments: Types) -> None:
    """Let machine code find a function of that name for arguments of these types, by the time that it runs."""
    _wanted(find(name, settings), arguments)


def find(name: str, settings: tuple[Any, ...] | None) -> _Once:
    """Return the function of that name, of those that are made of settings the one of these."""
    if (name, settings) not in _once:
        module, _, function = name.rpartition(".")
        found = getattr(importlib.import_module(module), function)
        if settings is not None:
            found(*settings)
    return _once[name, settings]


@functools.cache
def _connection(name: str, settings: tuple[Any, ...] | None, arguments: Types) -> Callable[[], None]:
    return functools.partial(connect, name, settings, arguments)


# What is asked for, and not yet on the disk


class Job(NamedTuple):
    """Describe a function to be compiled."""

    name: str
    settings: tuple[Any, ...] | None
    arguments: Types
    file: Path


class Queue:
    """Hold the jobs that wait, those that another process has, and whoever waits for these."""

    def __init__(self) -> None:
        self.renew()
        if hasattr(os, "register_at_fork"):  # not on Windows
            os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        self.changed = threading.Condition()
        self.waiting: dict[Job, None] = {}
        self.elsewhere: set[Job] = set()

    def add(self, job: Job) -> None:
        with self.changed:
            if job not in self.elsewhere:
                self.waiting[job] = None
                self.changed.notify_all()

    def keep_only(self, jobs: Collection[Job]) -> None:
        """Forget the jobs that wait and are not among `jobs`."""
        with self.changed:
            self.waiting = {job: None for job in self.waiting if job in jobs}

    def take(self, job: Job | None = None) -> Job | None:
        """Take a job, that one or the first; None if it does not wait."""
        with self.changed:
            job = next(iter(self.waiting), None) if job is None else job
            if job is not None and job in self.waiting:
                del self.waiting[job]
                return job
            return None

    def take_elsewhere(self, patience: float) -> Job | None:
        """Take a job for another process, that has to say when it is `done`; None if there is none for so many seconds."""
        with self.changed:
            self.changed.wait_for(lambda: self.waiting, patience)
            job = self.take()
            if job is not None:
                self.elsewhere.add(job)
            return job

    def done(self, job: Job) -> None:
        """Say that the other process has no longer to do with a job."""
        with self.changed:
            self.elsewhere.discard(job)
            self.changed.notify_all()

    def wait_for(self, job: Job) -> None:
        """Return when the other process is done with a job, or takes too long."""
        with self.changed:
            self.changed.wait_for(lambda: job not in self.elsewhere, PATIENCE)


PATIENCE = 30.0  # seconds that this process waits for another one, before it does the same itself
QUEUE = Queue()
_missing: dict[tuple[_Once, Types], None] = {}


def ask(kernel: Any, *arguments: Any) -> None:
    """Say that a graph will call a kernel that is compiled once, with arguments of these types.

    They are (dtype, ndim), arrays in C order, or the dtype of a number.
    """
    once: _Once = kernel.once
    described = (types.Array(_of_numpy(a[0]), a[1], "C") if isinstance(a, tuple) else _of_numpy(a) for a in arguments)
    general = once.general(tuple(described))
    if not once.is_there(general):
        QUEUE.add(Job(once.name, once.settings, general, once.named(general)[1]))


def _of_numpy(dtype: str) -> Any:
    return types.boolean if dtype == "bool" else getattr(types, dtype)


@contextmanager
def jobs_of_a_graph() -> Iterator[None]:
    """Forget at the end what the graph that is compiled in the block has asked for: it has all, or it has failed."""
    with QUEUE.changed:
        before = set(QUEUE.waiting)
    try:
        yield
    finally:
        QUEUE.keep_only(before)


def can_wait() -> bool:
    """Return True if `complete` will be called before machine code that is being compiled gets its addresses."""
    return False


def _wanted(once: _Once, arguments: Types) -> str:
    """Return the function's name, which has an address by now or will have one."""
    if not can_wait():
        return once.symbol(arguments)
    _missing[once, arguments] = None
    return once.named(arguments)[0]


@contextmanager
def _nothing_missing() -> Iterator[None]:
    """Keep what is missing until the end of the block, where something else is compiled."""
    before = dict(_missing)
    _missing.clear()
    try:
        yield
    finally:
        _missing.update(before)


def complete() -> None:
    """Give all names that machine code refers to their addresses: from the disk, from another process, or from here."""
    while _missing:
        once, arguments = _missing.popitem()[0]
        job = Job(once.name, once.settings, arguments, once.named(arguments)[1])
        while job in QUEUE.elsewhere:
            other = QUEUE.take()
            if other is None:
                QUEUE.wait_for(job)
                break
            helped = find(other.name, other.settings)
            try:
                helped.symbol(other.arguments)
            except Exception:
                if (helped, other.arguments) in _missing:
                    raise
                # the error is for the graph that needs it
        QUEUE.take(job)
        once.symbol(arguments)
