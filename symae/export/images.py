"""symae's ops on images, as ONNX has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply, Variable

from symae.errors import InputError
from symae.export.arrays import sizes
from symae.export.conversion import Conversion, converts
from symae.geometry.windows import Axis
from symae.ops.bias_relu import Rectified
from symae.ops.conv.convolution import Convolution, InputGradient
from symae.ops.conv.settings import Bilinear
from symae.ops.coordinate_mlp import CoordinateLayers
from symae.ops.neighbours import Images2Neibs
from symae.ops.pooling.pool import MaxPool
from symae.ops.pooling.sum_pool import SumPool
from symae.ops.pooling.switches import PutAtSwitches, TakeAtSwitches
from symae.ops.upsample import BilinearUpsample, NearestUpsample

LAST = -(2**31)  # further back than the first of any array


def _filters(to: Conversion, op: Bilinear, filters: str) -> str:
    """Return filters as a correlation takes them, which is what ONNX calls a convolution."""
    if not op.filter_flip:
        return filters
    ends = to.graph.ints(LAST, LAST)
    return str(to.graph.add("Slice", filters, to.graph.ints(-1, -1), ends, to.graph.ints(2, 3), to.graph.ints(-1, -1)))


def _kernel(to: Conversion, node: Apply, filters: Variable) -> list[int]:
    kernel = filters.type.shape[2:]
    if None in kernel:
        raise InputError(to.on_the_way(node.outputs[0]), "filters of unknown height and width", "filters of known shape")
    return [int(n) for n in kernel]


def _settings(op: Bilinear, kernel: Sequence[int]) -> dict[str, Any]:
    return {
        "kernel_shape": list(kernel),
        "strides": list(op.subsample),
        "dilations": list(op.dilation),
        "group": op.groups,
    }


@converts(Convolution)
def _convolution(to: Conversion, node: Apply, x: str, filters: str) -> str:
    op, dtype = node.op, to.dtype(node.outputs[0])
    kernel, size = _kernel(to, node, node.inputs[1]), node.inputs[0].type.shape[2:]
    if None in size and op.border_mode == "same":
        padding: dict[str, Any] = {"auto_pad": "SAME_UPPER"}
    else:
        pads = [op.geometry(axis).padding(size[axis], kernel[axis]) for axis in (0, 1)]
        padding = {"pads": [int(before) for before, _ in pads] + [int(after) for _, after in pads]}
    arguments = to.cast(x, dtype), _filters(to, op, to.cast(filters, dtype))
    return str(to.graph.add("Conv", *arguments, **padding, **_settings(op, kernel)))


@converts(InputGradient)
def _deconvolution(to: Conversion, node: Apply, filters: str, y: str, *_: str) -> str:
    """Crop what the filters draw to the images' size: as the padding says at the top, and whatever is over at the bottom."""
    op, dtype, where = node.op, to.dtype(node.outputs[0]), to.on_the_way(node.outputs[0])
    kernel, maps = _kernel(to, node, node.inputs[0]), node.inputs[1].type.shape[2:]
    before, after, extra = [], [], []
    for axis in (0, 1):
        n = to.number(node.inputs[2 + axis], where, "a size of a deconvolution")
        if maps[axis] is None:
            raise InputError(where, "a deconvolution of maps of unknown size", "maps of a known height and width")
        geometry = op.geometry(axis)
        first = int(geometry.padding(n, kernel[axis])[0])
        drawn = (int(maps[axis]) - 1) * op.subsample[axis] + int(geometry.reach(kernel[axis]))
        over = drawn - first - n
        before.append(first)
        after.append(max(over, 0))
        extra.append(max(-over, 0))
    arguments = to.cast(y, dtype), _filters(to, op, to.cast(filters, dtype))
    more = {"output_padding": extra} if any(extra) else {}
    return str(to.graph.add("ConvTranspose", *arguments, pads=[*before, *after], **more, **_settings(op, kernel)))


