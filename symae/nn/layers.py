"""Layers: each is a function from an expression to an expression, which registers its parameters by name.

``y = conv(params, "conv1", x, 16, 3)`` is nothing but ``conv2d(x, params["conv1_W"]) + params["conv1_b"]``: no objects stand
between a reader and the graph. What an expression is as a layer is written on it, for tables; `layers_of` reads it there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable
from pytensor.graph.traversal import io_toposort
from pytensor.tensor.variable import TensorVariable

from symae._runtime.checks import integer, pair
from symae.errors import InputError
from symae.nn.activations import Activation, relu
from symae.nn.activations import activation as activation_named
from symae.nn.parameters import Parameters
from symae.nn.weights import glorot_uniform
from symae.ops import conv2d, deconv2d, pool2d, rectified, upsample2d

Initial = Callable[[np.random.RandomState, Sequence[int]], np.ndarray]


@dataclass(frozen=True)
class Layer:
    """Describe what an expression is as a layer.

    Attributes
    ----------
    name : str
    kind : str
        In words, such as "convolution 3 x 3, relu".
    params : tuple of shared variables
    state : tuple of shared variables
        What training changes beside its parameters: running averages.
    function : str
        The function of `symae.nn` that made it.
    input : symbolic
        What the function got as its input, and
    arguments : mapping
        its other arguments, but for the name, initial weights and random streams.
    """

    name: str
    kind: str
    params: tuple[SharedVariable, ...] = ()
    state: tuple[SharedVariable, ...] = ()
    function: str = ""
    input: Variable | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)


def dense(
    params: Parameters,
    name: str,
    x: Variable,
    n_out: int,
    *,
    activation: str | Activation | None = None,
    W: Initial = glorot_uniform,
) -> TensorVariable:
    """Make a fully connected layer: activation(x W + b).

    Parameters
    ----------
    params : Parameters
        Gets ``<name>_W`` (n_in, n_out) and ``<name>_b`` (n_out,), which begins at zero.
    name : str
    x : (n, n_in), with n_in known
    n_out : int >= 1
    activation : str or function, optional
        See `symae.nn.activation`.
    W : function
        (RandomState, shape) -> initial weights, as in `symae.nn`.

    Returns
    -------
    (n, n_out)

    Raises
    ------
    InputError
        `x` is not a matrix of a known number of columns, `n_out` is less than 1, a parameter of that name is there.
    """
    if x.type.ndim != 2 or x.type.shape[1] is None:
        raise InputError(f"{name}: x", f"shape {x.type.shape}", "(n, n_in) with a known n_in")
    shape = (x.type.shape[1], _count(name, "n_out", n_out))
    with params.together():
        weights, b = _weights_and_bias(params, name, shape, shape[1], W)
        f = activation_named(activation)
        described = {"n_out": n_out, "activation": f}
        y = _activated(pt.dot(x, weights), b, f)
        return as_layer(y, Layer(name, f"dense{_and(f)}", (weights, b), (), "dense", x, described))


def conv(
    params: Parameters,
    name: str,
    x: Variable,
    maps: int,
    kernel: int | Sequence[int],
    *,
    activation: str | Activation | None = None,
    border_mode: Any = "same",
    subsample: Any = 1,
    W: Initial = glorot_uniform,
) -> TensorVariable:
    """Make a convolutional layer: activation(W * x + b), the filters not turned round, as in Keras and PyTorch.

    Parameters
    ----------
    params : Parameters
        Gets ``<name>_W`` (maps, channels, kh, kw) and ``<name>_b`` (maps,), which begins at zero.
    name : str
    x : (n, channels, h, w), with channels known
    maps : int >= 1
    kernel : int or (int, int)
        Height and width of the filters.
    activation, W
        As in `dense`.
    border_mode, subsample
        As in `symae.ops.conv2d`; "same" is Keras's.

    Returns
    -------
    (n, maps, h', w')

    Raises
    ------
    InputError
        `x` does not have 4 dimensions and known channels, or as in `dense` and `symae.ops.conv2d`.
    """
    shape = (_count(name, "maps", maps), _channels(name, x), *pair(f"{name}: kernel", kernel))
    with params.together():
        weights, b = _weights_and_bias(params, name, shape, maps, W)
        f = activation_named(activation)
        y = conv2d(x, weights, border_mode=border_mode, subsample=subsample, filter_flip=False)
        kind = f"convolution {_by(shape[2:], subsample)}{_and(f)}"
        described = {"maps": maps, "kernel": kernel, "activation": f, "border_mode": border_mode, "subsample": subsample}
        return as_layer(_activated(y, b, f), Layer(name, kind, (weights, b), (), "conv", x, described))


def deconv(
    params: Parameters,
    name: str,
    x: Variable,
    maps: int,
    kernel: int | Sequence[int],
    *,
    activation: str | Activation | None = None,
    border_mode: Any = "same",
    subsample: Any = 1,
    output_shape: Sequence[int] | None = None,
    W: Initial = glorot_uniform,
) -> TensorVariable:
    """Make a deconvolutional layer: the transpose of `conv`, with a stride for enlarging.

    Parameters
    ----------
    params : Parameters
        Gets ``<name>_W`` (channels, maps, kh, kw), the filters of the convolution that this one undoes, and ``<name>_b``
        (maps,).
    name, x, maps, kernel, activation, border_mode, subsample, W
        As in `conv`.
    output_shape : (h', w'), optional
        As in `symae.ops.deconv2d`: by default the largest with "same", h * subsample, and the smallest otherwise.

    Returns
    -------
    (n, maps, h', w')

    Raises
    ------
    InputError
        As in `conv`; or no convolution leads from `output_shape` to the shape of `x`.
    """
    shape = (_channels(name, x), _count(name, "maps", maps), *pair(f"{name}: kernel", kernel))
    with params.together():
        weights, b = _weights_and_bias(params, name, shape, maps, W)
        f = activation_named(activation)
        y = deconv2d(x, weights, border_mode=border_mode, subsample=subsample, filter_flip=False, output_shape=output_shape)
        kind = f"deconvolution {_by(shape[2:], subsample)}{_and(f)}"
        described = {"maps": maps, "kernel": kernel, "activation": f, "border_mode": border_mode, "subsample": subsample}
        described["output_shape"] = output_shape
        return as_layer(_activated(y, b, f), Layer(name, kind, (weights, b), (), "deconv", x, described))


def max_pool(name: str, x: Variable, ws: int | Sequence[int], *, pad: Any = "same") -> TensorVariable:
    """Take the maximum of each window by `symae.ops.pool2d`, which by default keeps what does not fill a window."""
    kind = f"max pooling {_by(pair(f'{name}: ws', ws))}"
    return as_layer(pool2d(x, ws, pad=pad), Layer(name, kind, (), (), "max_pool", x, {"ws": ws, "pad": pad}))


def upsample(name: str, x: Variable, ratio: int | Sequence[int]) -> TensorVariable:
    """Repeat each pixel by `symae.ops.upsample2d`."""
    kind = f"upsampling {_by(pair(f'{name}: ratio', ratio))}"
    return as_layer(upsample2d(x, ratio), Layer(name, kind, (), (), "upsample", x, {"ratio": ratio}))


def flatten(name: str, x: Variable) -> TensorVariable:
    """Flatten each image to a row, (n, ...) -> (n, k)."""
    size = None if None in x.type.shape[1:] else math.prod(x.type.shape[1:])
    y = pt.flatten(x, ndim=2) if size is None else x.reshape((_n(x), size))
    return as_layer(y, Layer(name, "flatten", (), (), "flatten", x))


def reshape(name: str, x: Variable, shape: Sequence[int]) -> TensorVariable:
    """Reshape each image, (n, ...) -> (n, *shape)."""
    known = None if None in x.type.shape[1:] else math.prod(x.type.shape[1:])
    if known not in (None, math.prod(shape)):
        raise InputError(f"{name}: shape", str(tuple(shape)), f"as many numbers as x has, {x.type.shape[1:]}")
    return as_layer(x.reshape((_n(x), *shape)), Layer(name, "reshape", (), (), "reshape", x, {"shape": shape}))


def layer_of(expression: Variable) -> Layer | None:
    """Return what `expression` is as a layer, or None."""
    return getattr(expression.tag, "layer", None)


def layers_of(inputs: Sequence[Variable], outputs: Sequence[Variable]) -> list[tuple[Layer, Variable]]:
    """Return the layers between `inputs` and `outputs` with their expressions, in the order in which they are computed."""
    variables = (out for node in io_toposort(inputs, outputs) for out in node.outputs)
    return [(layer, v) for v in variables if (layer := layer_of(v)) is not None]


def _activated(y: Variable, b: Variable, f: Activation) -> TensorVariable:
    if f is relu:
        return rectified(y, b)
    return f(y + (b[:, None, None] if y.type.ndim == 4 else b))


def as_layer(y: Variable, layer: Layer) -> TensorVariable:
    """Return `y` with its name and description as a layer written on it."""
    if y is layer.input or layer_of(y) is not None:  # two layers are two expressions, even where the second changes nothing
        y = pt.tensor_copy(y)
    y.name = layer.name
    y.tag.layer = layer
    return y


def _weights_and_bias(
    params: Parameters, name: str, shape: Sequence[int], n_out: int, W: Initial
) -> tuple[SharedVariable, SharedVariable]:
    weights = params.add(f"{name}_W", W(params.numpy_rng, shape))
    return weights, params.add(f"{name}_b", np.zeros(n_out, pytensor.config.floatX))


def _count(name: str, what: str, number: Any) -> int:
    return integer(f"{name}: {what}", number)


def _channels(name: str, x: Variable) -> int:
    if x.type.ndim != 4 or x.type.shape[1] is None:
        raise InputError(f"{name}: x", f"shape {x.type.shape}", "(n, channels, h, w) with known channels")
    return int(x.type.shape[1])


def _n(x: Variable) -> int:
    """Return the number of images for a reshape: -1 where it is not known."""
    return -1 if x.type.shape[0] is None else x.type.shape[0]


def _by(size: Sequence[int], subsample: Any = 1) -> str:
    stride = pair("subsample", subsample)
    steps = (
        "" if stride == (1, 1) else f", stride {stride[0]}" if stride[0] == stride[1] else f", stride {stride[0]} x {stride[1]}"
    )
    return f"{size[0]} x {size[1]}{steps}"


def _and(f: Activation) -> str:
    name = getattr(f, "__name__", "a function")
    return "" if name == "linear" else f", {name}"
