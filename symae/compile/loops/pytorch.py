"""Many calls of a function on the PyTorch backend, between which its values stay PyTorch's.

A call from Python makes tensors of all inputs and arrays of all outputs, goes through PyTensor's function and its thunk, and
looks whether something else shares memory with what it may write into: a quarter of the time of a step of worksheet 01. Here
that is done once for many steps, which call the same program, so results are the same to the last bit.
"""

from __future__ import annotations

import math
import signal
from typing import Any

from symae._runtime.interrupts import interrupts_told
from symae._runtime.quiet import without_log
from symae.compile.locked_function import locked
from symae.compile.loops.base import IndexedStep
from symae.compile.pytorch_program import PytorchProgram


class PyTorchLoop:
    """Loop over calls of a function on the PyTorch backend: a `symae.compile.loops.base.Loop`."""

    def __init__(self, indexed: IndexedStep, program: PytorchProgram):
        self.indexed, self.program = indexed, program

    def run(self, first: int, count: int) -> list[list[float]]:
        with locked(self.indexed.function):
            if not self.indexed.holds(first + count - 1):
                return self.indexed.run(first, count)
            interrupted: list[Any] = []
            with interrupts_told(lambda *_: interrupted.append(True)):  # a step is whole, or not made
                rows = self._run(first, count, interrupted)
            if interrupted:
                signal.raise_signal(signal.SIGINT)
            if len(rows) < count and (not rows or math.isfinite(rows[-1][0])) and not interrupted:
                # a step cannot be made here: nothing of it has changed anything, and the same call from Python says why
                rows += self.indexed.run(first + len(rows), 1)
            return rows

    def _run(self, first: int, count: int, interrupted: list[Any]) -> list[list[float]]:
        indexed, rows = self.indexed, list[list[float]]()
        values = list(indexed.values(first))
        steps = self.program.repeat(values, indexed.position, first, indexed.updates, indexed.figures)
        arrays = None
        try:
            with without_log("torch._dynamo"):
                for row, arrays in steps:  # noqa: B007 (read below)
                    rows.append(row)
                    if len(rows) == count or interrupted or not math.isfinite(row[0]):
                        break
        except Exception:
            pass
        finally:
            if arrays is not None:
                for i, value in arrays().items():
                    values[i] = value
                indexed.put(values)
        return rows
