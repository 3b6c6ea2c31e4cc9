"""Sizes of windows that move over images: how border modes, strides and dilations make one length from another.

All formulas take ints or symbolic integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from symae._runtime.checks import is_integer, pair
from symae.errors import InputError

__all__ = ["BorderMode", "Geometry", "normalised_border_mode"]

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


@dataclass(frozen=True)
class Geometry:
    """Describe one axis of a convolution: its padding (a name or two ints), stride and dilation."""

    border: str | tuple[int, int]
    stride: int
    dilation: int

    @classmethod
    def of(cls, border_mode: BorderMode, axis: int, subsample: tuple[int, int], dilation: tuple[int, int]) -> Geometry:
        border = border_mode if isinstance(border_mode, str) else border_mode[axis]
        return cls(border, subsample[axis], dilation[axis])

    def reach(self, kernel: Any) -> Any:
        """Return the length of the dilated kernel."""
        return (kernel - 1) * self.dilation + 1

    def padding(self, size: Any, kernel: Any) -> tuple[Any, Any]:
        """Return the number of zeros before and after an image axis of `size`."""
        if not isinstance(self.border, str):
            return self.border
        reach = self.reach(kernel)
        if self.border == "same":
            total = _at_least_zero((-(-size // self.stride) - 1) * self.stride + reach - size)
            return total // 2, total - total // 2
        both = {"valid": 0, "full": reach - 1, "half": reach // 2}[self.border]
        return both, both

    def length(self, size: Any, kernel: Any) -> Any:
        """Return the output's length: how many positions the kernel has on an axis of `size`."""
        if self.border == "same":
            return -(-size // self.stride)
        before, after = self.padding(size, kernel)
        return (size + before + after - self.reach(kernel)) // self.stride + 1

    def transposed_length(self, n_positions: Any, kernel: Any, extra: int) -> Any:
        """Return the smallest size with `n_positions` positions and `extra` more ("same": the largest, and `extra` less)."""
        if extra >= self.stride:
            raise InputError("output_padding", str(extra), f"less than the subsample, {self.stride}")
        if self.border == "same":
            return n_positions * self.stride - extra
        before, after = self.padding(None, kernel)
        return (n_positions - 1) * self.stride + self.reach(kernel) - before - after + extra


def _at_least_zero(value: Any) -> Any:
    return pt.maximum(value, 0) if isinstance(value, Variable) else max(value, 0)
