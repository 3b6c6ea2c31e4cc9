"""Sizes of filters that move over images: how border modes, strides and dilations make one length from another.

All formulas take ints or symbolic integers, and are compiled for kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from symae._runtime.checks import is_integer, pair
from symae.errors import InputError

BorderMode = str | tuple[tuple[int, int], tuple[int, int]]

NAMED = ("valid", "full", "half", "same")


def normalised_border_mode(border_mode: Any) -> BorderMode:
    """Return a border mode as one of the names, or as ((top, bottom), (left, right))."""
    expected = f"one of {', '.join(NAMED)}, an int, (int, int) or ((int, int), (int, int))"
    if isinstance(border_mode, str):
        if border_mode in NAMED:
            return border_mode
        raise InputError("border_mode", repr(border_mode), expected)
    try:
        entries = (border_mode, border_mode) if is_integer(border_mode) else tuple(border_mode)
        rows, columns = (pair("border_mode", entry, least=0) for entry in entries)
    except (TypeError, ValueError) as error:
        raise InputError("border_mode", repr(border_mode), expected) from error
    return rows, columns


def _maximum(value: Any, least: int) -> Any:
    return pt.maximum(value, least) if isinstance(value, Variable) else max(value, least)


@dataclass(frozen=True)
class Geometry:
    """Describe one axis of a convolution: its padding (a name or two ints), stride and dilation.

    `symae/kernels/conv/geometry.h` has the same in C++.
    """

    border: str | tuple[int, int]
    stride: int
    dilation: int

    @classmethod
    def of(cls, border_mode: BorderMode, axis: int, subsample: tuple[int, int], dilation: tuple[int, int]) -> Geometry:
        border = border_mode if isinstance(border_mode, str) else border_mode[axis]
        return cls(border, subsample[axis], dilation[axis])

    def measure(self, maximum: Callable[[Any, int], Any] = _maximum) -> Callable[[Any, Any], tuple[Any, Any, Any, Any]]:
        """Return a function (size, kernel) -> the dilated kernel's length, zeros before and after, positions of the kernel.

        It is all there is of this arithmetic in Python, and plain enough for Numba, with Python's own `maximum`.
        """
        same, full, half = (self.border == name for name in ("same", "full", "half"))
        first, last = (0, 0) if isinstance(self.border, str) else self.border
        stride, dilation = self.stride, self.dilation

        def measured(size: Any, kernel: Any) -> tuple[Any, Any, Any, Any]:
            reach = (kernel - 1) * dilation + 1
            if same:
                total = maximum((-(-size // stride) - 1) * stride + reach - size, 0)
                return reach, total // 2, total - total // 2, -(-size // stride)
            before, after = first, last
            if full:
                before = after = reach - 1
            elif half:
                before = after = reach // 2
            return reach, before, after, (size + before + after - reach) // stride + 1

        return measured

    def reach(self, kernel: Any) -> Any:
        """Return the length of the dilated kernel."""
        return self.measure()(0, kernel)[0]

    def padding(self, size: Any, kernel: Any) -> tuple[Any, Any]:
        """Return the numbers of zeros before and after an image axis of `size`, which only "same" has to know."""
        _, before, after, _ = self.measure()(0 if size is None else size, kernel)
        return before, after

    def length(self, size: Any, kernel: Any) -> Any:
        """Return the number of positions that the kernel has on an axis of `size`."""
        return self.measure()(size, kernel)[3]

    def transposed_length(self, positions: Any, kernel: Any, extra: int) -> Any:
        """Return the size whose axis has so many positions, the smallest ("same": the largest) one and `extra` more (less)."""
        if extra >= self.stride:
            raise InputError("output_padding", str(extra), f"less than the subsample, {self.stride}")
        if self.border == "same":
            return positions * self.stride - extra
        before, after = self.padding(None, kernel)
        return (positions - 1) * self.stride + self.reach(kernel) - before - after + extra
