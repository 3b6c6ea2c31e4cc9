"""How Numba's machine code of a compiled function is called, and compiled before it is."""

from __future__ import annotations

import contextlib
import inspect
import traceback
from typing import Any

import numba
from numba.core.caching import Cache
from pytensor.link.numba.dispatch.basic import get_numba_type
from pytensor.sparse.type import SparseTensorType
from pytensor.tensor.type import DenseTensorType

from symae.compile.first_run import seconds_to_compile, watched
from symae.compile.known_graphs import written_graph
from symae.compile.second_process import begin


def takes_tuple(dispatcher: Any) -> bool:
    """Return True if the function has one argument, for all inputs: PyTensor wraps those so that the disk keeps."""
    return any(p.kind is p.VAR_POSITIONAL for p in inspect.signature(dispatcher.py_func).parameters.values())


def load_or_compile(dispatcher: Any, arguments: Any) -> None:
    """Let Numba load machine code for `arguments`, types, from the disk, or else compile it.

    What the disk has of a symae or PyTensor whose modules lay elsewhere cannot be read: it is forgotten, also where the patch
    `numba_cache_load`, which does the same, is left out. What cannot be read after that either is an error.
    """
    forgotten: list[Cache] = []
    while True:
        try:
            dispatcher.compile(arguments)
            return
        except (ImportError, AttributeError) as error:
            owners = (frame.f_locals.get("self") for frame, _ in traceback.walk_tb(error.__traceback__))
            unreadable = [owner for owner in owners if isinstance(owner, Cache)]
            if not unreadable or unreadable[-1] in forgotten:
                raise
            unreadable[-1].flush()
            forgotten.append(unreadable[-1])


def compile_ahead(compiled: Any) -> bool:
    """Let Numba compile now what it would compile at the first call; True if its code came from the disk."""
    dispatcher = getattr(compiled.vm, "jit_fn", None)
    if dispatcher is None or not type(dispatcher).__module__.startswith("numba."):
        return False
    dispatcher.targetoptions["no_cfunc_wrapper"] = True  # an entry point for C, as long as that for Python
    arguments, graph = [], written_graph(compiled)
    for variable, container in zip(graph.inputs, compiled.input_storage, strict=True):
        if container.storage[0] is not None:
            with contextlib.suppress(ValueError):
                arguments.append(numba.typeof(container.storage[0]))
        elif isinstance(variable.type, DenseTensorType | SparseTensorType):
            arguments.append(get_numba_type(variable.type, layout="C"))
    if len(arguments) != len(graph.inputs):
        return False  # an input without a Numba type that is known here: the first call will compile
    begin()
    as_tuple = (numba.types.BaseTuple.from_types(arguments),)
    with watched(lambda: seconds_to_compile(compiled.maker.fgraph)):
        load_or_compile(dispatcher, as_tuple if takes_tuple(dispatcher) else tuple(arguments))
    return bool(sum(dispatcher.stats.cache_hits.values()))
