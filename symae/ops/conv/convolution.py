"""Convolution, its transpose and the gradient with respect to its filters: three ops that are each other's gradients.

With x (n, c, h, w), filters W (m, c / groups, kh, kw) and y (n, m, i, j), all three come from one bilinear form: the number
sum(y * conv2d(x, W)) is also sum(x * InputGradient(W, y)) and sum(W * FilterGradient(x, y)). So the derivative of any of
the three with respect to any of its arguments is again one of the three, to any order.

Meaning and defaults of ``conv2d`` are those of Theano 1.0.5, ``theano.tensor.nnet.conv2d``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.variable import TensorVariable

from symae._runtime.checks import pair
from symae.errors import InputError
from symae.geometry.convolution import Geometry, normalised_border_mode
from symae.kernels.conv.select import Operation
from symae.ops.arguments import as_array, as_size, as_sizes, extent, known
from symae.ops.conv.settings import Bilinear, Kernel, common_dtype, same_maps
from symae.typing import TensorLike


def conv2d(
    input: TensorLike,
    filters: TensorLike,
    border_mode: Any = "valid",
    subsample: int | Sequence[int] = (1, 1),
    filter_flip: bool = True,
    dilation: int | Sequence[int] = (1, 1),
    groups: int = 1,
) -> TensorVariable:
    """Convolve images with filters.

    .. math:: y_{nmij} = \\sum_{crs} x_{n, c, i s_0 + r d_0 - p_0, j s_1 + s d_1 - p_1} W_{m, c, k_0 - 1 - r, k_1 - 1 - s}

    where x is zero outside the image, s is `subsample`, d is `dilation` and p the padding.

    Parameters
    ----------
    input : (n, c, h, w), float32 or float64
    filters : (m, c / groups, kh, kw), of the same dtype
    border_mode : "valid", "full", "half", "same", int, (int, int) or ((int, int), (int, int))
        How much zero padding: none; kernel - 1 on all sides; kernel // 2; as much as makes the output ceil(h / subsample)
        high, the odd row at the bottom, as TensorFlow and Keras do; or that many rows and columns; or (top, bottom),
        (left, right). "Kernel" is the dilated one, (kh - 1) * dilation + 1.
    subsample : int or (int, int)
        Step between the positions where the filters are applied: the stride.
    filter_flip : bool
        True is convolution; False is correlation, what Keras and PyTorch call convolution.
    dilation : int or (int, int)
        Distance between neighbouring elements of a filter on the image.
    groups : int
        Channels and maps are cut into as many groups, and each group of maps sees its own channels.

    Returns
    -------
    (n, m, i, j)
        i = (h + padding - (kh - 1) * dilation - 1) // subsample + 1, and so for j.

    Raises
    ------
    InputError
        The numbers of channels do not match, a filter is larger than the padded image, or a setting is not as above: when
        the graph is built if shapes are known, else when it runs.
    TypeError
        An argument does not hold floats.
    """
    op = Convolution(
        normalised_border_mode(border_mode), pair("subsample", subsample), filter_flip, pair("dilation", dilation), groups
    )
    return op(input, filters)


def deconv2d(
    input: TensorLike,
    filters: TensorLike,
    border_mode: Any = "valid",
    subsample: int | Sequence[int] = (1, 1),
    filter_flip: bool = True,
    dilation: int | Sequence[int] = (1, 1),
    groups: int = 1,
    *,
    output_shape: TensorLike | None = None,
    output_padding: int | Sequence[int] = (0, 0),
) -> TensorVariable:
    """Convolve transposed: compute the gradient of `conv2d` with respect to its input, from its output's shape to its input's.

    Parameters
    ----------
    input : (n, m, i, j)
        What has the shape of the convolution's output.
    filters : (m, c / groups, kh, kw)
        The convolution's filters: it would go from c channels to m maps, and this goes back.
    border_mode, subsample, filter_flip, dilation, groups
        The convolution's.
    output_shape : (h, w) or (n, c, h, w), optional
        Sizes of the result, ints or symbolic, also a vector such as ``x.shape``; of four only h and w count. With a stride,
        images of several sizes have maps of one size, and this says which is meant.
    output_padding : int or (int, int)
        Rows and columns more than the smallest possible size ("same": less than the largest, i * subsample), where
        `output_shape` is not given.

    Returns
    -------
    (n, c, h, w)

    Raises
    ------
    InputError
        The convolution of an image of `output_shape` would not have the shape of `input`; or as in `conv2d`.
    """
    border_mode = normalised_border_mode(border_mode)
    subsample, dilation = pair("subsample", subsample), pair("dilation", dilation)
    input, filters = as_array("input", input), as_array("filters", filters)
    op = InputGradient(border_mode, subsample, filter_flip, dilation, groups)
    op.check_types(filters, input)
    if output_shape is not None:
        height, width = as_sizes("output_shape", output_shape, (2, 4))[-2:]
    else:
        extra = pair("output_padding", output_padding, least=0)
        height, width = (
            Geometry.of(border_mode, axis, subsample, dilation).transposed_length(
                extent(input, 2 + axis), extent(filters, 2 + axis), extra[axis]
            )
            for axis in (0, 1)
        )
    return op(filters, input, height, width)


class Convolution(Bilinear):
    """Convolve, (x, W) -> y."""

    names = ("input", "filters")
    operation = Operation.FORWARD

    def make_node(self, x: Any, filters: Any) -> Apply:
        x, filters = (as_array(f"{self}, {name}", v) for name, v in zip(self.names, (x, filters), strict=True))
        self.check_types(x, filters)
        self.check_shapes(x.type.shape, filters.type.shape)
        lengths = [self._length(axis, x.type.shape, filters.type.shape) for axis in (0, 1)]
        shape = (x.type.shape[0], filters.type.shape[0], *lengths)
        return Apply(self, *common_dtype(x, filters, shape=shape))

    def result_shape(self, x: Sequence[int], filters: Sequence[int]) -> tuple[int, int, int, int]:
        """Return the checked shape of the result."""
        self.check_shapes(x, filters)
        rows, columns = (self.geometry(axis).length(x[2 + axis], filters[2 + axis]) for axis in (0, 1))
        return x[0], filters[0], rows, columns

    def images_and_filters(self, node: Apply) -> tuple[Variable, Variable]:
        return node.inputs[0], node.inputs[1]

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        x, filters = shapes
        return [(x[0], filters[0], *(self.geometry(a).length(x[2 + a], filters[2 + a]) for a in (0, 1)))]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        x, filters = inputs
        (g,) = cotangents
        return [
            self.sibling(InputGradient)(filters, g, x.shape[2], x.shape[3]),
            self.sibling(FilterGradient)(x, g, filters.shape[2], filters.shape[3]),
        ]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        x, filters = inputs
        self.check_shapes(x.shape, filters.shape)
        seen = self.windows(x, filters.shape)
        parts = [
            np.einsum("ncijrs,mcrs->nmij", s, f, optimize=True) for s, f in self.grouped((seen, 1), (self.flipped(filters), 0))
        ]
        output_storage[0][0] = np.concatenate(parts, axis=1)

    def numba(self, node: Apply) -> Kernel:
        jit, forward, sizes = self.numba_kernel(node)
        flip, groups, dtype = self.filter_flip, self.groups, np.dtype(node.outputs[0].type.dtype)

        @jit
        def convolution(x: Any, filters: Any) -> Any:
            top, left, height, width, rows, columns = sizes(x.shape, filters.shape)
            y = np.empty((x.shape[0], filters.shape[0], rows, columns), dtype)
            W = np.ascontiguousarray(filters[:, :, ::-1, ::-1]) if flip else np.ascontiguousarray(filters)
            forward(np.ascontiguousarray(x), W, top, left, height, width, groups, y)
            return y

        return convolution

    def jax(self, node: Apply) -> Kernel:
        def convolution(x: Any, filters: Any) -> Any:
            self.check_shapes(x.shape, filters.shape)
            return self.correlate(x, filters)

        return convolution

    def pytorch(self, node: Apply) -> Kernel:
        import torch

        @torch.compiler.disable  # with symbolic sizes its compiler fails on convolutions of padded images
        def convolution(x: Any, filters: Any) -> Any:
            self.check_shapes(x.shape, filters.shape)
            x, padding = self.torch_padded(x, filters.shape)
            return torch.nn.functional.conv2d(x, self.torch_filters(filters), padding=padding, **self.torch_settings())

        return convolution

    def mlx(self, node: Apply) -> Kernel:
        import mlx.core as mx

        def convolution(x: Any, filters: Any) -> Any:
            shape = self.result_shape(x.shape, filters.shape)
            # MLX divides by zero, which ends the process, where there is nothing to add up
            return self.correlate_mlx(x, filters) if x.size and filters.size else mx.zeros(shape, x.dtype)

        return convolution


class _Gradient(Bilinear):
    """Transpose (first, y, h, w) -> what the correlation of it with `first` turns into y: backends derive that themselves."""

    result: int  # which of images and filters it is

    def images_and_filters_of(self, first: Sequence[Any], y: Sequence[Any], height: Any, width: Any) -> tuple[Any, Any]:
        """Return the shapes of images and filters, one that of the result, from the arguments' shapes."""
        raise NotImplementedError

    def make_node(self, first: Any, y: Any, height: Any, width: Any) -> Apply:
        first, y = (as_array(f"{self}, {name}", v) for name, v in zip(self.names, (first, y), strict=True))
        self.check_types(first, y)
        height, width = (as_size(f"{self}, size", size, checked=False) for size in (height, width))  # check_shapes says more
        shapes = self.images_and_filters_of(first.type.shape, y.type.shape, known(height), known(width))
        self.check_shapes(*shapes, y.type.shape)
        arguments, outputs = common_dtype(first, y, shape=shapes[self.result])
        return Apply(self, [*arguments, height, width], outputs)

    def images_and_filters(self, node: Apply) -> tuple[Variable, Variable]:
        both = node.outputs[0], node.inputs[0]
        return both if self.result == 0 else both[::-1]

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [self.images_and_filters_of(*shapes[:2], *node.inputs[-2:])[self.result]]

    def result_shape(self, first: Sequence[int], y: Sequence[int], height: Any, width: Any) -> tuple[int, int, int, int]:
        """Return the checked shape of the result."""
        shapes = self.images_and_filters_of(first, y, int(height), int(width))
        self.check_shapes(*shapes, y)
        shape: tuple[int, int, int, int] = shapes[self.result]
        return shape

    def with_first(self, correlate: Kernel, first: Any) -> Kernel:
        """Return `correlate`, which takes images and filters, as a function of the one that is not given."""
        raise NotImplementedError

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True], [True], [False], [False]]

    def jax(self, node: Apply) -> Kernel:
        import jax

        def gradient(first: Any, y: Any, h: Any, w: Any) -> Any:
            shape = self.result_shape(first.shape, y.shape, *self.concrete_sizes(node, h, w))
            transpose = jax.linear_transpose(self.with_first(self.correlate, first), jax.ShapeDtypeStruct(shape, y.dtype))
            return transpose(y)[0]

        return gradient

    def mlx(self, node: Apply) -> Kernel:
        import mlx.core as mx

        def gradient(first: Any, y: Any, h: Any, w: Any) -> Any:
            zeros = mx.zeros(self.result_shape(first.shape, y.shape, *self.concrete_sizes(node, h, w)), y.dtype)
            if not (zeros.size and first.size and y.size):
                return zeros
            return mx.vjp(self.with_first(self.correlate_mlx, first), [zeros], [y])[1][0]

        return gradient


