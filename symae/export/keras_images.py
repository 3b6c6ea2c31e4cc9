"""How Keras does what ONNX does with images, which have their channels last there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symae.export.graph import Node
from symae.export.keras_builder import Builder
from symae.geometry.convolution import Geometry


def _same(pads: Sequence[int], size: Sequence[int], node: Node) -> bool:
    """Return True if the padding is that of Keras's "same"."""
    kernel, strides = node.attributes["kernel_shape"], node.attributes["strides"]
    dilations = node.attributes.get("dilations", [1, 1])
    wanted = [Geometry("same", strides[i], dilations[i]).padding(size[i], kernel[i]) for i in (0, 1)]
    return [*pads] == [before for before, _ in wanted] + [after for _, after in wanted]


def _framed(b: Builder, node: Node, x: Any) -> tuple[Any, str]:
    """Return images, perhaps in a frame of zeros, and Keras's word for the padding that is left to the layer."""
    pads, size = node.attributes.get("pads", [0, 0, 0, 0]), x.shape[1:3]
    if "auto_pad" in node.attributes or None in size:
        raise b.refusal(node, "images of unknown height and width")
    if not any(pads):
        return x, "valid"
    if _same(pads, size, node):
        return x, "same"
    frame = ((pads[0], pads[2]), (pads[1], pads[3]))
    return b.layer(b.keras.layers.ZeroPadding2D, f"{node.outputs[0]}_frame", x, padding=frame), "valid"


def _arrays_of(b: Builder, node: Node) -> list[np.ndarray]:
    found = [b.arrays.get(name) for name in node.inputs[1:]]
    if any(array is None for array in found):
        raise b.refusal(node, "filters that are computed")
    kernel, *bias = [array for array in found if array is not None]
    return [np.transpose(kernel, (2, 3, 1, 0)), *bias]


def _conv(b: Builder, node: Node) -> None:
    kernel, *bias = _arrays_of(b, node)
    x, padding = _framed(b, node, b.tensor(node.inputs[0]))
    value, activation = b.activated(node.outputs[0])
    b.tensors[value] = b.layer(
        b.keras.layers.Conv2D,
        value,
        x,
        [kernel, *bias],
        filters=kernel.shape[3],
        kernel_size=kernel.shape[:2],
        strides=tuple(node.attributes["strides"]),
        dilation_rate=tuple(node.attributes["dilations"]),
        groups=node.attributes["group"],
        padding=padding,
        data_format="channels_last",
        activation=activation,
        use_bias=bool(bias),
    )


def _conv_transpose(b: Builder, node: Node) -> None:
    """Draw without padding, and crop as the graph says: whose end "same" crops, backends do not agree on."""
    if node.attributes["group"] != 1 or node.attributes["dilations"] != [1, 1]:
        raise b.refusal(node, "a deconvolution in groups or with dilation")
    kernel, *bias = _arrays_of(b, node)
    strides, pads = node.attributes["strides"], node.attributes["pads"]
    value, activation = b.activated(node.outputs[0])
    x = b.tensor(node.inputs[0])
    cuts, frame = [], []
    for axis in (0, 1):
        n, k, s = x.shape[1 + axis], kernel.shape[axis], strides[axis]
        end = pads[2 + axis] - node.attributes.get("output_padding", [0, 0])[axis]
        over = n * s + max(k - s, 0) - ((n - 1) * s + k)  # what Keras draws more of zeros
        cuts.append((pads[axis], max(end + over, 0)))
        frame.append((0, max(-end - over, 0)))
    cropped, framed = any(map(any, cuts)), any(map(any, frame))
    # rows that no filter reaches have a bias too
    late = bias[0] if framed and bias else None
    drawn = b.layer(
        b.keras.layers.Conv2DTranspose,
        f"{value}_drawn" if cropped or framed else value,
        x,
        [kernel, *([] if framed else bias)],
        filters=kernel.shape[2],
        kernel_size=kernel.shape[:2],
        strides=tuple(strides),
        padding="valid",
        data_format="channels_last",
        activation=None if framed else activation,
        use_bias=bool(bias) and not framed,
    )
    if framed:
        drawn = b.layer(b.keras.layers.ZeroPadding2D, f"{value}_frame", drawn, padding=tuple(frame))
    if cropped:
        drawn = b.layer(b.keras.layers.Cropping2D, f"{value}_cropped" if framed else value, drawn, cropping=tuple(cuts))
    if framed:
        ones = np.ones(kernel.shape[2], kernel.dtype)
        drawn = b.layer(
            b.keras.layers.EinsumDense,
            value,
            drawn,
            [ones] if late is None else [ones, late],
            equation="abcd,d->abcd",
            output_shape=tuple(drawn.shape[1:]),
            bias_axes=None if late is None else "d",
            activation=activation,
        )
    b.tensors[value] = drawn


