"""A fully connected network at every pair of a place and an image, without the concatenation of what it sees there.

The first layer of a network that sees a place (u, v) and a code z is W (u, v, z) + b = (W_uv (u, v) + b) + W_z z: a term of the
place and a term of the image, both small. Only their sums are as many as there are pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.variable import TensorVariable

from symae.errors import InputError
from symae.ops.arguments import FLOATS, as_array
from symae.ops.traced import Arrays, TracedOp
from symae.typing import TensorLike


def coordinate_layers(places: TensorLike, images: TensorLike, layers: Sequence[tuple[Any, Any]]) -> TensorVariable:
    """Apply layers to the rectified sums of a term of each position and a term of each image.

    .. math::

        h_0 = \\max(P_m + Q_n, 0), \\quad h_i = \\max(h_{i-1} W_i + b_i, 0), \\quad y_{nm} = h_{k-1} W_k + b_k

    Parameters
    ----------
    places : (m, h), P
    images : (n, h), Q
    layers : sequence of (W, b), W (units of the layer before, units) and b (units,)
        The hidden layers and the last, which is linear. It is meant to have few units.

    Returns
    -------
    (n, m, units of the last layer)

    Raises
    ------
    InputError
        No layers, other numbers of dimensions, or sizes that do not fit.
    TypeError
        Not floats.
    """
    if not len(layers):
        raise InputError("coordinate_layers, layers", "none", "at least one")
    return CoordinateLayers(len(layers))(places, images, *(v for layer in layers for v in layer), return_list=True)[0]


class _Coordinates(TracedOp):
    """Hold what the op and its gradient share. `depth` is the number of layers."""

    __props__: tuple[str, ...] = ("depth",)

    def __init__(self, depth: int):
        self.depth = depth

    def check_shapes(self, P: Sequence[Any], Q: Sequence[Any], layers: Sequence[Sequence[Any]]) -> None:
        """Compare whatever sizes are known (None is unknown) and say which do not fit."""

        def differ(a: Any, b: Any) -> bool:
            return a is not None and b is not None and a != b

        if differ(P[1], Q[1]):
            raise InputError("coordinate_layers", f"{P[1]} units of places", f"{Q[1]}, as many as of images")
        width = P[1] if P[1] is not None else Q[1]
        for number, (W, b) in enumerate(zip(layers[::2], layers[1::2], strict=True), 1):
            if differ(W[0], width) or differ(W[1], b[0]):
                found = f"layer {number}: weights of shape {tuple(W)} and {b[0]} biases"
                raise InputError("coordinate_layers", found, f"weights ({width}, {W[1]}) and {W[1]} biases")
            width = b[0] if b[0] is not None else W[1]

    def threads(self, node: Apply) -> Any:
        from symae.kernels.parallel.parts import threads_for_multiplications

        P, Q, *layers = (v.type.shape for v in node.inputs)
        return threads_for_multiplications([P[0], Q[0], *layers[0]])

    def numba_key(self, node: Apply) -> Any:
        return node.outputs[0].type.dtype, self.threads(node)

    def layers_of(self, inputs: Sequence[Any]) -> tuple[Any, Any, list[Any], list[Any]]:
        P, Q, *rest = inputs[: 2 + 2 * self.depth]
        return P, Q, rest[::2], rest[1::2]


class CoordinateLayers(_Coordinates):
    """Compute (P, Q, W_1, b_1, …) -> y, and with `keep` what each hidden layer gives, which the gradient needs."""

    __props__ = ("depth", "keep")

    def __init__(self, depth: int, keep: bool = True):
        super().__init__(depth)
        self.keep = keep

    def make_node(self, *inputs: Any) -> Apply:
        arrays = []
        for position, value in enumerate(inputs):
            layer, kind = divmod(position - 2, 2)
            name = ("places", "images")[position] if position < 2 else f"layer {layer + 1}, {('W', 'b')[kind]}"
            array, ndim = as_array(f"coordinate_layers, {name}", value), 1 if position > 1 and kind else 2
            if array.type.ndim != ndim:
                raise InputError(f"coordinate_layers, {name}", f"{array.type.ndim} dimensions", str(ndim))
            if array.type.dtype not in FLOATS:
                expected = " or ".join(FLOATS)
                raise TypeError(f"coordinate_layers, {name}: found dtype {array.type.dtype}, expected {expected}")
            arrays.append(array)
        P, Q, *layers = (v.type.shape for v in arrays)
        self.check_shapes(P, Q, layers)
        dtype = str(np.result_type(*(v.type.dtype for v in arrays)))
        widths = [W[1] if W[1] is not None else b[0] for W, b in zip(layers[::2], layers[1::2], strict=True)]
        shapes = [widths[-1], *(widths[:-1] if self.keep else [])]
        outputs = [pt.TensorType(dtype, shape=(Q[0], P[0], width))() for width in shapes]
        return Apply(self, [pt.cast(v, dtype) for v in arrays], outputs)

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        P, Q, *layers = shapes
        widths = [W[1] for W in layers[::2]]
        return [(Q[0], P[0], width) for width in (widths[-1], *(widths[:-1] if self.keep else []))]

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        if any(not isinstance(c.type, DisconnectedType) for c in cotangents[1:]):
            raise NotImplementedError("coordinate_layers: the gradient of a hidden layer's results")
        if not self.keep:
            outputs = CoordinateLayers(self.depth)(*inputs, return_list=True)
        return list(CoordinateGradient(self.depth)(*inputs, *outputs[1:], cotangents[0], return_list=True))

    def _computed(self, inputs: Sequence[Any], rectify: Callable[[Any], Any]) -> list[Any]:
        P, Q, weights, biases = self.layers_of(inputs)
        shapes = [v.shape for pair in zip(weights, biases, strict=True) for v in pair]
        self.check_shapes(P.shape, Q.shape, shapes)
        h = rectify(P[None] + Q[:, None])
        results = []
        for W, b in zip(weights[:-1], biases[:-1], strict=True):
            h = rectify(h @ W + b)
            results.append(h)
        return [h @ weights[-1] + biases[-1], *(results if self.keep else [])]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        for storage, result in zip(output_storage, self._computed(inputs, lambda x: np.maximum(x, 0)), strict=True):
            storage[0] = result

    def traced(self, xp: Arrays, node: Apply, *inputs: Any) -> Any:
        results = self._computed(inputs, lambda x: xp.where(x <= 0, xp.zeros((), x), x))
        return tuple(results) if self.keep and self.depth > 1 else results[0]

    def numba(self, node: Apply) -> Callable[..., Any]:
        from pytensor.link.numba.dispatch.basic import numba_njit

        from symae.kernels.coordinate_mlp import forward

        dtype = np.dtype(node.outputs[0].type.dtype)
        kernel = forward(self.threads(node), self.keep, self.depth, dtype.itemsize)
        names = _Names(self.depth)
        hidden = [f"np.empty((Q.shape[0], P.shape[0], W{i}.shape[1]), dtype)" for i in range(self.depth - 1)]
        nothing = "(np.empty((0, 0, 0), dtype),)"
        source = [
            f"def layers(P, Q, {names.arguments}):",
            "    P, Q = np.ascontiguousarray(P), np.ascontiguousarray(Q)",
            f"    hidden = ({', '.join(hidden)},)" if hidden and self.keep else f"    hidden = {nothing}",
            f"    y = np.empty((Q.shape[0], P.shape[0], W{self.depth - 1}.shape[1]), dtype)",
            f"    kernel(P, Q, {names.weights}, {names.biases}, hidden, y)",
            f"    return {', '.join(['y', *(f'hidden[{i}]' for i in range(self.depth - 1) if self.keep)])}",
        ]
        return _compiled(source, "layers", numba_njit, {"kernel": kernel, "dtype": dtype})


class CoordinateGradient(_Coordinates):
    """Compute (P, Q, W_1, b_1, …, what the hidden layers gave, g) -> the gradients for P, Q, W_1, b_1, …"""

    def make_node(self, *inputs: Any) -> Apply:
        arrays = [pt.as_tensor(v) for v in inputs]
        arrays[-1] = pt.cast(arrays[-1], arrays[0].type.dtype)
        return Apply(self, arrays, [v.type() for v in arrays[: 2 + 2 * self.depth]])

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return list(shapes[: 2 + 2 * self.depth])

    def _computed(self, xp: Any, inputs: Sequence[Any]) -> list[Any]:
        P, Q, weights, _ = self.layers_of(inputs)
        *hidden, g = inputs[2 + 2 * self.depth :]
        h0 = P[None] + Q[:, None]
        outputs = [xp.where(h0 <= 0, xp.zeros((), h0), h0), *hidden]
        gradients: list[Any] = []
        d = g
        for h, W in zip(outputs[::-1], weights[::-1], strict=True):
            positions = d.shape[0] * d.shape[1]
            flat, rows = (v.reshape((positions, width)) for v, width in zip((d, h), W.shape[::-1], strict=True))
            # XLA reads `rows` as they are in this order, and would transpose all of them for a layer of one unit in the other
            gradients = [(flat.T @ rows).T, flat.sum(0), *gradients]
            d = d @ W.T
            d = xp.where(h <= 0, xp.zeros((), d), d)
        # XLA adds up over the first axis, in steps of a whole image, thirty times as slowly as it multiplies by ones
        n, m, h = d.shape
        of_places = (xp.zeros((1, n), d) + 1) @ d.reshape((n, m * h))
        return [of_places.reshape((m, h)), d.sum(1), *gradients]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        for storage, result in zip(output_storage, self._computed(_NumPy, inputs), strict=True):
            storage[0] = result

    def traced(self, xp: Arrays, node: Apply, *inputs: Any) -> Any:
        return tuple(self._computed(xp, inputs))

    def numba(self, node: Apply) -> Callable[..., Any]:
        from pytensor.link.numba.dispatch.basic import numba_njit

        from symae.kernels.coordinate_mlp import backward
        from symae.kernels.parallel.parts import parts_for

        dtype = np.dtype(node.outputs[0].type.dtype)
        threads = self.threads(node)
        names = _Names(self.depth)
        layers = range(self.depth)
        kept = [f"h{i}" for i in range(self.depth - 1)]
        hidden = f"({', '.join(kept)},)" if kept else "(np.empty((0, 0, 0), dtype),)"
        sums_W = ", ".join(f"np.zeros((parts, W{i}.shape[0], W{i}.shape[1]), dtype)" for i in layers)
        sums_b = ", ".join(f"np.zeros((parts, b{i}.size), np.float64)" for i in layers)
        results = ", ".join(f"sums_W[{i}][0], sums_b[{i}][0].astype(dtype)" for i in layers)
        source = [
            f"def gradients(P, Q, {', '.join([names.arguments, *kept, 'g'])}):",
            "    P, Q, g = np.ascontiguousarray(P), np.ascontiguousarray(Q), np.ascontiguousarray(g)",
            *(f"    {h} = np.ascontiguousarray({h})" for h in kept),
            f"    sums_W, sums_b = ({sums_W},), ({sums_b},)",
            f"    gP, gQ = kernel(P, Q, {names.weights}, {hidden}, g, sums_W, sums_b)",
            f"    return gP, gQ, {results}",
        ]
        scope = {"kernel": backward(threads, self.depth, dtype.itemsize), "dtype": dtype, "parts": parts_for(threads)}
        return _compiled(source, "gradients", numba_njit, scope)


class _Names:
    """Write source lines for each depth, as Numba has no functions of a varying number of arrays."""

    def __init__(self, depth: int):
        self.arguments = ", ".join(f"W{i}, b{i}" for i in range(depth))
        self.weights = f"({', '.join(f'np.ascontiguousarray(W{i})' for i in range(depth))},)"
        self.biases = f"({', '.join(f'np.ascontiguousarray(b{i})' for i in range(depth))},)"


def _compiled(source: Sequence[str], name: str, jit: Callable[..., Any], scope: dict[str, Any]) -> Callable[..., Any]:
    scope["np"] = np
    exec("\n".join(source), scope)
    return jit(error_model="numpy", fastmath=False)(scope[name])


class _NumPy:
    """Provide, in NumPy, what `CoordinateGradient` uses of a traced backend's functions."""

    where = staticmethod(np.where)

    @staticmethod
    def zeros(shape: Sequence[int], like: Any) -> Any:
        return np.zeros(shape, like.dtype)
