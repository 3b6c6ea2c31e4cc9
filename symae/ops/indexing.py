"""What the checks of indices on all backends have in common: which inputs of a node are indices, and of which axes.

PyTensor's conversions check some indices on Numba, none on JAX and MLX: what lies beside an array is read and written there, or
the nearest entry is taken in silence. The checks are part of the conversions, not of the graph, so that they reach the bodies
of loops and of other graphs within graphs. Each looks at an index as a whole before it is used, for its smallest and largest
entry, so the loops that read and write stay as they are.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from pytensor.graph.basic import Apply
from pytensor.tensor import subtensor as pytensors
from pytensor.tensor.elemwise import DimShuffle

from symae.errors import IndexRangeError, MaskShapeError
from symae.ops.runtime_errors import error_unless


def _ops(*names: str) -> tuple[type, ...]:
    """Return those of PyTensor's indexing ops that its version has: AdvancedSubtensor1 is gone from 3.2 on."""
    return tuple(getattr(pytensors, name) for name in names if hasattr(pytensors, name))


WRITING = _ops("IncSubtensor", "AdvancedIncSubtensor", "AdvancedIncSubtensor1")
LOOKING_UP = _ops("AdvancedSubtensor", "AdvancedSubtensor1", "AdvancedIncSubtensor", "AdvancedIncSubtensor1")
INDEXING = (*_ops("Subtensor", "AdvancedSubtensor", "AdvancedSubtensor1"), *WRITING)


class Index(NamedTuple):
    """Describe an index among the inputs of a node."""

    position: int  # among the inputs
    axis: int  # of the array, the first one if the index is a mask of several
    variable: Any
    shown_axis: int  # what errors call the axis

    @property
    def ndim(self) -> int:
        return getattr(self.variable.type, "ndim", 0)  # none where it is a number and no array

    @property
    def is_mask(self) -> bool:
        return str(self.variable.type.dtype) == "bool" and self.ndim > 0


def indices_of(op: Any, node: Apply) -> Iterator[Index]:
    """Yield the indices of `node`, whose op is one of INDEXING, that are not slices."""
    position, axis = 2 if isinstance(op, WRITING) else 1, 0
    array = node.inputs[0].owner
    # x[:, i] has become x.T[i].T, and of two errors the one about x is to be understood
    order = array.op.new_order if array is not None and isinstance(array.op, DimShuffle) and array.op.is_transpose else None
    for entry in op.idx_list:
        if entry is None:  # a new axis
            continue
        if isinstance(entry, slice):
            position += sum(part is not None for part in (entry.start, entry.stop, entry.step))
            axis += 1
            continue
        index = Index(position, axis, node.inputs[position], axis if order is None else order[axis])
        yield index
        position += 1
        axis += index.ndim if index.is_mask else 1


def bounds(dtype: Any, size: int) -> tuple[int | None, int | None]:
    """Return the smallest and the largest index into an axis of `size`; None where every number of `dtype` respects it.

    Backends compare numbers in the dtype of the index, which may not hold the size of a long axis.
    """
    held = np.iinfo(np.dtype(str(dtype)))
    return -size if held.min < -size else None, size - 1 if held.max >= size else None


def check_mask(mask: Sequence[int], array: Sequence[int], axis: int) -> None:
    """Raise MaskShapeError where a mask of that shape is not as long as the axes of the array, from `axis` on."""
    for k, length in enumerate(mask, axis):
        if length != array[k]:
            raise MaskShapeError(k, array[k], length)


def check_known(indices: Any, size: int, axis: int) -> None:
    """Raise IndexRangeError where indices, an array that is not empty or a number, are beyond an axis of `size`."""
    known = np.asarray(indices)
    for number in (known.min(), known.max()):
        if not -size <= number < size:
            raise IndexRangeError(int(number), axis, size)


def check_traced(xp: Any, indices: Any, dtype: Any, size: int, axis: int) -> tuple[int | None, int | None]:
    """Refuse indices beyond an axis where a backend traces, by its functions `xp`; return the `bounds` that were looked at."""
    least, most = bounds(dtype, size)
    if least is None and most is None:
        return least, most
    low, high = xp.min(indices), xp.max(indices)
    conditions = [*([] if least is None else [low >= least]), *([] if most is None else [high <= most])]
    if not size:  # which no number is in, and a dtype without negative numbers cannot tell that of -1
        conditions = [low != low]

    def error(low: Any, high: Any) -> IndexRangeError:
        return IndexRangeError(int(high if high >= size else low), axis, size)

    error_unless(functools.reduce(operator.and_, conditions), error, low, high)
    return least, most
