"""What the three ops of convolution share: settings, checks of shapes, and how backends are called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.lib.stride_tricks import sliding_window_view
from pytensor.graph.basic import Apply, Variable

from symae._runtime.checks import flag
from symae.errors import InputError, ShapeError
from symae.geometry.convolution import BorderMode, Geometry
from symae.kernels import tuning
from symae.kernels.conv.select import Choice, Problem, Processor, choose
from symae.ops.arguments import FLOATS
from symae.ops.conv.c_call import ConvolutionInC
from symae.ops.traced import concrete

Kernel = Callable[..., Any]


class Bilinear(ConvolutionInC):
    """Hold what the three share: settings, checks, and the padding."""

    __props__: tuple[str, ...] = ("border_mode", "subsample", "filter_flip", "dilation", "groups")

    names: tuple[str, str]

    def __init__(
        self,
        border_mode: BorderMode,
        subsample: tuple[int, int],
        filter_flip: bool = True,
        dilation: tuple[int, int] = (1, 1),
        groups: int = 1,
    ):
        if not isinstance(groups, int | np.integer) or isinstance(groups, bool) or groups < 1:
            raise InputError("groups", repr(groups), "an integer of at least 1")
        self.border_mode = border_mode
        self.subsample = subsample
        self.filter_flip = flag("filter_flip", filter_flip)
        self.dilation = dilation
        self.groups = int(groups)

    def sibling(self, kind: type[Bilinear]) -> Bilinear:
        """Return another of the three, with the same settings."""
        return kind(self.border_mode, self.subsample, self.filter_flip, self.dilation, self.groups)

    def check_types(self, *arguments: Variable) -> None:
        for name, v in zip(self.names, arguments, strict=True):
            if v.type.ndim != 4:
                raise InputError(f"{self}, {name}", f"{v.type.ndim} dimensions", "4")
            if v.type.dtype not in FLOATS:
                expected = f"{' or '.join(FLOATS)}; cast images with pt.cast"
                raise TypeError(f"{self}, {name}: found dtype {v.type.dtype}, expected {expected}")

    def geometry(self, axis: int) -> Geometry:
        return Geometry.of(self.border_mode, axis, self.subsample, self.dilation)

    def check_shapes(self, x: Sequence[Any], filters: Sequence[Any], y: Sequence[Any] | None = None) -> None:
        """Compare whatever sizes are known (None is unknown) and say which do not fit."""
        m, channels = filters[:2]
        if x[1] is not None and channels is not None and x[1] != channels * self.groups:
            found = f"images of shape {tuple(x)}"
            raise InputError(f"{self}", found, f"{channels * self.groups} channels for filters {tuple(filters)}")
        if m is not None and m % self.groups:
            found = f"filters of shape {tuple(filters)}"
            raise InputError(f"{self}", found, f"a number of maps that {self.groups} groups divide")
        lengths = [self._length(axis, x, filters) for axis in (0, 1)]
        if y is not None:
            expected = (x[0], m, *lengths)
            if any(a is not None and b is not None and a != b for a, b in zip(y, expected, strict=True)):
                found = f"maps of shape {tuple(y)}"
                raise InputError(f"{self}", found, f"{expected}, from images {tuple(x)} and filters {tuple(filters)}")

    def _length(self, axis: int, x: Sequence[Any], filters: Sequence[Any]) -> int | None:
        n, k = x[2 + axis], filters[2 + axis]
        if n is None or k is None:
            return None
        found = f"filters of shape {tuple(filters)} on images of shape {tuple(x)}"
        if n < 0 or k < 1:
            raise InputError(f"{self}", found, "filters of at least one row and column, and images of no negative size")
        length = self.geometry(axis).length(n, k)
        if length < 1:
            raise InputError(f"{self}", found, "filters no larger than the padded image")
        return length

    def images_and_filters(self, node: Apply) -> tuple[Variable, Variable]:
        """Return the images and the filters of `node`, inputs or output."""
        raise NotImplementedError

    def problem(self, node: Apply) -> Problem:
        """Return what `node` asks of a kernel."""
        x, filters = (tuple(v.type.shape) for v in self.images_and_filters(node))
        maps = tuple(self._length(axis, x, filters) for axis in (0, 1))
        itemsize = np.dtype(node.outputs[0].type.dtype).itemsize
        return Problem(self.operation, x, filters, maps, itemsize, self.subsample, self.dilation, self.groups)

    def choice(self, node: Apply) -> Choice:
        """Return the Numba kernel for `node`, which is chosen once."""
        return choose(self.problem(node), Processor.here(), tuning.CONVOLUTION)

    def numba_key(self, node: Apply) -> Any:
        return node.outputs[0].type.dtype, self.choice(node).key

    def name_in_errors(self) -> str:
        """Return what errors call this op."""
        return str(self)

    def paddings(self, x: Sequence[int], filters: Sequence[int]) -> tuple[tuple[int, int], tuple[int, int]]:
        rows, columns = (self.geometry(axis).padding(x[2 + axis], filters[2 + axis]) for axis in (0, 1))
        return rows, columns

    def flipped(self, filters: Any) -> Any:
        """Return the filters as correlation takes them."""
        return filters[:, :, ::-1, ::-1] if self.filter_flip else filters

    def padded(self, x: Sequence[int], filters: Sequence[int]) -> tuple[int, int, int, int]:
        """Return where an image lies in its padded one, and that one's size: (top, left, height, width)."""
        (top, bottom), (left, right) = self.paddings(x, filters)
        return top, left, x[2] + top + bottom, x[3] + left + right

    def numba_kernel(self, node: Apply) -> tuple[Any, Any, Any]:
        """Return what compiles, the kernel for these settings, and the check of shapes with paddings, compiled."""
        from pytensor.link.numba.dispatch.basic import numba_njit

        from symae.kernels.compiled_once import ask
        from symae.kernels.conv.direct import checked_sizes

        sizes = checked_sizes(self.border_mode, self.subsample, self.dilation, self.groups, self.name_in_errors())
        kernel = self.choice(node).kernel()
        ask(kernel, *self.kernel_arguments(node))
        return numba_njit(error_model="numpy", fastmath=False), kernel, sizes

    def kernel_arguments(self, node: Apply) -> list[Any]:
        """Return what the kernel takes, as `ask` wants it: two arrays, five numbers, and the array that it makes."""
        array = node.outputs[0].type.dtype, 4
        return [array, array, *["int64"] * 5, array]

    def concrete_sizes(self, node: Apply, *values: Any) -> list[int]:
        """Return the sizes among the inputs of `node`, where a backend traces: constants, or what it knows while it does."""
        return [concrete(self, size, value) for size, value in zip(node.inputs[2:], values, strict=True)]

    def correlate(self, x: Any, filters: Any) -> Any:
        """Correlate in JAX; the other two are transposes of it, which JAX derives."""
        from jax import lax

        return lax.conv_general_dilated(
            x,
            self.flipped(filters),
            self.subsample,
            self.paddings(x.shape, filters.shape),
            rhs_dilation=self.dilation,
            dimension_numbers=("NCHW", "OIHW", "NCHW"),
            feature_group_count=self.groups,
        )

    def correlate_mlx(self, x: Any, filters: Any) -> Any:
        """Correlate in MLX, whose layout has the channels last."""
        import mlx.core as mx

        (top, bottom), (left, right) = self.paddings(x.shape, filters.shape)
        y = mx.conv_general(
            mx.transpose(x, (0, 2, 3, 1)),
            mx.transpose(filters, (0, 2, 3, 1)),
            stride=self.subsample,
            padding=([top, left], [bottom, right]),
            kernel_dilation=self.dilation,
            groups=self.groups,
            flip=self.filter_flip,
        )
        return mx.transpose(y, (0, 3, 1, 2))

    def torch_settings(self) -> dict[str, Any]:
        return {"stride": self.subsample, "dilation": self.dilation, "groups": self.groups}

    def torch_filters(self, filters: Any) -> Any:
        return filters.flip(2, 3) if self.filter_flip else filters

    def torch_padding(self, x: Sequence[int], filters: Sequence[int]) -> tuple[tuple[int, int], tuple[int, int, int, int]]:
        """Return the zeros that PyTorch puts on both sides of rows and of columns, and those that one side has more of.

        The latter are in the order of `torch.nn.functional.pad`: left, right, top, bottom. Of images that have all zeros around
        them already, PyTorch's convolution with stride takes twice as long.
        """
        (top, bottom), (left, right) = self.paddings(x, filters)
        rows, columns = min(top, bottom), min(left, right)
        return (rows, columns), (left - columns, right - columns, top - rows, bottom - rows)

    def torch_padded(self, x: Any, filters: Sequence[int]) -> tuple[Any, tuple[int, int]]:
        """Return images and how many zeros are still to be put around them."""
        import torch

        padding, more = self.torch_padding(x.shape, filters)
        return (torch.nn.functional.pad(x, more) if any(more) else x), padding

    def windows(self, x: np.ndarray, filters: Sequence[int]) -> np.ndarray:
        """Return what each element of the filters sees at each position, (n, c, i, j, kh, kw)."""
        padded = np.pad(x, ((0, 0), (0, 0), *self.paddings(x.shape, filters)))
        (d0, d1), (s0, s1) = self.dilation, self.subsample
        kernel = tuple(self.geometry(axis).reach(filters[2 + axis]) for axis in (0, 1))
        return sliding_window_view(padded, kernel, (2, 3))[:, :, ::s0, ::s1, ::d0, ::d1]

    def grouped(self, *arrays: tuple[np.ndarray, int]) -> Any:
        """Cut each array along its axis into the groups, and go through them together."""
        return zip(*(np.split(a, self.groups, axis) for a, axis in arrays), strict=True)


def common_dtype(a: Variable, b: Variable, shape: Sequence[int | None]) -> tuple[list[Variable], list[Variable]]:
    """Return both arguments in the wider of their dtypes, and an output of that."""
    dtype = str(np.result_type(a.type.dtype, b.type.dtype))
    return [pt.cast(a, dtype), pt.cast(b, dtype)], [pt.TensorType(dtype, shape=tuple(shape))()]


def same_maps(op: str) -> Kernel:
    """Return a compiled check that maps have the shape of images and filters, in the words of `Bilinear.check_shapes`."""
    from pytensor.link.numba.dispatch.basic import numba_njit

    expected = "({}, {}, {}, {}), from images ({}, {}, {}, {}) and filters ({}, {}, {}, {})"

    @numba_njit(fastmath=False)
    def check(y: Any, x: Any, filters: Any, rows: Any, columns: Any) -> None:
        a, b, i, j = y
        n, c, h, w = x
        m, channels_per_group, kh, kw = filters
        if a != n or b != m or i != rows or j != columns:
            found = "maps of shape ({}, {}, {}, {})"
            raise ShapeError(op, found, expected, a, b, i, j, n, m, rows, columns, n, c, h, w, m, channels_per_group, kh, kw)

    return check
