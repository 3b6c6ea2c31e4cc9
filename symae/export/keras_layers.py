"""How Keras does what ONNX's ops do: for each a function that adds layers to a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symae.export.graph import Node
from symae.export.keras_arrays import ARRAYS
from symae.export.keras_builder import LARGE, Builder
from symae.export.keras_images import IMAGES


def _dense(b: Builder, node: Node) -> None:
    x, W = node.inputs[:2]
    if W not in b.arrays or b.arrays[W].ndim != 2 or x in b.arrays:
        left, right = b.tensor(x), b.tensor(W)
        for factor in (left, right):
            b.flat_only(node, factor)
        b.tensors[node.outputs[0]] = b.keras.ops.matmul(left, right)
        return
    b.flat_only(node, b.tensor(x))
    kernel = b.arrays[W].T if node.attributes.get("transB") else b.arrays[W]
    bias, value = (b.arrays.get(node.inputs[2]) if len(node.inputs) > 2 else None), node.outputs[0]
    added = b.only_user(value, "Add")
    if bias is None and added is not None:
        other = next(name for name in added.inputs if name != value)
        if other in b.arrays and b.arrays[other].shape == kernel.shape[1:]:
            bias, value = b.arrays[other], added.outputs[0]
            b.done.add(id(added))
    value, activation = b.activated(value)
    b.tensors[value] = b.layer(
        b.keras.layers.Dense,
        value,
        b.tensor(x),
        [kernel] if bias is None else [kernel, bias],
        units=kernel.shape[1],
        activation=activation,
        use_bias=bias is not None,
    )


def _channels_first(b: Builder, value: str, x: Any) -> Any:
    """Return images with the channels in front, as rows of their pixels are read."""
    if len(x.shape) != 4 or x.shape[3] == 1:
        return x
    return b.layer(b.keras.layers.Permute, f"{value}_channels_first", x, dims=(3, 1, 2))


def _reshape(b: Builder, node: Node) -> None:
    value, found = node.outputs[0], b.sizes(node.inputs[1])
    array = b.arrays.get(node.inputs[0])
    if array is not None and found is not None and None not in found:
        b.arrays[value] = array.reshape([int(n) for n in found if n is not None])
        return
    x = b.tensor(node.inputs[0])
    if found is None or None in found[1:] or (found[0] is None and found.count(-1) > 1):
        raise b.refusal(node, "a shape that depends on the input")
    x = _channels_first(b, value, x)
    known = [n for n in x.shape[1:] if n is not None]
    rest = [int(n) for n in found[1:] if n is not None]
    if found[0] is None and -1 in rest:  # the number of examples stays, so that the free size is known
        rest[rest.index(-1)] = int(np.prod(known)) // -int(np.prod(rest)) if np.prod(rest) else 0
    sizes = [-1 if found[0] is None else found[0], *rest]
    if sizes == [-1, x.shape[-1]] and len(x.shape) == 3 and _only_in_front(b, value):
        return
    if sizes[0] != -1 or np.prod(sizes[1:]) != np.prod(known):  # examples are put together, or apart
        if len(sizes) == 4:
            raise b.refusal(node, "images of several examples in one")
        b.tensors[value] = b.keras.ops.reshape(x, tuple(sizes))
        return
    layer = b.keras.layers.Reshape
    if len(sizes) != 4:
        b.tensors[value] = b.layer(layer, value, x, target_shape=tuple(sizes[1:]))
        return
    c, h, w = sizes[1:]
    if c == 1:
        b.tensors[value] = b.layer(layer, value, x, target_shape=(h, w, 1))
        return
    images = b.layer(layer, f"{value}_channels_first", x, target_shape=(c, h, w))
    b.tensors[value] = b.layer(b.keras.layers.Permute, value, images, dims=(2, 3, 1))


def _only_in_front(b: Builder, value: str) -> bool:
    """Leave the points of each image by themselves, where the graph puts those of all images in one row.

    That is for layers that look at each point alone, (1, points of all, units) -> (1, points of all, others). Keras knows of no
    examples in one row; (n, points, units) is the same to such layers.
    """
    node = b.only_user(value, "Unsqueeze")
    if node is None or b.arrays[node.inputs[1]].tolist() != [0]:
        return False
    b.tensors[node.outputs[0]] = b.tensors[b.producers[value].inputs[0]]
    b.done.add(id(node))
    return True


def _add(b: Builder, node: Node) -> None:
    """Add; an array that is as large as weights becomes the bias of a layer that changes nothing else."""
    large = next((name for name in node.inputs if name in b.arrays and b.arrays[name].size > LARGE), None)
    if large is None:
        b.tensors[node.outputs[0]] = b.keras.ops.add(*b.arguments(node))
        return
    x = b.tensor(next(name for name in node.inputs if name != large))
    array = b.arrays[large]
    if len(x.shape) != 3 or array.ndim != 3 or array.shape[0] != 1 or x.shape[2] != array.shape[2]:
        raise b.refusal(node, f"an array of shape {array.shape} that is added")
    if x.shape[1] == 1 and array.shape[1] > 1:
        flat = b.layer(b.keras.layers.Reshape, f"{node.name}_row", x, target_shape=(x.shape[2],))
        x = b.layer(b.keras.layers.RepeatVector, f"{node.name}_repeated", flat, n=array.shape[1])
    b.tensors[node.outputs[0]] = b.layer(
        b.keras.layers.EinsumDense,
        node.outputs[0],
        x,
        [np.ones(array.shape[2], array.dtype), array[0]],
        equation="abc,c->abc",
        output_shape=array.shape[1:],
        bias_axes="bc",
    )


def _unsqueeze(b: Builder, node: Node) -> None:
    array = b.arrays.get(node.inputs[0])
    if array is not None:
        for axis in sorted(int(axis) for axis in b.arrays[node.inputs[1]]):
            array = np.expand_dims(array, axis)
        b.arrays[node.outputs[0]] = array
        return
    x = b.tensor(node.inputs[0])
    b.flat_only(node, x)
    for axis in b.arrays[node.inputs[1]]:
        x = b.keras.ops.expand_dims(x, int(axis))
    b.made(node, x)


def _squeeze(b: Builder, node: Node) -> None:
    x = b.tensor(node.inputs[0])
    b.flat_only(node, x)
    b.made(node, b.keras.ops.squeeze(x, tuple(int(axis) for axis in b.arrays[node.inputs[1]])))


def _transpose(b: Builder, node: Node) -> None:
    x = b.tensor(node.inputs[0])
    b.flat_only(node, x)
    b.tensors[node.outputs[0]] = b.keras.ops.transpose(x, tuple(node.attributes["perm"]))


def _top_k(b: Builder, node: Node) -> None:
    k = b.arrays.get(node.inputs[1])
    x = b.tensor(node.inputs[0])
    b.flat_only(node, x)
    if k is None or node.attributes["axis"] != len(x.shape) - 1 or b.uses[node.outputs[1]]:
        raise b.refusal(node, "a sort along another than the last axis")
    sign = 1 if node.attributes["largest"] else -1
    best = b.keras.ops.top_k(x if sign > 0 else b.keras.ops.negative(x), int(k[0]))[0]
    b.tensors[node.outputs[0]] = best if sign > 0 else b.keras.ops.negative(best)


def _expand(b: Builder, node: Node) -> None:
    """Leave a number as it is: Keras's functions spread it where that is needed."""
    array = b.arrays.get(node.inputs[0])
    if array is None or array.size != 1:
        raise b.refusal(node, "an array that is spread out")
    b.arrays[node.outputs[0]] = array.reshape(())


