"""Many steps of a training in one call, so that Python has nothing to do between them.

A step is a function of the number of a minibatch that returns figures, the first of them the cost. Where `symae.function` has
compiled it for one whole number, on Numba or JAX, and it returns nothing but scalars, `loop_over` runs any number of steps in
one piece of compiled code. On Numba the results are exactly those of calls from Python, random numbers and order of updates
included, because the same machine code is called (`symae.numba_loop`). On JAX XLA compiles the loop as one program, and results
agree to rounding (`symae.jax_loop`). Everything else is called from Python, step by step. `chunks` cuts a number of steps into
pieces of about a fifth of a second, between which Python shows progress and hears of Ctrl-C.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from pytensor.compile.executor import Function
from pytensor.link.jax.linker import JAXLinker
from pytensor.link.numba.linker import NumbaLinker
from pytensor.tensor.type import DenseTensorType

from symae.errors import InputError
from symae.locked_function import locked

__all__ = ["LOOPS", "Calls", "Indexed", "Loop", "Pace", "check_loop", "chunks", "diverged", "loop_over"]

LOOPS = ("compiled", "python")
SECONDS = 0.2


@runtime_checkable
class Loop(Protocol):
    """What makes steps."""

    def run(self, first: int, count: int) -> list[list[float]]:
        """Make at most `count` steps from number `first` on, and at least one; the figures of each.

        Ends early after a step whose cost is not finite. If a step raises an error, the steps before it are done.
        """


class Calls:
    """A loop over any callable: each run calls it once."""

    def __init__(self, step: Callable[[int], Any]):
        self.step = step

    def run(self, first: int, count: int) -> list[list[float]]:
        outputs = self.step(first)
        return [[float(figure) for figure in outputs] if isinstance(outputs, list | tuple) else [float(outputs)]]


class Indexed:
    """A compiled function of a whole number that returns scalars; called from Python it makes a loop too.

    Attributes
    ----------
    function : pytensor.compile.executor.Function
    place : int
        Which input of the graph the number is.
    figures : int
        How many outputs the function returns.
    updates : tuple of (int, int)
        (output of the graph, input that gets it as its next value)
    """

    def __init__(self, function: Function):
        fgraph = function.maker.fgraph
        self.function = function
        (self.place,) = _given(function)
        self.updates: tuple[tuple[int, int], ...] = tuple(sorted((fgraph.update_mapping or {}).items()))
        self.figures = len(fgraph.outputs) - len(self.updates)
        self.dtype = np.dtype(fgraph.inputs[self.place].type.dtype)
        self._largest = int(np.iinfo(self.dtype).max)

    @property
    def node(self) -> Any:
        """The node that PyTensor names in errors of the whole function."""
        return next((v.owner for v in self.function.maker.fgraph.outputs if v.owner is not None), None)

    def holds(self, index: int) -> bool:
        """Whether the input's dtype does."""
        return index <= self._largest

    def values(self, index: int) -> tuple[Any, ...]:
        """What a call with `index` is about to compute with."""
        number = np.array(index, self.dtype)
        return tuple(number if i == self.place else c.storage[0] for i, c in enumerate(self.function.input_storage))

    def put(self, values: Sequence[Any]) -> None:
        """Let those of `values`, one for each input, that calls update be their values."""
        for _, into in self.updates:
            self.function.input_storage[into].storage[0] = values[into]

    def run(self, first: int, count: int) -> list[list[float]]:
        """One step, by a call from Python."""
        function = self.function
        if not self.holds(first):
            return Calls(function).run(first, count)  # raises PyTensor's error
        with locked(function):
            trusted, function.trust_input = function.trust_input, True  # half of what a call costs beside its work
            try:
                outputs = function(np.array(first, self.dtype))
            finally:
                function.trust_input = trusted
        return [[float(figure) for figure in outputs] if isinstance(outputs, list) else [float(outputs)]]


def loop_over(step: Callable[[int], Any], loop: str = "compiled") -> Loop:
    """The fastest loop over `step` that there is, or one that calls it from Python if `loop` is ``"python"``."""
    check_loop(loop)
    if loop == "compiled" and isinstance(step, Loop):
        return step
    if not isinstance(step, Function) or not _is_indexed(step):
        return Calls(step)
    indexed = Indexed(step)
    linker = step.maker.linker
    if loop == "compiled" and isinstance(linker, NumbaLinker):
        from symae.numba_loop import NumbaLoop

        return NumbaLoop(indexed)
    if loop == "compiled" and isinstance(linker, JAXLinker):
        from symae.jax_loop import JAXLoop

        if JAXLoop.takes(indexed):
            return JAXLoop(indexed)
    return indexed


def check_loop(loop: str) -> None:
    """Refuse what is no kind of loop."""
    if loop not in LOOPS:
        raise InputError("loop", repr(loop), f"one of {', '.join(LOOPS)}")


class Pace:
    """How many steps fit into about a fifth of a second, learned from those that were made; one at first."""

    def __init__(self) -> None:
        self.steps = 1

    def learn(self, steps: int, seconds: float) -> None:
        """So many took so long."""
        fitting = self.steps * 8 if seconds <= 0 else int(min(steps * SECONDS / seconds, self.steps * 8))
        self.steps = max(1, fitting)


def chunks(loop: Loop, steps: int, pace: Pace | None = None, first: int = 0) -> Iterator[list[list[float]]]:
    """Run so many steps from number `first` on; yields the figures of each chunk. A cost that is not finite ends its chunk."""
    pace = Pace() if pace is None else pace
    end = first + steps
    while first < end:
        started = time.perf_counter()
        rows = loop.run(first, min(pace.steps, end - first))
        pace.learn(len(rows), time.perf_counter() - started)
        first += len(rows)
        yield rows


def diverged(rows: Sequence[Sequence[float]]) -> bool:
    """Whether the last step's cost is not finite."""
    return not math.isfinite(rows[-1][0])


def _given(function: Function) -> list[int]:
    """Which inputs of the graph are not shared variables."""
    return [i for i, entry in enumerate(function.maker.expanded_inputs) if not entry.implicit]


def _is_indexed(function: Function) -> bool:
    fgraph, given = function.maker.fgraph, _given(function)
    if len(given) != 1 or function.profile or function.return_none:
        return False
    entry = function.maker.expanded_inputs[given[0]]
    if entry.value is not None or entry.update is not None or not _is_scalar(entry.variable, "iu"):
        return False
    n_returned = len(fgraph.outputs) - len(fgraph.update_mapping or {})
    returned = fgraph.outputs[:n_returned]
    return bool(returned) and all(_is_scalar(v, "biuf") and v.type.dtype != "float16" for v in returned)


def _is_scalar(variable: Any, kinds: str) -> bool:
    type_ = variable.type
    return isinstance(type_, DenseTensorType) and type_.ndim == 0 and np.dtype(type_.dtype).kind in kinds