def _max_pool(b: Builder, node: Node) -> None:
    if any(user.op != "MaxUnpool" for switches in node.outputs[1:] for user in b.users.get(switches, [])):
        raise b.refusal(node, "positions of maxima")
    x = b.tensor(node.inputs[0])
    pads, size = node.attributes.get("pads", [0, 0, 0, 0]), x.shape[1:3]
    if any(pads) and (None in size or not _same(pads, size, node)):
        raise b.refusal(node, "maxima of images in a frame of other than Keras's size")
    if "auto_pad" in node.attributes:
        raise b.refusal(node, "images of unknown height and width")
    b.tensors[node.outputs[0]] = b.layer(
        b.keras.layers.MaxPooling2D,
        node.outputs[0],
        x,
        pool_size=tuple(node.attributes["kernel_shape"]),
        strides=tuple(node.attributes["strides"]),
        padding="same" if any(pads) else "valid",
        data_format="channels_last",
    )


def _average_pool(b: Builder, node: Node) -> None:
    x = b.tensor(node.inputs[0])
    padding = "valid"
    if any(node.attributes.get("pads", [0])) and not node.attributes["count_include_pad"]:
        if None in x.shape[1:3] or not _same(node.attributes["pads"], x.shape[1:3], node):
            raise b.refusal(node, "averages of images in a frame of other than Keras's size")
        padding = "same"
    elif any(node.attributes.get("pads", [0])):
        pads = node.attributes["pads"]
        frame = ((pads[0], pads[2]), (pads[1], pads[3]))
        x = b.layer(b.keras.layers.ZeroPadding2D, f"{node.outputs[0]}_frame", x, padding=frame)
    b.tensors[node.outputs[0]] = b.layer(
        b.keras.layers.AveragePooling2D,
        node.outputs[0],
        x,
        pool_size=tuple(node.attributes["kernel_shape"]),
        strides=tuple(node.attributes["strides"]),
        padding=padding,
        data_format="channels_last",
    )


def _max_unpool(b: Builder, node: Node) -> None:
    """Put each value at the first maximum of its window, which is looked for again in what was pooled."""
    pool = b.producers.get(node.inputs[1])
    if pool is None or pool.op != "MaxPool" or any(pool.attributes.get("pads", [0])):
        raise b.refusal(node, "unpooling by positions")
    ops, (p, q) = b.keras.ops, node.attributes["kernel_shape"]
    x, values = b.tensor(pool.inputs[0]), b.tensor(node.inputs[0])
    if node.attributes["strides"] != [p, q] or x.shape[1] % p or x.shape[2] % q:
        raise b.refusal(node, "unpooling by windows that do not tile the images")
    i, j, c = x.shape[1] // p, x.shape[2] // q, x.shape[3]
    windows = ops.reshape(ops.transpose(ops.reshape(x, (-1, i, p, j, q, c)), (0, 1, 3, 5, 2, 4)), (-1, i, j, c, p * q))
    hot = ops.one_hot(ops.argmax(windows, axis=-1), p * q, dtype=b.floatX)
    placed = ops.reshape(ops.multiply(hot, ops.expand_dims(values, -1)), (-1, i, j, c, p, q))
    b.tensors[node.outputs[0]] = ops.reshape(ops.transpose(placed, (0, 1, 4, 2, 5, 3)), (-1, i * p, j * q, c))


def _resize(b: Builder, node: Node) -> None:
    factors = b.arrays[node.inputs[2]][2:]
    mode = "nearest" if node.attributes["mode"] == "nearest" else "bilinear"
    b.tensors[node.outputs[0]] = b.layer(
        b.keras.layers.UpSampling2D,
        node.outputs[0],
        b.tensor(node.inputs[0]),
        size=tuple(int(f) for f in factors),
        interpolation=mode,
        data_format="channels_last",
    )


IMAGES: dict[str, Callable[[Builder, Node], None]] = {
    "AveragePool": _average_pool,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "MaxPool": _max_pool,
    "MaxUnpool": _max_unpool,
    "Resize": _resize,
}
