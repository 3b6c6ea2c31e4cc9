"""What the units of a decoder that is a function of a point give at every pixel, for the code of an image."""

from __future__ import annotations

import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.traversal import io_toposort

from symae.ops.coordinate_mlp import CoordinateLayers


def decoder_maps(x: Variable, output: Variable, size: tuple[int, ...]) -> dict[str, Variable]:
    """Return the hidden layers of the decoder between `x` and `output` by name, each symbolic (n, units, *size)."""
    node: Apply = next(node for node in io_toposort([x], [output]) if isinstance(node.op, CoordinateLayers))
    points, images = node.inputs[:2]
    # the op gives what its layers give, but not the first one, which is a sum of two terms
    layers = [pt.maximum(points[None] + images[:, None], 0), *node.outputs[1:]]
    # each layer has as many units as the weights of the next one take
    units = [int(weights.type.shape[0]) for weights in node.inputs[2::2]]
    # with a pose, every point of every image is a point of its own, and all are in one row
    return {
        f"decoder{number}": layer.reshape((-1, *size, count)).dimshuffle(0, 3, 1, 2)
        for number, (layer, count) in enumerate(zip(layers, units, strict=True), 1)
    }
