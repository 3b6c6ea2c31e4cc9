"""Slices that are inputs of functions, ``theano.tensor.slicetype()``, opened to index arrays with."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.tensor.type_other import SliceType

__all__ = ["opened"]


def opened(index: Any) -> Any:
    """Return ``slice(start, stop, step)`` of symbolic integers for a variable that is a slice; others come back as they are."""
    if isinstance(index, Variable) and isinstance(index.type, SliceType):
        return slice(*_PARTS(index))
    return index


class _Parts(Op):
    """Compute start, stop and step of a slice: what it leaves out becomes an integer beyond any array."""

    __props__ = ()

    def make_node(self, index: Any) -> Apply:
        return Apply(self, [index], [pt.lscalar() for _ in range(3)])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        (index,) = inputs
        step = 1 if index.step is None else index.step
        first, last = (0, sys.maxsize) if step > 0 else (sys.maxsize, -sys.maxsize)
        start = first if index.start is None else index.start
        stop = last if index.stop is None else index.stop
        for cell, value in zip(output_storage, (start, stop, step), strict=True):
            cell[0] = np.asarray(value, np.int64)

    def infer_shape(self, *args: Any) -> list[Any]:
        return [(), (), ()]

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Variable]:
        return [disconnected_type()]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[False, False, False]]


_PARTS = _Parts()
