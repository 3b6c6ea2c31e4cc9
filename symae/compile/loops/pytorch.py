"""Many calls of a function on the PyTorch backend, between which its values stay PyTorch's.

A call from Python makes tensors of all inputs and arrays of all outputs, goes through PyTensor's function and its thunk, and
looks whether something else shares memory with what it may write into: a quarter of the time of a step of worksheet 01. Here
that is done once for many steps, which call the same program, so results are the same to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from pytensor.link.utils import raise_with_op

from symae._runtime.interrupts import interrupts_later
from symae.compile.locked_function import locked
from symae.compile.loops.base import IndexedStep
from symae.compile.pytorch_explained import ExplainingProgram
from symae.compile.pytorch_program import PytorchProgram, array_of
from symae.kernels.parallel.pytorch_threads import introduce_thread


class PyTorchLoop:
    """Loop over calls of a function on the PyTorch backend: a `symae.compile.loops.base.Loop`."""

    def __init__(self, indexed: IndexedStep):
        self.indexed = indexed
        self.call: ExplainingProgram = indexed.function.vm.jit_fn

    def run(self, first: int, count: int) -> list[list[float]]:
        with locked(self.indexed.function):
            if not self.indexed.holds(first + count - 1):
                return self.indexed.run(first, count)
            rows: list[list[float]] = []
            failed = None
            with interrupts_later() as interrupts:  # a step is whole, or not made
                try:
                    self._run(first, count, rows, interrupts)
                except Exception as error:
                    failed = error
            if failed is not None:
                self._raise(failed, first + len(rows))
            return rows

    def _run(self, first: int, count: int, rows: list[list[float]], interrupts: Sequence[int]) -> None:
        introduce_thread()
        steps = _Steps(self.call.program, self.indexed, first)
        try:
            with self.call.quiet:
                for number in range(first, first + count):
                    rows.append(steps.make(number))
                    if interrupts or not math.isfinite(rows[-1][0]):
                        break
        finally:
            self.indexed.put(steps.arrays())

    def _raise(self, error: Exception, index: int) -> None:
        """Raise what a call from Python raises if its program raises `error`."""
        function = self.indexed.function
        function.input_storage[self.indexed.position].storage[0] = np.array(index, self.indexed.dtype)
        try:
            raise self.call.explained(error, self.indexed.values(index)) from None
        except Exception:
            raise_with_op(function.maker.fgraph, self.indexed.node, function.vm)


class _Steps:
    """Make steps, each with what the one before has left, in tensors."""

    def __init__(self, program: PytorchProgram, indexed: IndexedStep, first: int):
        self.program, self.indexed = program, indexed
        self.values = indexed.values(first)
        self.tensors, self.numbers = program.as_tensors(self.values)
        self.tensors_before = self.tensors.copy()
        self.may_write = program.may_write(self.values)

    def make(self, number: int) -> list[float]:
        """Make the step of this number, and return its figures."""
        program, indexed, tensors, numbers = self.program, self.indexed, self.tensors, self.numbers
        position = indexed.position
        if position in numbers:
            numbers[position] = number
        if position in program.given or position not in numbers:
            tensors[position] = torch.tensor(number, dtype=tensors[position].dtype)
        outputs = program.computed(tensors, numbers, self.may_write)
        row = [float(figure) for figure in outputs[: indexed.figures]]
        for out, into in indexed.updates:
            tensors[into] = outputs[out]
            if into in numbers:
                numbers[into] = int(outputs[out])
        self.may_write = program.writes  # into what this step has made
        return row

    def arrays(self) -> list[Any]:
        """Return the inputs' values as arrays."""
        made = {i: array_of(self.tensors[i]) for _, i in self.indexed.updates if self.tensors[i] is not self.tensors_before[i]}
        self.program.has_made(made)
        return [made.get(i, value) for i, value in enumerate(self.values)]
