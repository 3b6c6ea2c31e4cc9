"""One kernel for all backends that trace functions of arrays, such as JAX.

They share NumPy's arithmetic, indexing and slicing, so an op says what it does once, in `TracedOp.traced`; the few functions
whose names or arguments differ are in an array namespace, `Arrays`, which is in the backend's file (`symae.compile.backends`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

from pytensor.graph.basic import Apply, Variable

from symae.geometry.windows import Axis
from symae.ops.arguments import known
from symae.ops.base import BackendOp


class Arrays(Protocol):
    """Provide the functions that an op may use beside arithmetic, comparison, indexing by slices, and reshape."""

    def constant(self, value: list[Any], like: Any = None) -> Any:
        """Return `value`, numbers in (nested) lists, as an array of the backend: of the dtype of `like`, or of integers."""

    def zeros(self, shape: Sequence[int], like: Any) -> Any:
        """Return zeros of the dtype of `like`."""

    def concatenate(self, arrays: Sequence[Any], axis: int) -> Any: ...

    def stack(self, arrays: Sequence[Any], axis: int) -> Any: ...

    def transpose(self, x: Any, axes: Sequence[int]) -> Any: ...

    def where(self, condition: Any, x: Any, y: Any) -> Any: ...

    def take(self, x: Any, index: list[int], axis: int) -> Any:
        """Return x[..., index, ...] for a vector of indices into `axis`."""

    def add_at(self, x: Any, index: list[int], axis: int, size: int) -> Any:
        """Transpose `take`: return zeros of `size` along `axis`, to which x is added at the indices."""

    def take_along(self, x: Any, index: Any) -> Any:
        """Return x[i, j, index[i, j, k]] of three-dimensional arrays."""

    def add_along(self, x: Any, index: Any, size: int) -> Any:
        """Transpose `take_along`: return zeros (i, j, size), to which x[i, j, k] is added at index[i, j, k]."""

    def first(self, x: Any, chosen: Any) -> Any:
        """Return the first entry of x, which is not empty, at which `chosen` is true; the first of all if there is none."""

    def check(self, condition: Any, error: Callable[..., Exception], *values: Any) -> Any:
        """Raise ``error(*values)`` if `condition` is false. PyTensor's own mode for MLX cannot, and the answer is False."""


class NumPyLikeArrays:
    """Provide the functions of `Arrays`, but for `constant` and `check`, of a module `np` with ``x.at[index].add``."""

    np: Any
    taking: ClassVar[dict[str, str]] = {}  # more arguments of `take`

    def constant(self, value: list[Any], like: Any = None) -> Any:
        raise NotImplementedError

    def zeros(self, shape: Sequence[int], like: Any) -> Any:
        return self.np.zeros(shape, dtype=like.dtype)

    def concatenate(self, arrays: Sequence[Any], axis: int) -> Any:
        return self.np.concatenate(list(arrays), axis)

    def stack(self, arrays: Sequence[Any], axis: int) -> Any:
        return self.np.stack(list(arrays), axis)

    def transpose(self, x: Any, axes: Sequence[int]) -> Any:
        return self.np.transpose(x, axes)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        return self.np.where(condition, x, y)

    def take(self, x: Any, index: list[int], axis: int) -> Any:
        return self.np.take(x, self.constant(index), axis, **self.taking)

    def add_at(self, x: Any, index: list[int], axis: int, size: int) -> Any:
        zeros = self.zeros((*x.shape[:axis], size, *x.shape[axis + 1 :]), x)
        # MLX refuses to add nothing, here and below.
        return zeros.at[(slice(None),) * axis + (self.constant(index),)].add(x) if x.size else zeros

    def take_along(self, x: Any, index: Any) -> Any:
        return self.np.take_along_axis(x, index, 2, **self.taking)

    def add_along(self, x: Any, index: Any, size: int) -> Any:
        i, j, _ = index.shape
        first, second = self.np.arange(i)[:, None, None], self.np.arange(j)[None, :, None]
        zeros = self.zeros((i, j, size), x)
        return zeros.at[first, second, index].add(x) if x.size else zeros

    def first(self, x: Any, chosen: Any) -> Any:
        return x.reshape(-1)[self.np.argmax(chosen.reshape(-1).astype(self.np.uint8))]


class TracedOp(BackendOp):
    """Connect an op to one kernel for all backends with an array namespace; a method named after a backend comes first.

    Backends that can call a kernel as it is do so where `compiled` is false.
    """

    compiled = True
    # as `traced`, of PyTorch where it computes op by op: with functions that do much at once
    eagerly: Callable[..., Any] | None = None

    def traced(self, xp: Arrays, node: Apply, *inputs: Any) -> Any:
        """Compute the outputs of `node` from its inputs; their shapes are known here."""
        raise NotImplementedError

    def kernel(self, xp: Arrays, node: Apply) -> Callable[..., Any]:
        """Return `traced` of `node` with the functions `xp`."""
        return lambda *inputs: self.traced(xp, node, *inputs)


def concrete(op: BackendOp, size: Variable, value: Any) -> int:
    """Return an input that is a size as a number: its constant, or the value that the backend hands over."""
    constant = known(size)
    if constant is not None:
        return constant
    try:
        return int(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError) as error:  # JAX and MLX cannot look at what they trace
        raise NotImplementedError(f"{op}: this backend needs sizes that are constants or come from a shape") from error


def padded(xp: Arrays, x: Any, axis: int, before: int, after: int, edge: bool) -> Any:
    """Return `x` with zeros, or repetitions of its first and last entry, at both ends of `axis`."""

    def end(first: int, count: int) -> Any:
        if edge:
            return xp.concatenate([strided(x, axis, first, 1, 1)] * count, axis)
        return xp.zeros((*x.shape[:axis], count, *x.shape[axis + 1 :]), x)

    parts = [x]
    if before > 0:
        parts.insert(0, end(0, before))
    if after > 0:
        parts.append(end(x.shape[axis] - 1, after))
    return xp.concatenate(parts, axis) if len(parts) > 1 else x


def strided(x: Any, dimension: int, first: int, step: int, count: int) -> Any:
    """Return x[..., first :: step, ...], `count` entries of `dimension`."""
    index: list[Any] = [slice(None)] * 4
    index[dimension] = slice(first, first + max((count - 1) * step + 1, 0), step)
    return x[tuple(index)]


def outer(xp: Arrays, factors: tuple[list[int], list[int]], like: Any) -> Any:
    """Return the products of two lists of numbers as an array (1, 1, rows, columns)."""
    rows, columns = (xp.constant(f, like) for f in factors)
    return rows.reshape((1, 1, -1, 1)) * columns.reshape((1, 1, 1, -1))


def spread_along(xp: Arrays, x: Any, axis: Axis, n: int, dimension: int) -> Any:
    """Add each entry of `dimension` to the n pixels that its window covers: the transpose of a sum over windows."""
    count, before, size, stride = axis.count(n), axis.before(n), axis.size, axis.stride
    nothing, shape = xp.zeros(x.shape, x), list(x.shape)
    shape[dimension] = count * stride
    total: Any = None
    # pixels first … first + stride - 1 of all windows, side by side: they do not overlap
    for first in range(0, size, stride):
        parts = [x if first + k < size else nothing for k in range(stride)]
        part = xp.stack(parts, dimension + 1).reshape(shape)
        part = padded(xp, part, dimension, first, (size - 1) // stride * stride - first, edge=False)
        total = part if total is None else total + part
    after = before + n - total.shape[dimension]
    return strided(padded(xp, total, dimension, 0, max(after, 0), edge=False), dimension, before, 1, n)