@converts(Rectified)
def _rectified(to: Conversion, node: Apply, x: str, b: str) -> str:
    dtype, ndim = to.dtype(node.outputs[0]), node.inputs[0].type.ndim
    b = to.cast(b, dtype)
    if ndim > 2:
        b = to.graph.add("Unsqueeze", b, to.graph.ints(*range(1, ndim - 1)))
    return str(to.graph.add("Relu", to.graph.add("Add", to.cast(x, dtype), b)))


def _padding(to: Conversion, node: Apply, images: Variable) -> dict[str, Any]:
    """Return how much of a frame of nothing the windows reach into."""
    windows, size = node.op.windows, images.type.shape[2:]
    axes: tuple[Axis, Axis] = (windows.rows, windows.columns)
    settings = {"kernel_shape": [a.size for a in axes], "strides": [a.stride for a in axes]}
    if None not in size:
        before = [axis.before(n) for axis, n in zip(axes, size, strict=True)]
        after = [
            max((axis.count(n) - 1) * axis.stride + axis.size - first - n, 0)
            for axis, n, first in zip(axes, size, before, strict=True)
        ]
        if 0 in windows.counts(*size):
            raise InputError(to.on_the_way(node.outputs[0]), "windows that are larger than the images", "smaller ones")
        return {**settings, "pads": [*before, *after]}
    if all(axis == Axis.same(axis.size, axis.stride) for axis in axes):
        return {**settings, "auto_pad": "SAME_UPPER"}
    if all(axis.pad is not None and axis == Axis.whole(axis.size, axis.stride, axis.pad) for axis in axes):
        return {**settings, "pads": [axis.pad for axis in axes] * 2}
    found = "windows that reach out of images of unknown height and width"
    raise InputError(to.on_the_way(node.outputs[0]), found, "images of known shape")


@converts(MaxPool)
def _max_pool(to: Conversion, node: Apply, images: str) -> list[str]:
    """Pool, with the positions of the maxima: ONNX counts them over the whole tensor, symae in each image."""
    pooled, places = to.graph.add("MaxPool", images, n_outputs=2, **_padding(to, node, node.inputs[0]))
    return [pooled, str(to.graph.add("Mod", places, _pixels(to, node.inputs[0], images)))]


def _pixels(to: Conversion, variable: Variable, images: str) -> str:
    """Return h * w, a whole number."""
    h, w = variable.type.shape[2:]
    if h is not None and w is not None:
        return to.graph.constant(np.int64(h * w))
    size = to.graph.add("Shape", images, start=2, end=4)
    return str(to.graph.add("ReduceProd", size, to.graph.ints(0), keepdims=0))


@converts(SumPool)
def _sum_pool(to: Conversion, node: Apply, images: str) -> str:
    op = node.op
    include = 0 if op.divisor == "pixels" else 1
    pooled = to.graph.add("AveragePool", images, count_include_pad=include, **_padding(to, node, node.inputs[0]))
    if op.divisor != "one":
        return str(pooled)
    size = op.windows.rows.size * op.windows.columns.size
    return str(to.graph.add("Mul", pooled, to.constant(float(size), node.outputs[0])))


@converts(PutAtSwitches)
def _put_at_switches(to: Conversion, node: Apply, values: str, switches: str, *size: str) -> str:
    """Put values back by MaxUnpool, where its own idea of the images' size is right and no windows overlap; else scatter."""
    where = to.on_the_way(node.outputs[0])
    height, width = (to.size(v) for v in node.inputs[2:])
    places = _whole_tensor(to, switches)
    windows = node.op.windows
    if places is not None and windows is not None and not windows.overlap and height is not None and width is not None:
        axes = (windows.rows, windows.columns)
        counts = windows.counts(height, width)
        exact = all(
            axis.before(n) == 0 and (count - 1) * axis.stride + axis.size == n
            for axis, n, count in zip(axes, (height, width), counts, strict=True)
        )
        if exact:
            settings = {"kernel_shape": [a.size for a in axes], "strides": [a.stride for a in axes]}
            return str(to.graph.add("MaxUnpool", values, places, **settings))
    return _scattered(to, node, values, switches, size, where)


