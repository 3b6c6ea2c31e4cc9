"""What the units of a decoder that is a function of a place give at every pixel, for the code of an image."""

from __future__ import annotations

import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.traversal import io_toposort

from symae.models import CoordinateVAE
from symae.models.base import Model
from symae.ops.coordinate_mlp import CoordinateLayers

__all__ = ["decoder_maps"]


def decoder_maps(model: Model) -> dict[str, Variable]:
    """The hidden layers of a coordinate network's decoder by name, each symbolic (n, units, h, w); none of other models."""
    if not isinstance(model, CoordinateVAE):
        return {}
    node: Apply = next(node for node in io_toposort([model.x], [model.output]) if isinstance(node.op, CoordinateLayers))
    places, images = node.inputs[:2]
    # the op gives what its layers give, but not the first one, which is a sum of two terms
    layers = [pt.maximum(places[None] + images[:, None], 0), *node.outputs[1:]]
    _, h, w = model.image_shape
    # with a pose, every place of every image is a place of its own, and both are in one row
    return {
        f"decoder{number}": layer.reshape((-1, h, w, units)).dimshuffle(0, 3, 1, 2)
        for number, (layer, units) in enumerate(zip(layers, _units(node), strict=True), 1)
    }


def _units(node: Apply) -> list[int]:
    """How many units the hidden layers have: each is what the weights of the next one take."""
    return [int(weights.type.shape[0]) for weights in node.inputs[2::2]]
