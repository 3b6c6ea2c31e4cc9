"""What loops are made of: a loop, one that calls from Python, and a step that machine code can make many times."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from pytensor.compile.executor import Function

from symae.compile.known_graphs import written_graph
from symae.compile.locked_function import locked
from symae.compile.loops.figures import Rows

_log = logging.getLogger("symae.compile.loops")
_said: set[str] = set()


@runtime_checkable
class Loop(Protocol):
    """Make steps."""

    def run(self, first: int, count: int) -> Rows:
        """Make at most `count` steps from number `first` on, and at least one; the figures of each.

        Ends early after a step whose cost is not finite. If a step raises an error, the steps before it are done.
        """


class PythonLoop:
    """Loop over any callable: each run calls it once."""

    def __init__(self, step: Callable[[int], Any]):
        self.step = step

    def run(self, first: int, count: int) -> list[list[float]]:
        outputs = self.step(first)
        return [[float(figure) for figure in outputs] if isinstance(outputs, list | tuple) else [float(outputs)]]


class IndexedStep:
    """Call a compiled function of a whole number that returns scalars; called from Python it makes a loop too.

    Attributes
    ----------
    function : pytensor.compile.executor.Function
    position : int
        Which input of the graph the number is.
    figures : int
        How many outputs the function returns.
    updates : tuple of (int, int)
        (output of the graph, input that gets it as its next value)
    """

    def __init__(self, function: Function):
        fgraph = written_graph(function)
        self.function = function
        (self.position,) = given_inputs(function)
        self.updates: tuple[tuple[int, int], ...] = tuple(sorted((fgraph.update_mapping or {}).items()))
        self.figures = len(fgraph.outputs) - len(self.updates)
        self.dtype = np.dtype(fgraph.inputs[self.position].type.dtype)
        self._largest = int(np.iinfo(self.dtype).max)

    @property
    def node(self) -> Any:
        """The node that PyTensor names in errors of the whole function."""
        return next((v.owner for v in self.function.maker.fgraph.outputs if v.owner is not None), None)

    def holds(self, index: int) -> bool:
        """Return True if `index` fits the dtype of the index input."""
        return index <= self._largest

    def values(self, index: int) -> tuple[Any, ...]:
        """Return what a call with `index` is about to compute with."""
        number = np.array(index, self.dtype)
        return tuple(number if i == self.position else c.storage[0] for i, c in enumerate(self.function.input_storage))

    def shapes(self) -> tuple[Any, ...]:
        """Return the shapes of what a call is about to compute with, None where something has none."""
        containers = enumerate(self.function.input_storage)
        return tuple(getattr(c.storage[0], "shape", None) for i, c in containers if i != self.position)

    def put(self, values: Sequence[Any]) -> None:
        """Let those of `values`, one for each input, that calls update be their values."""
        for _, into in self.updates:
            self.function.input_storage[into].storage[0] = values[into]

    def run(self, first: int, count: int) -> list[list[float]]:
        """Make one step, by a call from Python."""
        function = self.function
        if not self.holds(first):
            return PythonLoop(function).run(first, count)  # raises PyTensor's error
        with locked(function):
            trusted, function.trust_input = function.trust_input, True  # half of what a call costs beside its work
            try:
                outputs = function(np.array(first, self.dtype))
            finally:
                function.trust_input = trusted
        return [[float(figure) for figure in outputs] if isinstance(outputs, list) else [float(outputs)]]


def given_inputs(function: Function) -> list[int]:
    """Return which inputs of the graph are not shared variables."""
    return [i for i, entry in enumerate(function.maker.expanded_inputs) if not entry.implicit]


def say_no_loop(backend: str, error: Exception) -> None:
    """Say in the log, once a process, that steps on `backend` are called from Python because of `error`."""
    if backend not in _said:
        _said.add(backend)
        why = f"{type(error).__name__}: {error}"
        _log.warning("no compiled loop on %s, so steps are called from Python, which is slower (%s)", backend, why)
