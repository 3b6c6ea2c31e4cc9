"""Kernels of Numba that are compiled once for all graphs: their machine code is kept on the disk, and called by name.

A function that Numba links into a graph is typed, lowered and optimised with it, each time anew, and for each way in which its
arguments can lie in memory. What is here is compiled once for its arguments' dtypes and numbers of dimensions, whatever else
they are, and costs a graph one call. So it is for kernels that work long enough, and gain nothing by what is known where they
are called.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llvmlite import binding
from numba.core import cgutils, types
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import intrinsic

from symae.kernels.kept_code import keep, kept_file, load, read_kept

_once: dict[str, _Once] = {}


class _Once:
    """Hold the symbols under which machine code finds a function, by the types of its arguments."""

    def __init__(self, jit: Any, function: Callable[..., None]):
        self.name, self.function = f"{function.__module__}.{function.__name__}", function
        self._jit = jit
        self._symbols: dict[tuple[Any, ...], str] = {}
        self._libraries: list[Any] = []

    def symbol(self, arguments: tuple[Any, ...]) -> str:
        """Return the name of the function for arguments of these types, which it has from now on."""
        with global_compiler_lock:
            if arguments not in self._symbols:
                # Graphs from the disk, which other settings may have been valid for, find it by the same name.
                described = f"{self.name}({', '.join(map(repr, arguments))})"
                symbol = f"{self.name}.{hashlib.sha256(described.encode()).hexdigest()[:16]}"
                source = Path(self.function.__code__.co_filename).read_bytes()
                variant = f"{described} {hashlib.sha256(source).hexdigest()}"
                file = kept_file(f"symae_{self.function.__name__}", variant)
                binding.add_symbol(symbol, _loaded(file) or self._compiled(arguments, file))
                self._symbols[arguments] = symbol
            return self._symbols[arguments]

    def _compiled(self, arguments: tuple[Any, ...], file: Path) -> int:
        dispatcher = self._jit(self.function)
        dispatcher.compile(arguments)
        made = dispatcher.overloads[arguments]
        library, name = made.library, made.fndesc.llvm_func_name
        address = int(library.get_pointer_to_function(name))
        # its address is known by name, for as long as the process lives
        self._libraries.append(library)
        if not library.has_dynamic_globals:  # else it holds addresses of this process
            # what has to be called first wherever the code is read: it names what the code refers to
            keep(file, pickle.dumps((name, list(library._reload_init), library._get_compiled_object())))
        return address


def _loaded(file: Path) -> int | None:
    kept = read_kept(file)
    if kept is None:
        return None
    try:
        name, connections, code = pickle.loads(kept)
        for connect in connections:
            connect()
    except (ImportError, AttributeError, KeyError):  # written where what it refers to lay elsewhere
        return None
    return load(code, [name])[name]


def compiled_once(jit: Any) -> Callable[[Callable[..., None]], Any]:
    """Return a decorator that compiles a function by `jit` once for each combination of its arguments' types.

    Numba functions call it like any other. It must return nothing; an error that it raises is the caller's.
    """

    def decorate(function: Callable[..., None]) -> Any:
        once = _Once(jit, function)
        _once[once.name] = once

        def call(typing: Any, *arguments: Any) -> Any:
            general = tuple(map(_general, arguments))

            def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
                # machine code that is read from a cache needs it, too
                context.active_code_library._reload_init.add(_connection(once.name, general))
                conv, symbol = context.call_conv, once.symbol(general)
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
        return intrinsic(call)

    return decorate


def _general(kind: Any) -> Any:
    """Return a type that has fewer others beside it: arrays of any layout, whole numbers of one size."""
    kind = types.unliteral(kind)
    if isinstance(kind, types.Array):
        return types.Array(kind.dtype, kind.ndim, "A", readonly=not kind.mutable, aligned=kind.aligned)
    return types.int64 if isinstance(kind, types.Integer) else kind


def connect(name: str, arguments: tuple[Any, ...]) -> None:
    """Let machine code find a function of that name for arguments of these types."""
    importlib.import_module(name.rpartition(".")[0])
    _once[name].symbol(arguments)


@functools.cache
def _connection(name: str, arguments: tuple[Any, ...]) -> Callable[[], None]:
    return functools.partial(connect, name, arguments)
