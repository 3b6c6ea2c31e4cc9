"""Reading and writing by indices, as ONNX has them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply, Variable
from pytensor.tensor import subtensor

from symae.export.arrays import entry
from symae.export.conversion import Conversion, converts
from symae.ops.indexing import INDEXING, WRITING
from symae.ops.minibatch_slice import MinibatchSlice

END = np.iinfo("int64").max


class _Index:
    """Hold an entry of an index: a slice of values, or the value of an array or of a number."""

    def __init__(self, to: Conversion, entry_: Any, variables: list[Variable], values: list[str]):
        self.is_slice = isinstance(entry_, slice)
        if self.is_slice:
            parts = (entry_.start, entry_.stop, entry_.step)
            self.start, self.stop, self.step = (
                None if part is None else (to.known(variables[part]), values[part], variables[part]) for part in parts
            )
        else:
            self.variable, self.value = variables[entry_], values[entry_]

    @property
    def whole(self) -> bool:
        return self.is_slice and self.start is self.stop is self.step is None


def _indices(to: Conversion, node: Apply, first: int, values: list[str]) -> list[_Index]:
    entries = getattr(node.op, "idx_list", None)
    if entries is None:  # AdvancedSubtensor1 and its kin
        entries = (0,)
    variables = list(node.inputs[first:])
    return [_Index(to, e, variables, values) for e in entries]


def _taken(to: Conversion, node: Apply, x: str, ndim: int, indices: list[_Index]) -> str:
    """Return ``x[indices]``."""
    x = _sliced(to, x, indices)
    arrays = [(axis, index) for axis, index in enumerate(indices) if not index.is_slice]
    if any(str(index.variable.type.dtype) == "bool" for _, index in arrays):
        return _masked(to, node, x, arrays)
    basic = isinstance(node.op, subtensor.Subtensor | subtensor.IncSubtensor)
    if basic or len(arrays) <= 1:
        for axis, index in reversed(arrays):
            x = to.graph.add("Gather", x, index.value, axis=axis)
        return x
    if [axis for axis, _ in arrays] != list(range(len(arrays))):
        raise to.refusal(node, "indices by several arrays that are not the first ones", "arrays before slices")
    longest = max(index.variable.type.ndim for _, index in arrays)
    parts = []
    shape = to.graph.add("Shape", _sum([to.cast(index.value, "int64") for _, index in arrays], to))
    for _, index in arrays:
        spread = to.graph.add("Expand", to.cast(index.value, "int64"), shape)
        parts.append(to.graph.add("Unsqueeze", spread, to.graph.ints(longest)))
    return str(to.graph.add("GatherND", x, to.graph.add("Concat", *parts, axis=longest)))


def _sum(values: list[str], to: Conversion) -> str:
    total = values[0]
    for value in values[1:]:
        total = to.graph.add("Add", total, value)
    return total


def _masked(to: Conversion, node: Apply, x: str, arrays: list[tuple[int, _Index]]) -> str:
    if len(arrays) > 1 or arrays[0][0]:
        raise to.refusal(node, "a mask among other indices", "one mask of the first axes")
    index = arrays[0][1]
    places = to.graph.add("Transpose", to.graph.add("NonZero", index.value), perm=[1, 0])
    return str(to.graph.add("GatherND", x, places))


def _sliced(to: Conversion, x: str, indices: list[_Index]) -> str:
    """Return `x` with its slices taken, in one node."""
    starts, stops, axes, steps = [], [], [], []
    for axis, index in enumerate(indices):
        if not index.is_slice or index.whole:
            continue
        step = 1
        if index.step is not None:
            known, _, variable = index.step
            step = int(known) if known is not None else to.number(variable, "a slice", "a step")
        starts.append(_bound(to, index.start, 0 if step > 0 else END))
        stops.append(_bound(to, index.stop, END if step > 0 else -END))
        axes.append(axis)
        steps.append(step)
    if not axes:
        return x
    bounds = [_vector(to, part) for part in (starts, stops)]
    return str(to.graph.add("Slice", x, *bounds, to.graph.ints(*axes), to.graph.ints(*steps)))


def _bound(to: Conversion, part: Any, default: int) -> int | str:
    if part is None:
        return default
    known, value, _ = part
    return int(known) if known is not None else value


def _vector(to: Conversion, parts: list[int | str]) -> str:
    if all(isinstance(part, int) for part in parts):
        return to.graph.ints(*(int(part) for part in parts))
    entries = [to.graph.ints(part) if isinstance(part, int) else entry(to, part) for part in parts]
    return entries[0] if len(entries) == 1 else str(to.graph.add("Concat", *entries, axis=0))


@converts(*(kind for kind in INDEXING if kind not in WRITING))
def _subtensor(to: Conversion, node: Apply, x: str, *indices: str) -> str:
    return _taken(to, node, x, node.inputs[0].type.ndim, _indices(to, node, 1, list(indices)))


@converts(*WRITING)
def _inc_subtensor(to: Conversion, node: Apply, x: str, y: str, *indices: str) -> str:
    """Write into flattened `x` at the places that the same index takes from an array of places."""
    g, dtype, shape = to.graph, to.dtype(node.outputs[0]), node.inputs[0].type.shape
    if None in shape:
        of_x = g.add("Shape", x)
        count = g.add("ReduceProd", of_x, g.ints(0), keepdims=0)
        numbers = g.add("Range", g.constant(np.int64(0)), count, g.constant(np.int64(1)))
        places = g.add("Reshape", numbers, of_x)
    else:
        of_x = g.ints(*shape)
        places = g.constant(np.arange(math.prod(shape), dtype="int64").reshape(shape))
    places = _taken(to, node, places, len(shape), _indices(to, node, 2, list(indices)))
    spread = g.add("Expand", to.cast(y, dtype), g.add("Shape", places))
    flat = [g.add("Reshape", v, g.ints(-1)) for v in (to.cast(x, dtype), places, spread)]
    reduction = None if node.op.set_instead_of_inc else "add"
    written = g.add("ScatterElements", *flat, axis=0, reduction=reduction)
    return str(g.add("Reshape", written, of_x))


@converts(MinibatchSlice)
def _minibatch(to: Conversion, node: Apply, data: str, start: str) -> str:
    first = entry(to, start)
    stop = to.graph.add("Add", first, to.graph.ints(node.op.length))
    return str(to.graph.add("Slice", data, first, stop, to.graph.ints(0), to.graph.ints(1)))