class InputGradient(_Gradient):
    """Convolve transposed, (W, y, h, w) -> x: images of h by w."""

    names = ("filters", "input")
    operation = Operation.INPUT_GRADIENT
    result = 0

    def images_and_filters_of(self, first: Sequence[Any], y: Sequence[Any], height: Any, width: Any) -> tuple[Any, Any]:
        return (y[0], None if first[1] is None else first[1] * self.groups, height, width), first

    def with_first(self, correlate: Kernel, first: Any) -> Kernel:
        return lambda x: correlate(x, first)

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        filters, y = inputs[:2]
        (g,) = cotangents
        return [
            self.sibling(FilterGradient)(g, y, filters.shape[2], filters.shape[3]),
            self.sibling(Convolution)(g, filters),
            DisconnectedType()(),
            DisconnectedType()(),
        ]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        filters, y, height, width = inputs
        x = self.result_shape(filters.shape, y.shape, height, width)
        (top, bottom), (left, right) = self.paddings(x, filters.shape)
        padded = np.zeros((*x[:2], x[2] + top + bottom, x[3] + left + right), y.dtype)
        (d0, d1), (s0, s1), (i, j) = self.dilation, self.subsample, y.shape[2:]
        parts = [
            np.einsum("nmij,mcrs->nrscij", v, f, optimize=True) for v, f in self.grouped((y, 1), (self.flipped(filters), 0))
        ]
        spread = np.concatenate(parts, axis=3)
        for r in range(filters.shape[2]):
            for s in range(filters.shape[3]):
                rows, columns = slice(r * d0, r * d0 + (i - 1) * s0 + 1, s0), slice(s * d1, s * d1 + (j - 1) * s1 + 1, s1)
                padded[:, :, rows, columns] += spread[:, r, s]
        output_storage[0][0] = np.ascontiguousarray(padded[:, :, top : top + x[2], left : left + x[3]])

    def numba(self, node: Apply) -> Kernel:
        jit, spread, sizes = self.numba_kernel(node)
        flip, groups, dtype = self.filter_flip, self.groups, np.dtype(node.outputs[0].type.dtype)
        check = same_maps(str(self))

        @jit
        def input_gradient(filters: Any, y: Any, h: Any, w: Any) -> Any:
            shape = (y.shape[0], filters.shape[1] * groups, h.item(), w.item())
            top, left, height, width, rows, columns = sizes(shape, filters.shape)
            check(y.shape, shape, filters.shape, rows, columns)
            x = np.empty(shape, dtype)
            W = np.ascontiguousarray(filters[:, :, ::-1, ::-1]) if flip else np.ascontiguousarray(filters)
            spread(W, np.ascontiguousarray(y), top, left, height, width, groups, x)
            return x

        return input_gradient

    def pytorch(self, node: Apply) -> Kernel:
        import torch

        @torch.compiler.disable  # with symbolic sizes its compiler fails on convolutions of padded images
        def input_gradient(filters: Any, y: Any, h: Any, w: Any) -> Any:
            x = self.result_shape(filters.shape, y.shape, h, w)
            padding, (left, right, top, bottom) = self.torch_padding(x, filters.shape)
            size = x[2] + top + bottom, x[3] + left + right
            around = self._padding_of_maps(filters.shape, padding)
            missing = self._rows_of_no_window(size, filters.shape, y.shape, padding)
            if around is not None:  # a convolution itself, which PyTorch has faster kernels for, of few maps above all
                turned = (filters if self.filter_flip else filters.flip(2, 3)).transpose(0, 1)
                whole = torch.nn.functional.conv2d(y, turned, padding=around, dilation=self.dilation)
            elif missing is not None:
                W, settings = self.torch_filters(filters), self.torch_settings()
                whole = torch.nn.functional.conv_transpose2d(y, W, padding=padding, output_padding=missing, **settings)
            else:
                W, settings = self.torch_filters(filters), self.torch_settings()
                whole = torch.nn.grad.conv2d_input((*x[:2], *size), W, y, padding=padding, **settings)
            return whole[:, :, top : top + x[2], left : left + x[3]]

        return input_gradient

    def _padding_of_maps(self, filters: Sequence[int], padding: tuple[int, int]) -> tuple[int, int] | None:
        """Return the zeros around the maps whose convolution with the turned filters gives the images; None if none does."""
        if self.subsample != (1, 1) or self.groups > 1:
            return None
        rows, columns = (self.geometry(axis).reach(filters[2 + axis]) - 1 - padding[axis] for axis in (0, 1))
        return None if min(rows, columns) < 0 else (rows, columns)

    def _rows_of_no_window(
        self, size: Sequence[int], filters: Sequence[int], y: Sequence[int], padding: tuple[int, int]
    ) -> tuple[int, int] | None:
        """Return how many last rows and columns of images no window sees; None if PyTorch's transpose refuses so many."""
        missing = []
        for axis in (0, 1):
            seen = (y[2 + axis] - 1) * self.subsample[axis] + self.geometry(axis).reach(filters[2 + axis])
            missing.append(size[axis] + 2 * padding[axis] - seen)
            if not 0 <= missing[-1] < max(self.subsample[axis], self.dilation[axis]):
                return None
        return missing[0], missing[1]


