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
from symae.ops.arguments import FLOATS
from symae.ops.conv.c_call import ConvolutionInC
from symae.ops.traced import concrete

__all__ = ["Bilinear", "Kernel", "common_dtype", "same_maps"]

Kernel = Callable[..., Any]


class Bilinear(ConvolutionInC):
    """What the three share: settings, checks, and the padded frame."""

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
        """Another of the three, with the same settings."""
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
            raise InputError(
                f"{self}", f"images of shape {tuple(x)}", f"{channels * self.groups} channels for filters {tuple(filters)}"
            )
        if m is not None and m % self.groups:
            raise InputError(
                f"{self}", f"filters of shape {tuple(filters)}", f"a number of maps that {self.groups} groups divide"
            )
        lengths = [self._length(axis, x, filters) for axis in (0, 1)]
        if y is not None:
            expected = (x[0], m, *lengths)
            if any(a is not None and b is not None and a != b for a, b in zip(y, expected, strict=True)):
                raise InputError(
                    f"{self}", f"maps of shape {tuple(y)}", f"{expected}, from images {tuple(x)} and filters {tuple(filters)}"
                )

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
        """Those of `node`, wherever they stand."""
        raise NotImplementedError

    def threads(self, node: Apply) -> Any:
        """When the Numba kernel of `node` uses threads."""
        from symae.kernels.parallel.parts import threads_for_multiplications

        x, filters = (v.type.shape for v in self.images_and_filters(node))
        return threads_for_multiplications([x[0], *filters, *(self._length(axis, x, filters) for axis in (0, 1))])

    def tile(self, node: Apply) -> Any:
        """The tile of sums for the Numba kernel of `node`, or None where another way is faster or sizes are not known yet."""
        from symae.kernels.simd.register_tile import convolution_tile

        _, (maps, own, *kernel) = (v.type.shape for v in self.images_and_filters(node))
        itemsize = np.dtype(node.outputs[0].type.dtype).itemsize
        return convolution_tile(self.kernel, maps, own, kernel, self.groups, self.subsample, self.dilation, itemsize)

    def numba_key(self, node: Apply) -> Any:
        module, kernel, arguments = self._numba_kernel(node)
        return node.outputs[0].type.dtype, module.__name__, kernel, arguments

    def spoken_of(self) -> str:
        """The name in errors."""
        return str(self)

    def paddings(self, x: Sequence[int], filters: Sequence[int]) -> tuple[tuple[int, int], tuple[int, int]]:
        rows, columns = (self.geometry(axis).padding(x[2 + axis], filters[2 + axis]) for axis in (0, 1))
        return rows, columns

    def flipped(self, filters: Any) -> Any:
        """The filters as correlation takes them."""
        return filters[:, :, ::-1, ::-1] if self.filter_flip else filters

    def frame(self, x: Sequence[int], filters: Sequence[int]) -> tuple[int, int, int, int]:
        """Where an image lies in its padded frame, and the frame's size: (top, left, height, width)."""
        (top, bottom), (left, right) = self.paddings(x, filters)
        return top, left, x[2] + top + bottom, x[3] + left + right

    def numba_kernel(self, node: Apply) -> tuple[Any, Any, Any]:
        """The kernel for these settings; paddings and check of shapes, compiled."""
        from pytensor.link.numba.dispatch.basic import numba_njit

        from symae.kernels.conv import direct as convolution

        module, kernel, arguments = self._numba_kernel(node)
        jit = numba_njit(error_model="numpy", fastmath=False)
        frame = convolution.frame(self.border_mode, self.subsample, self.dilation, self.groups, self.spoken_of())
        return jit, getattr(module, kernel)(*arguments), frame

    def _numba_kernel(self, node: Apply) -> tuple[Any, str, list[Any]]:
        """Which kernel is the fastest for `node`: its module, its name, and what it is made for."""
        from symae.kernels.conv import direct as convolution
        from symae.kernels.conv import gradients as convolution_gradients
        from symae.kernels.conv import polyphase as phases
        from symae.kernels.conv import tiled as tiled_convolution
        from symae.kernels.simd.register_strip import strip_for
        from symae.kernels.simd.register_tile import MAPS_FOR_TILES

        tile = self.tile(node)
        arguments: list[Any] = [(*self.subsample, *self.dilation), self.threads(node)]
        in_phases = self.kernel == "input_gradient" and max(self.subsample) > 1 and max(self.dilation) == 1
        if tile:
            return phases if in_phases else tiled_convolution, self.kernel, [*arguments, tile]
        if self.kernel == "filter_gradient":
            return convolution_gradients, self.kernel, arguments
        maps, channels = self.images_and_filters(node)[1].type.shape[:2]
        results = channels if self.kernel == "input_gradient" else maps and maps // self.groups
        arguments.append(strip_for(results, np.dtype(node.outputs[0].type.dtype).itemsize))
        if in_phases and channels is not None and channels < MAPS_FOR_TILES:
            return phases, "direct_input_gradient", arguments
        return convolution if self.kernel == "forward" else convolution_gradients, self.kernel, arguments

    def concrete_sizes(self, node: Apply, *values: Any) -> list[int]:
        """The sizes among the inputs of `node`, where a backend traces: constants, or what it knows while it does."""
        return [concrete(self, size, value) for size, value in zip(node.inputs[2:], values, strict=True)]

    def correlate(self, x: Any, filters: Any) -> Any:
        """What JAX computes; the other two are transposes of it, which JAX derives."""
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
        """The same in MLX, whose layout has the channels last."""
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

    def torch_padded(self, x: Any, filters: Sequence[int]) -> Any:
        import torch

        rows, columns = self.paddings(x.shape, filters)
        return torch.nn.functional.pad(x, (*columns, *rows))

    def windows(self, x: np.ndarray, filters: Sequence[int]) -> np.ndarray:
        """(n, c, i, j, kh, kw): what each element of the filters sees at each place."""
        padded = np.pad(x, ((0, 0), (0, 0), *self.paddings(x.shape, filters)))
        (d0, d1), (s0, s1) = self.dilation, self.subsample
        kernel = tuple((k - 1) * d + 1 for k, d in zip(filters[2:], self.dilation, strict=True))
        return sliding_window_view(padded, kernel, (2, 3))[:, :, ::s0, ::s1, ::d0, ::d1]

    def grouped(self, *arrays: tuple[np.ndarray, int]) -> Any:
        """Cut each array along its axis into the groups, and go through them together."""
        return zip(*(np.split(a, self.groups, axis) for a, axis in arrays), strict=True)


def common_dtype(a: Variable, b: Variable, shape: Sequence[int | None]) -> tuple[list[Variable], list[Variable]]:
    """Both arguments in the wider of their dtypes, and an output of that."""
    dtype = str(np.result_type(a.type.dtype, b.type.dtype))
    return [pt.cast(a, dtype), pt.cast(b, dtype)], [pt.TensorType(dtype, shape=tuple(shape))()]


def same_maps(op: str) -> Kernel:
    """A compiled check that maps have the shape that images and filters give, in the words of `Bilinear.check_shapes`."""
    from pytensor.link.numba.dispatch.basic import numba_njit

    expected = "({}, {}, {}, {}), from images ({}, {}, {}, {}) and filters ({}, {}, {}, {})"

    @numba_njit(fastmath=False)
    def check(y: Any, x: Any, filters: Any, rows: Any, columns: Any) -> None:
        a, b, i, j = y
        n, c, h, w = x
        m, own, kh, kw = filters
        if a != n or b != m or i != rows or j != columns:
            found = "maps of shape ({}, {}, {}, {})"
            raise ShapeError(op, found, expected, a, b, i, j, n, m, rows, columns, n, c, h, w, m, own, kh, kw)

    return check
