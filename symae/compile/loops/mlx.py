"""Many calls of a function on the MLX backend, each of them begun while MLX computes the one before.

MLX computes in a thread of its own. A call from Python waits for it, brings the values of shared variables home, and only then
does the host draw random numbers and write down the next program. Here values stay with MLX for as long as the loop runs, and a
step begins, with all that the host has to do for it, before the one ahead of it has ended. The same program is called as from
Python, so results are the same to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import mlx.core as mx
import numpy as np

from symae.compile.device_arrays import DeviceFunction
from symae.compile.locked_function import locked
from symae.compile.loops.base import IndexedStep


class _Begun(NamedTuple):
    """Hold a step that MLX computes."""

    results: Sequence[Any]
    values: Sequence[Any]  # of the function's inputs after it


class MLXLoop:
    """Loop over calls of a function on the MLX backend: a `symae.compile.loops.base.Loop`."""

    def __init__(self, indexed: IndexedStep):
        self.indexed = indexed
        self.device_function: DeviceFunction = indexed.function.vm.jit_fn
        self.call = self.device_function.call
        self._converted: set[tuple[Any, ...]] = set()  # types of values that MLX gives back as others

    def run(self, first: int, count: int) -> list[list[float]]:
        with locked(self.indexed.function):
            if self.indexed.holds(first + count - 1):
                return self._run(first, count)
            return self.indexed.run(first, count)

    def _run(self, first: int, count: int) -> list[list[float]]:
        now: Sequence[Any] = [
            None if i == self.indexed.position else slot[0] for i, slot in enumerate(self.device_function.slots)
        ]
        rows: list[list[float]] = []
        done = now
        try:
            begun = self._begin(now, first)
            while begun is not None:
                more = len(rows) + 1 < count
                ahead = self._begin(begun.values, first + len(rows) + 1) if more else None
                row = self._figures(begun.results)
                if row is None:
                    break
                rows.append(row)
                done, begun = begun.values, ahead
                if not math.isfinite(row[0]):
                    return rows
        finally:
            if rows:  # after an error and after Ctrl-C too
                self._put(done)
        if len(rows) < count:
            # a step cannot be made here: nothing of it has changed anything, and the same call from Python makes it or says why
            rows += self.indexed.run(first + len(rows), 1)
        return rows

    def _begin(self, values: Sequence[Any], index: int) -> _Begun | None:
        """Let MLX begin with a step; None if that raises an error, or has to be done from Python."""
        updates = self.indexed.updates
        if not all(isinstance(values[into], mx.array) for _, into in updates):
            return None
        kinds = tuple(values[into].dtype for _, into in updates)
        if kinds in self._converted:
            return None
        given = list(values)
        given[self.indexed.position] = np.array(index, self.indexed.dtype)
        try:
            results = self.call.start(given)
        except Exception:
            return None
        after = list(values)
        for out, into in updates:
            after[into] = results[out]
        if tuple(getattr(after[into], "dtype", None) for _, into in updates) != kinds:
            self._converted.add(kinds)  # a call from Python converts them
            return None
        return _Begun(results, after)

    def _figures(self, results: Sequence[Any]) -> list[float] | None:
        """Wait for a step, and return its figures; None if it raises an error."""
        try:
            mx.eval(results)  # NumPy, asked for an array that MLX could not compute, gets zeros
            if not self.call.program.accepted(results):
                return None
            figures = enumerate(results[: self.indexed.figures])
            return [float(self.device_function.to_host(i, figure, set())) for i, figure in figures]
        except Exception:
            return None

    def _put(self, values: Sequence[Any]) -> None:
        """Let `values` be those that shared variables have."""
        taken: set[int] = set()
        put = list(values)
        for out, into in self.indexed.updates:
            put[into] = self.device_function.to_host(out, values[into], taken)
        self.indexed.put(put)  # all or, if copying is interrupted, none
