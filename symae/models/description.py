"""What a model says of itself to those who show it: which nodes are its code and its drawing, and which layers have filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pytensor.graph.basic import Variable
from pytensor.tensor.variable import TensorVariable

from symae.nn.layers import layers_of
from symae.optimizers import Updates

LayerKind = Literal["dense", "convolution", "deconvolution"]


@dataclass(frozen=True, eq=False)
class FilterLayer:
    """Describe a layer with weights.

    Attributes
    ----------
    name : str
        The weights' parameter.
    node : str
        What the layer's units compute, or, of a deconvolution, what its filters are added up by.
    expression : symbolic (n, units) or (n, units, h, w)
        The units' values.
    kind : "dense", "convolution" or "deconvolution"
    bias : str or None
        The parameter that holds a bias for each unit.
    sees_pixels : bool
        Each unit is a rising function of the product of its weights with the image itself.
    threshold : float
        A unit above it is active.
    draws_pixels : bool
        Its filters are pieces of the images that the model draws.
    """

    name: str
    node: str
    expression: Variable
    kind: LayerKind = "dense"
    bias: str | None = None
    sees_pixels: bool = False
    threshold: float = 0.0
    draws_pixels: bool = False

    def weights(self, values: np.ndarray) -> np.ndarray:
        """Return the parameter's values with the unit as the first axis."""
        return values.T if self.kind == "dense" else values


@dataclass(frozen=True, eq=False)
class ModelDescription:
    """Describe a model for ``symae inspect`` and its siblings; all but the nodes may be left out.

    Attributes
    ----------
    nodes : mapping of name to symbolic variable
        What the model computes on its way, beginning with the input.
    pixels : int or None
        How many numbers an image has; None where that is not known, and then no image is shown to the model.
    image_shape : tuple of int or None
        As `symae.models.base.Model.image_shape`.
    channels_first : bool
        `image_shape` is (channels, h, w), whatever its numbers are.
    layers : sequence of FilterLayer
        The layers with weights, in the order in which they are computed.
    code, output : str or None
        The names of the nodes that hold the code and the reconstruction, of models that draw.
    code_size : int or None
        How many numbers a code has, where it is a vector and the node's own shape does not tell.
    corruption_level : float
        The share of pixels that training sets to zero, which a drawing is damaged by at first.
    training_step : function () -> (cost, updates), or None
        The graph of one step, as the model's worksheet has it.
    pose : sequence of str
        The names of the numbers that the node ``pose`` has, of models whose decoder takes them beside the code.
    draw_at : function (code, points, pose or None) -> symbolic (n, channels * m), or None
        The pixels, from 0 to 1, channel after channel, of images with these codes at any points (m, 2), which lie as
        `symae.models.coordinates` has them: of models that draw at any size.
    decoder_maps : mapping of name to symbolic (n, units, h, w)
        What the units of such a decoder give at every pixel, for the code of an image.
    graphs : mapping of name to sequence of symbolic variables, or None
        What is drawn as graphs; by default those of the reconstruction and of the code, or without them of each node.

    Examples
    --------
    In a class of one's own, derived from `symae.models.Model`, whose parameter ``A`` takes 784 pixels to 2 numbers:

    >>> def describe(self):
    ...     nodes = self.nodes
    ...     layer = FilterLayer("A", "code", nodes["code"], sees_pixels=True)
    ...     return ModelDescription(nodes, pixels=784, layers=[layer], code="code", output="drawn", code_size=2)
    """

    nodes: Mapping[str, TensorVariable]
    pixels: int | None = None
    image_shape: tuple[int, ...] | None = None
    channels_first: bool = False
    layers: Sequence[FilterLayer] = ()
    code: str | None = None
    output: str | None = None
    code_size: int | None = None
    corruption_level: float = 0.0
    training_step: Callable[[], tuple[TensorVariable, Updates]] | None = None
    pose: Sequence[str] = ()
    draw_at: Callable[[Variable, Variable, Variable | None], Variable] | None = None
    decoder_maps: Mapping[str, Variable] | None = None
    graphs: Mapping[str, Sequence[Variable]] | None = None

    @property
    def drawn_from(self) -> tuple[str, str] | None:
        """The names of the code and of the reconstruction, if the model has both."""
        return None if self.code is None or self.output is None else (self.code, self.output)


def named_layers(x: Variable, nodes: Mapping[str, Variable], output: str | None = None) -> list[FilterLayer]:
    """Return the layers of `symae.nn` with weights between `x` and `nodes`; `output` is the node that is drawn, if one is."""
    layers: list[FilterLayer] = []
    before: tuple[str, Variable] | None = None
    sees_pixels = True
    for layer, expression in layers_of([x], list(nodes.values())):
        kinds: tuple[LayerKind, ...] = ("deconvolution", "convolution", "dense")
        kind = next((kind for kind in kinds if layer.kind.startswith(kind)), None)
        if kind is not None:
            W, b = layer.params
            if kind == "deconvolution" and before is not None:
                layers.append(FilterLayer(W.name, *before, kind, draws_pixels=layer.name == output))
            else:
                layers.append(FilterLayer(W.name, layer.name, expression, kind, b.name, sees_pixels))
        # the first layer sees pixels, and so do layers that have nothing but changes of shape before them
        sees_pixels = sees_pixels and layer.kind == "reshape"
        before = layer.name, expression
    return layers
