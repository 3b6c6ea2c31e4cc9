"""Sparse convolution, its transpose and its filters' gradient: the maps count at switches only.

After max pooling, and before max unpooling, maps are looked at in one position a window. For fixed switches s the three ops
here come from one form that is linear in x, in W and in v, as those of `symae.ops.conv` do:

    sum(v * TakeAtSwitches(conv2d(x, W), s))  =  sum(conv2d(x, W) * PutAtSwitches(v, s))

so the derivative of any of them is again one of the three. A rewrite puts them where it sees such pairs of ops.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Variable

from symae.errors import InputError
from symae.geometry.convolution import BorderMode
from symae.geometry.windows import Axis, Windows
from symae.kernels import header
from symae.kernels.conv.select import Operation, Problem, has_sparse_kernel
from symae.ops.conv.convolution import Convolution, FilterGradient, InputGradient
from symae.ops.conv.settings import Bilinear, Kernel, same_maps
from symae.ops.pooling.switches import PutAtSwitches, TakeAtSwitches


class _Sparse(Bilinear):
    """Convolve where maps are zero, or of no interest, but at switches; `pooling` are the windows that those come from.

    Its meaning, `perform`, is what the two ops give that it stands for, `dense` and that of switches; errors speak of those.
    """

    dense: type[Bilinear]

    __props__ = (*Bilinear.__props__, "pooling")

    def __init__(
        self,
        border_mode: BorderMode,
        subsample: tuple[int, int],
        filter_flip: bool = True,
        dilation: tuple[int, int] = (1, 1),
        groups: int = 1,
        pooling: Windows | None = None,
    ):
        super().__init__(border_mode, subsample, filter_flip, dilation, groups)
        self.pooling = pooling
        self.put, self.take = PutAtSwitches(pooling), TakeAtSwitches(pooling)

    def relative(self, kind: type[_Sparse]) -> _Sparse:
        """Return another of the three, with the same settings."""
        return kind(*self._props())

    def parts(self, node: Apply) -> tuple[Variable, Variable, Variable]:
        """Return the images, the filters and the switches of `node`, inputs or output."""
        raise NotImplementedError

    def images_and_filters(self, node: Apply) -> tuple[Variable, Variable]:
        images, filters, _ = self.parts(node)
        return images, filters

    def problem(self, node: Apply) -> Problem:
        x, filters, switches = self.parts(node)
        self._check_kernel(filters)
        n, m, *counts = switches.type.shape
        images, weights = (n, *x.type.shape[1:]), (m, *filters.type.shape[1:])
        return replace(super().problem(node), images=images, filters=weights, maps=tuple(counts), sparse=True)

    def _check_kernel(self, filters: Variable) -> None:
        if not has_sparse_kernel(filters.type.shape, self.dilation, self.groups):
            raise NotImplementedError(f"{self} has no kernel for filters of shape {filters.type.shape}")

    def name_in_errors(self) -> str:
        return str(self.sibling(self.dense))

    def c_support_code(self, **_: Any) -> str:
        return super().c_support_code() + header("conv/sparse.h")

    def c_function(self, node: Apply) -> tuple[str, Sequence[int]]:
        _, filters, _ = self.parts(node)
        self._check_kernel(filters)
        _, channels, _, kw = filters.type.shape
        return f"symae_sparse_convolution::{self.operation.value}", (*self.subsample, kw * channels)

    def c_settings(self) -> tuple[Any, ...]:
        return (*self._props()[:-1], self.pooling is None)

    @classmethod
    def complaint(cls, settings: str, sizes: Sequence[Any]) -> str:
        """Return what `perform` says of such shapes of the arrays, of a switch, and of sizes."""
        *common, anywhere = ast.literal_eval(settings)
        pooling = None if anywhere else Windows(Axis.whole(1, 1), Axis.whole(1, 1))
        op = cls(*[*common, pooling])
        *shapes, place = sizes[:4]
        arrays = [np.zeros(shape) for shape in shapes[:2]]
        try:
            op.perform(None, [*arrays, np.full(shapes[2], place), *sizes[4:]], [[None]])
        except InputError as error:
            return str(error)
        return f"{op}: found sizes {sizes}, expected ones that fit"


def _computed(op: Any, *inputs: Any) -> Any:
    storage: list[list[Any]] = [[None]]
    op.perform(None, inputs, storage)
    return storage[0][0]


class SparseConvolution(_Sparse):
    """Compute (x, W, switches) -> the maps of a convolution at the switches, (n, m, i, j)."""

    names = ("input", "filters")
    operation = Operation.FORWARD
    dense = Convolution

    def make_node(self, x: Any, filters: Any, switches: Any) -> Apply:
        whole = self.sibling(self.dense).make_node(x, filters)
        taken = self.take.make_node(whole.outputs[0], switches)
        return Apply(self, [*whole.inputs, taken.inputs[1]], [taken.outputs[0].type()])

    def parts(self, node: Apply) -> tuple[Variable, Variable, Variable]:
        x, filters, switches = node.inputs
        return x, filters, switches

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [shapes[2]]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True], [True], [False]]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        x, filters, switches = inputs
        (g,) = cotangents
        rows, columns = self.sibling(Convolution)(x, filters).shape[2:]
        return [
            self.relative(SparseInputGradient)(filters, g, switches, rows, columns, x.shape[2], x.shape[3]),
            self.relative(SparseFilterGradient)(x, g, switches, rows, columns, filters.shape[2], filters.shape[3]),
            DisconnectedType()(),
        ]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        x, filters, switches = inputs
        output_storage[0][0] = _computed(self.take, _computed(self.sibling(self.dense), x, filters), switches)

    def kernel_arguments(self, node: Apply) -> list[Any]:
        dtype = node.outputs[0].type.dtype
        return [(dtype, 4), (dtype, 4), (node.inputs[2].type.dtype, 3), *["int64"] * 6, (dtype, 3)]

    def numba(self, node: Apply) -> Kernel:
        from symae.kernels.conv.sparse import positions_in
        from symae.kernels.switches import as_many_images

        jit, correlate, sizes = self.numba_kernel(node)
        check, positions_of = as_many_images(self.take.where), positions_in(self.take.where)
        flip, dtype = self.filter_flip, np.dtype(node.outputs[0].type.dtype)

        @jit
        def sparse_convolution(x: Any, filters: Any, switches: Any) -> Any:
            top, left, height, width, rows, columns = sizes(x.shape, filters.shape)
            n, m, i, j = switches.shape
            check((x.shape[0], filters.shape[0], rows, columns), switches.shape)
            positions = positions_of(switches, rows, columns)
            y = np.empty((n, m, i * j), dtype)
            W = np.ascontiguousarray(filters[:, :, ::-1, ::-1]) if flip else np.ascontiguousarray(filters)
            correlate(np.ascontiguousarray(x), W, positions, top, left, height, width, rows, columns, y)
            return y.reshape((n, m, i, j))

        return sparse_convolution


class _Spread(_Sparse):
    """Compute of (first, values, switches, rows, columns, height, width): maps of `rows` by `columns`, a result of the rest."""

    def make_node(self, first: Any, values: Any, switches: Any, rows: Any, columns: Any, height: Any, width: Any) -> Apply:
        maps = self.put.make_node(values, switches, rows, columns)
        whole = self.sibling(self.dense).make_node(first, maps.outputs[0], height, width)
        first, dtype = whole.inputs[0], whole.outputs[0].type.dtype
        return Apply(
            self, [first, pt.cast(maps.inputs[0], dtype), *maps.inputs[1:], *whole.inputs[2:]], [whole.outputs[0].type()]
        )

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True], [True], *([False] for _ in node.inputs[2:])]

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return self.sibling(self.dense).output_shapes(node, shapes)  # of the maps it looks at how many there are

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        first, values, switches, rows, columns, height, width = inputs
        maps = _computed(self.put, values, switches, rows, columns)
        output_storage[0][0] = _computed(self.sibling(self.dense), first, maps, height, width)


class SparseInputGradient(_Spread):
    """Convolve transposed, (W, values, switches, rows, columns, h, w) -> x: maps that are zero but at the switches."""

    names = ("filters", "input")
    operation = Operation.INPUT_GRADIENT
    dense = InputGradient

    def parts(self, node: Apply) -> tuple[Variable, Variable, Variable]:
        return node.outputs[0], node.inputs[0], node.inputs[2]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        filters, values, switches, rows, columns = inputs[:5]
        (g,) = cotangents
        return [
            self.relative(SparseFilterGradient)(g, values, switches, rows, columns, filters.shape[2], filters.shape[3]),
            self.relative(SparseConvolution)(g, filters, switches),
            *(DisconnectedType()() for _ in range(5)),
        ]

    def kernel_arguments(self, node: Apply) -> list[Any]:
        dtype = node.outputs[0].type.dtype
        return [(dtype, 4), (dtype, 3), (node.inputs[2].type.dtype, 3), *["int64"] * 7, (dtype, 4)]

    def numba(self, node: Apply) -> Kernel:
        from symae.kernels.conv.sparse import positions_in
        from symae.kernels.switches import as_many_values

        jit, spread, sizes = self.numba_kernel(node)
        check, check_maps = as_many_values(self.put.where), same_maps(self.name_in_errors())
        positions_of = positions_in(self.put.where)
        flip, dtype = self.filter_flip, np.dtype(node.outputs[0].type.dtype)

        @jit
        def sparse_input_gradient(filters: Any, values: Any, switches: Any, rows: Any, columns: Any, h: Any, w: Any) -> Any:
            n, m, i, j = values.shape
            check(values.shape, switches.shape)
            positions = positions_of(switches, rows.item(), columns.item())
            shape = (n, filters.shape[1], h.item(), w.item())
            top, left, height, width, map_rows, map_columns = sizes(shape, filters.shape)
            check_maps((n, m, rows.item(), columns.item()), shape, filters.shape, map_rows, map_columns)
            x = np.empty(shape, dtype)
            W = np.ascontiguousarray(filters[:, :, ::-1, ::-1]) if flip else np.ascontiguousarray(filters)
            given = np.ascontiguousarray(values).reshape((n, m, i * j))
            spread(W, given, positions, max(1, j * 3 // 2), top, left, height, width, map_rows, map_columns, x)
            return x

        return sparse_input_gradient


class SparseFilterGradient(_Spread):
    """Compute (x, values, switches, rows, columns, kh, kw) -> W: the filters' gradient where maps have it at switches only."""

    names = ("input", "gradient")
    operation = Operation.FILTER_GRADIENT
    dense = FilterGradient

    def parts(self, node: Apply) -> tuple[Variable, Variable, Variable]:
        return node.inputs[0], node.outputs[0], node.inputs[2]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        x, values, switches, rows, columns = inputs[:5]
        (g,) = cotangents
        return [
            self.relative(SparseInputGradient)(g, values, switches, rows, columns, x.shape[2], x.shape[3]),
            self.relative(SparseConvolution)(x, g, switches),
            *(DisconnectedType()() for _ in range(5)),
        ]

    def kernel_arguments(self, node: Apply) -> list[Any]:
        dtype = node.outputs[0].type.dtype
        return [(dtype, 4), (dtype, 3), (node.inputs[2].type.dtype, 3), *["int64"] * 6, (dtype, 4)]

    def numba(self, node: Apply) -> Kernel:
        from symae.kernels.conv.sparse import positions_in
        from symae.kernels.switches import as_many_values

        jit, collect, sizes = self.numba_kernel(node)
        check, check_maps = as_many_values(self.put.where), same_maps(self.name_in_errors())
        positions_of = positions_in(self.put.where)
        flip, dtype = self.filter_flip, np.dtype(node.outputs[0].type.dtype)

        @jit
        def sparse_filter_gradient(x: Any, values: Any, switches: Any, rows: Any, columns: Any, kh: Any, kw: Any) -> Any:
            n, m, i, j = values.shape
            check(values.shape, switches.shape)
            positions = positions_of(switches, rows.item(), columns.item())
            shape = (m, x.shape[1], kh.item(), kw.item())
            top, left, height, width, map_rows, map_columns = sizes(x.shape, shape)
            check_maps((n, m, rows.item(), columns.item()), x.shape, shape, map_rows, map_columns)
            W = np.empty(shape, dtype)
            given = np.ascontiguousarray(values).reshape((n, m, i * j))
            collect(np.ascontiguousarray(x), given, positions, top, left, height, width, map_rows, map_columns, W)
            return np.ascontiguousarray(W[:, :, ::-1, ::-1]) if flip else W

        return sparse_filter_gradient