class FilterGradient(_Gradient):
    """Compute (x, y, kh, kw) -> W: what the filters of kh by kw get from images and the gradients of their maps."""

    names = ("input", "gradient")
    operation = Operation.FILTER_GRADIENT
    result = 1

    def images_and_filters_of(self, first: Sequence[Any], y: Sequence[Any], height: Any, width: Any) -> tuple[Any, Any]:
        return first, (y[1], self._group_channels(first[1]), height, width)

    def _group_channels(self, channels: Any) -> Any:
        if channels is None:
            return None
        if isinstance(channels, int) and channels % self.groups:
            raise InputError(f"{self}", f"{channels} channels", f"a number that {self.groups} groups divide")
        return channels // self.groups

    def with_first(self, correlate: Kernel, first: Any) -> Kernel:
        return lambda filters: correlate(first, filters)

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        x, y = inputs[:2]
        (g,) = cotangents
        return [
            self.sibling(InputGradient)(g, y, x.shape[2], x.shape[3]),
            self.sibling(Convolution)(x, g),
            DisconnectedType()(),
            DisconnectedType()(),
        ]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        x, y, height, width = inputs
        filters = self.result_shape(x.shape, y.shape, height, width)
        parts = [
            np.einsum("ncijrs,nmij->mcrs", s, v, optimize=True) for s, v in self.grouped((self.windows(x, filters), 1), (y, 1))
        ]
        output_storage[0][0] = np.ascontiguousarray(self.flipped(np.concatenate(parts, axis=0)))

    def numba(self, node: Apply) -> Kernel:
        jit, collect, sizes = self.numba_kernel(node)
        flip, groups, dtype = self.filter_flip, self.groups, np.dtype(node.outputs[0].type.dtype)
        check = same_maps(str(self))

        @jit
        def filter_gradient(x: Any, y: Any, kh: Any, kw: Any) -> Any:
            shape = (y.shape[1], x.shape[1] // groups, kh.item(), kw.item())
            top, left, height, width, rows, columns = sizes(x.shape, shape)
            check(y.shape, x.shape, shape, rows, columns)
            W = np.empty(shape, dtype)
            collect(np.ascontiguousarray(x), np.ascontiguousarray(y), top, left, height, width, groups, W)
            return np.ascontiguousarray(W[:, :, ::-1, ::-1]) if flip else W

        return filter_gradient

    def pytorch(self, node: Apply) -> Kernel:
        import torch

        @torch.compiler.disable  # with symbolic sizes its compiler fails on convolutions of padded images
        def filter_gradient(x: Any, y: Any, kh: Any, kw: Any) -> Any:
            filters = self.result_shape(x.shape, y.shape, kh, kw)
            x, padding = self.torch_padded(x, filters)
            gradient = torch.nn.grad.conv2d_weight(x, filters, y, padding=padding, **self.torch_settings())
            return self.torch_filters(gradient)

        return filter_gradient