def _whole_tensor(to: Conversion, switches: str) -> str | None:
    """Return the positions in the whole tensor that `switches` were made of, if they were."""
    node = to.graph.producers().get(switches)
    made = None if node is None or node.op != "Mod" else to.graph.producers().get(node.inputs[0])
    return node.inputs[0] if node is not None and made is not None and made.op == "MaxPool" else None


def _scattered(to: Conversion, node: Apply, values: str, switches: str, size: Sequence[str], where: str) -> str:
    g, dtype = to.graph, to.dtype(node.outputs[0])
    start = g.add("Shape", values, start=0, end=2)
    height_and_width = sizes(to, node.inputs[2:], size)
    pixels = g.add("ReduceProd", height_and_width, g.ints(0), keepdims=1)
    known = to.graph.constants.get(height_and_width)
    if known is not None:
        pixels = g.ints(int(np.prod(known)))
    zeros = g.add("Expand", g.constant(np.zeros((), dtype)), g.add("Concat", start, pixels, axis=0))
    flat = g.add("Concat", start, g.ints(-1), axis=0)
    rows = [g.add("Reshape", v, flat) for v in (switches, values)]
    written = g.add("ScatterElements", zeros, *rows, axis=2, reduction="add")
    return str(g.add("Reshape", written, g.add("Concat", start, height_and_width, axis=0)))


@converts(TakeAtSwitches)
def _take_at_switches(to: Conversion, node: Apply, images: str, switches: str) -> str:
    g = to.graph
    flat = g.add("Concat", g.add("Shape", images, start=0, end=2), g.ints(-1), axis=0)
    taken = g.add("GatherElements", g.add("Reshape", images, flat), g.add("Reshape", switches, flat), axis=2)
    return str(g.add("Reshape", taken, g.add("Shape", switches)))


@converts(NearestUpsample)
def _repeat_pixels(to: Conversion, node: Apply, images: str) -> str:
    scales = to.graph.constant(np.array([1, 1, *node.op.factor], "float32"))
    how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return str(to.graph.add("Resize", images, "", scales, **how))


@converts(BilinearUpsample)
def _interpolate(to: Conversion, node: Apply, images: str) -> str:
    scales = to.graph.constant(np.array([1, 1, *node.op.factor], "float32"))
    return str(to.graph.add("Resize", images, "", scales, mode="linear", coordinate_transformation_mode="half_pixel"))


@converts(CoordinateLayers)
def _coordinate_layers(to: Conversion, node: Apply, places: str, images: str, *layers: str) -> list[str]:
    g = to.graph
    sums = g.add("Add", g.add("Unsqueeze", places, g.ints(0)), g.add("Unsqueeze", images, g.ints(1)))
    h, hidden = g.add("Relu", sums), []
    for W, b in zip(layers[:-2:2], layers[1:-2:2], strict=True):
        h = g.add("Relu", g.add("Add", g.add("MatMul", h, W), b))
        hidden.append(h)
    drawn = g.add("Add", g.add("MatMul", h, layers[-2]), layers[-1])
    return [drawn, *(hidden if node.op.keep else [])]


@converts(Images2Neibs)
def _neighbourhoods(to: Conversion, node: Apply, images: str) -> str:
    """Take the rows and columns of each window, of images with a row and a column of zeros behind them."""
    op, g = node.op, to.graph
    h, w = node.inputs[0].type.shape[2:]
    if h is None or w is None:
        raise InputError(to.on_the_way(node.outputs[0]), "neighbourhoods in images of unknown height and width", "known ones")
    x = g.add("Pad", images, g.ints(0, 0, 0, 0, 0, 0, 1, 1), mode="constant")
    for axis, (pixels, size) in enumerate(zip(op.pixel_arrays(h, w), (h, w), strict=True), 2):
        x = g.add("Gather", x, g.constant(np.where(pixels < 0, size, pixels).ravel()), axis=axis)
    (i, p), (j, q) = (pixels.shape for pixels in op.pixel_arrays(h, w))
    windows = g.add("Reshape", x, g.ints(-1, i, p, j, q))
    return str(g.add("Reshape", g.add("Transpose", windows, perm=[0, 1, 3, 2, 4]), g.ints(-1, p * q)))
