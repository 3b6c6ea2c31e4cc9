"""What whoever waits is told while a function's machine code is made for the first time: about how long, and how far it is.

Nothing, unless a command or a worksheet asks for it by `telling`: a library is silent. Nothing either where the machine code
comes from the disk, or is made in less than `LEAST` seconds.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any

from pytensor.graph.fg import FunctionGraph
from pytensor.graph.op import HasInnerGraph
from pytensor.tensor.type import TensorType

from symae._runtime.notebook import in_notebook
from symae._runtime.progress import progress_bar
from symae.ops.base import BackendOp

LEAST = 2.0  # seconds below which nothing is said
EACH = 0.2  # seconds between two looks of the bar

# What is called with the seconds that it will take, about, and entered meanwhile.
Tell = Callable[[float], AbstractContextManager[None]]
_tell: ContextVar[Tell | None] = ContextVar("tell", default=None)


@contextmanager
def telling(tell: Tell) -> Iterator[None]:
    """Call `tell` where machine code begins to be made inside the block, with about how many seconds it takes."""
    before = _tell.set(tell)
    try:
        yield
    finally:
        _tell.reset(before)


@contextmanager
def watched(estimate: Callable[[], float]) -> Iterator[None]:
    """Compile inside the block; `estimate` is asked for the seconds where Numba does not find all on the disk."""
    tell = _tell.get()
    if tell is None:
        yield
        return
    from numba.core import event

    wanted: Tell = tell
    with ExitStack() as told:

        class Listener(event.Listener):
            begun, thread = False, threading.get_ident()

            def on_start(self, _: Any) -> None:
                if not self.begun and threading.get_ident() == self.thread:
                    self.begun = True
                    seconds = estimate()
                    if seconds >= LEAST:
                        told.enter_context(wanted(seconds))

            def on_end(self, _: Any) -> None:
                pass

        with event.install_listener("numba:compile", Listener()):
            yield


# Seconds on two cores, where `_slower` was 1, fitted to worksheets 01 to 03: of a process's first graph, of a kind of node,
# beside it of one with kernels of symae's, and of a node.
_PROCESS, _KIND, _KERNELS, _NODE = 1.5, 0.2, 0.7, 0.01
_PIECE, _STEPS = 0.0071, 50_000

_compiled: set[int] = set()  # hashes: ops have graphs, and these arrays


def seconds_to_compile(fgraph: Any) -> float:
    """Estimate how long Numba takes for a graph here and now, of which only what this process has compiled is on the disk."""
    nodes = list(_nodes(fgraph))
    kinds = {hash((n.op, *(_in_numba(v.type) for v in (*n.inputs, *n.outputs)))): isinstance(n.op, BackendOp) for n in nodes}
    new = kinds.keys() - _compiled
    kernels = sum(kinds[kind] for kind in new)
    seconds = _KIND * len(new) + _KERNELS * kernels + _NODE * len(nodes) + (0.0 if _compiled else _PROCESS)
    _compiled.update(kinds)
    return seconds * _slower()


def _in_numba(kind: Any) -> Any:
    """Return what Numba knows of a type: not how large an axis is."""
    return (kind.dtype, kind.ndim) if isinstance(kind, TensorType) else kind


def _slower() -> float:
    """Return how much longer Python takes than where the seconds were measured: of the machine, and of what else runs there."""
    started = time.perf_counter()
    sum(map(len, map(str, range(_STEPS))))
    return (time.perf_counter() - started) / _PIECE


def _nodes(fgraph: Any) -> Iterator[Any]:
    """Yield the nodes of a graph and of the graphs in it."""
    for node in fgraph.apply_nodes:
        yield node
        if isinstance(node.op, HasInnerGraph) and isinstance(node.op.fgraph, FunctionGraph):
            yield from _nodes(node.op.fgraph)


def shows_bar() -> bool:
    """Return True where `bar` shows something."""
    return sys.stderr.isatty() and not in_notebook()


@contextmanager
def bar(seconds: float) -> Iterator[None]:
    """Show on a terminal how much of `seconds` is over, as long as the block takes; the line is empty again then."""
    if not shows_bar():
        yield
        return
    over, started = threading.Event(), time.perf_counter()
    what = "first run: compiling"
    with progress_bar(total=seconds, desc=what, bar_format="{desc}|{bar}|") as shown:

        def look() -> None:
            while True:
                elapsed = time.perf_counter() - started
                shown.n = min(elapsed, seconds)
                shown.set_description(f"{what}, {elapsed:.0f} of about {seconds:.0f} s")
                if over.wait(EACH):
                    return

        thread = threading.Thread(target=look, name="symae, progress of compiling", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


_said: set[str] = set()


@contextmanager
def on_terminal(seconds: float) -> Iterator[None]:
    """Show a `bar`; where there is no terminal say it in one line, once a process."""
    if not shows_bar() and not _said:
        _said.add("first run")
        print(f"first run: compiling, about {seconds:.0f} s", file=sys.stderr, flush=True)
    with bar(seconds):
        yield