def _shape(b: Builder, node: Node) -> None:
    """Nothing: who takes a shape says whether it can do without."""


def _softmax(b: Builder, node: Node) -> None:
    x = b.tensor(node.inputs[0])
    b.flat_only(node, x)
    if node.op == "LogSoftmax":
        b.tensors[node.outputs[0]] = b.keras.ops.log_softmax(x, axis=node.attributes["axis"])
        return
    b.tensors[node.outputs[0]] = b.layer(b.keras.layers.Softmax, node.outputs[0], x, axis=node.attributes["axis"])


def _leaky(b: Builder, node: Node) -> None:
    x, slope = b.tensor(node.inputs[0]), node.attributes["alpha"]
    b.tensors[node.outputs[0]] = b.layer(b.keras.layers.LeakyReLU, node.outputs[0], x, negative_slope=slope)


def _reduce(name: str) -> Callable[[Builder, Node], None]:
    def build(b: Builder, node: Node) -> None:
        x = b.tensor(node.inputs[0])
        axes = [int(axis) for axis in b.arrays[node.inputs[1]]]
        keep, images = bool(node.attributes.get("keepdims", 1)), len(x.shape) == 4
        if images:
            axes = [{0: 0, 1: 3, 2: 1, 3: 2}[axis] for axis in axes]
            if not keep and 3 not in axes and len({1, 2} - {*axes}) > 0:  # rows or columns would stand before channels
                raise b.refusal(node, f"images that are reduced along axes {b.arrays[node.inputs[1]].tolist()} alone")
        reduced = getattr(b.keras.ops, name)(x, axis=tuple(axes), keepdims=keep)
        if images:
            b.tensors[node.outputs[0]] = reduced
        else:
            b.made(node, reduced)

    return build


def _divide(b: Builder, node: Node) -> None:
    """Divide; of whole numbers the graph divides only those that leave nothing over."""
    value = b.graph.values.get(node.outputs[0])
    divide = b.keras.ops.floor_divide if value is not None and "int" in value.dtype else b.keras.ops.divide
    b.tensors[node.outputs[0]] = divide(*b.arguments(node))


def _cast(b: Builder, node: Node) -> None:
    b.tensors[node.outputs[0]] = b.keras.ops.cast(b.tensor(node.inputs[0]), node.attributes["to"])


def _identity(b: Builder, node: Node) -> None:
    x = b.tensor(node.inputs[0])
    b.tensors[node.outputs[0]] = b.layer(b.keras.layers.Identity, node.outputs[0], x)


def _arg_max(b: Builder, node: Node) -> None:
    x = b.tensor(node.inputs[0])
    b.flat_only(node, x)
    b.tensors[node.outputs[0]] = b.keras.ops.argmax(x, axis=node.attributes["axis"])


LAYERS: dict[str, Callable[[Builder, Node], None]] = {
    "Add": _add,
    "ArgMax": _arg_max,
    "Cast": _cast,
    "Div": _divide,
    "Expand": _expand,
    "Gemm": _dense,
    "Identity": _identity,
    "LeakyRelu": _leaky,
    "LogSoftmax": _softmax,
    "MatMul": _dense,
    "ReduceMax": _reduce("max"),
    "ReduceMin": _reduce("min"),
    "ReduceProd": _reduce("prod"),
    "ReduceSum": _reduce("sum"),
    "Reshape": _reshape,
    "Shape": _shape,
    "Softmax": _softmax,
    "Squeeze": _squeeze,
    "TopK": _top_k,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
    **ARRAYS,
    **IMAGES,
}
