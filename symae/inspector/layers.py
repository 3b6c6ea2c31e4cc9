"""The layers of a model as the inspector sees them: weights as pictures, one for each unit, and what the units compute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pytensor.graph.basic import Variable

from symae.inspector.layout import ImageLayout, guessed_layout, layout_of
from symae.inspector.pixels import mosaic, vector_shape
from symae.models import Autoencoder, ImageAutoencoder, LogisticRegression
from symae.models.base import Model
from symae.models.image_model import ImageModel
from symae.nn.layers import Layer as NamedLayer
from symae.nn.layers import layers_of

__all__ = ["FilterLayer", "code_and_output", "filter_layers", "image_layout"]


@dataclass(frozen=True, eq=False)
class FilterLayer:
    """A layer with weights.

    Attributes
    ----------
    name : str
        The weights' parameter.
    node : str
        What the layer's units compute, or, of a deconvolution, what its filters are added up by.
    kind : "dense", "convolution" or "deconvolution"
    expression : symbolic (n, units) or (n, units, h, w)
        The units' values.
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
    kind: str
    expression: Variable
    bias: str | None
    sees_pixels: bool
    threshold: float = 0.0
    draws_pixels: bool = False

    def weights(self, values: np.ndarray) -> np.ndarray:
        """The parameter's values with the unit as the first axis."""
        return values.T if self.kind == "dense" else values

    def pictures(self, values: np.ndarray, layout: ImageLayout) -> np.ndarray:
        """The weights of each unit as a picture, (units, h, w), or (units, h, w, 3) for the pixels of coloured images.

        Weights of several maps stand beside one another.
        """
        weights = self.weights(np.asarray(values))
        if weights.ndim == 4:
            if layout.coloured and (self.sees_pixels or self.draws_pixels):
                return np.ascontiguousarray(np.moveaxis(weights, 1, 3))
            return np.stack([mosaic(maps) for maps in weights])
        if weights.shape[1] == layout.size:
            return layout.pictures(weights)
        rows, columns = vector_shape(weights.shape[1])
        padded = np.zeros((len(weights), rows * columns), weights.dtype)
        padded[:, : weights.shape[1]] = weights
        return padded.reshape(-1, rows, columns)


def image_layout(model: Model, *told: ImageLayout | None) -> ImageLayout:
    """How the pixels lie in what `model` sees: as it says itself, as the first of `told` that fits says, or a guess."""
    if isinstance(model, ImageModel):
        channels, height, width = model.image_shape
        return ImageLayout(channels, height, width)
    pixels = model.n_visible if isinstance(model, Autoencoder) else getattr(model, "n_in", 1)
    own = None if model.image_shape is None else layout_of("image_shape", model.image_shape)
    fitting = [layout for layout in (own, *told) if layout is not None and layout.size == pixels]
    return fitting[0] if fitting else guessed_layout(pixels)


def code_and_output(model: Model) -> tuple[str | None, str | None]:
    """The names of the nodes that hold the code and the reconstruction, where the model has them."""
    if isinstance(model, ImageModel):
        return model.code_name, model.output_name
    return ("hidden", "reconstruction") if isinstance(model, Autoencoder) else (None, None)


def filter_layers(model: Model, nodes: Mapping[str, Variable]) -> list[FilterLayer]:
    """The layers of `model` that have weights, in the order in which they are computed.

    `nodes` are those of the model; some models build them anew each time that they are asked for.
    """
    if isinstance(model, Autoencoder):
        return [FilterLayer("W", "hidden", "dense", nodes["hidden"], "b", True, 0.5)]
    if isinstance(model, LogisticRegression):
        classes = model.n_out
        # a class is the more probable the less the others are, so its best input is not its weights
        return [FilterLayer("W", "p_y_given_x", "dense", nodes["p_y_given_x"], "b", False, 1 / classes)]
    if isinstance(model, ImageAutoencoder):
        return _cntk_layers(model, nodes)
    return _named_layers(layers_of([model.x], list(nodes.values())), code_and_output(model)[1])


def _cntk_layers(model: ImageAutoencoder, nodes: Mapping[str, Variable]) -> list[FilterLayer]:
    names = [name.removeprefix("conv") for name in nodes if name.startswith("conv")]
    down = [
        FilterLayer(f"W{name}", f"conv{name}", "convolution", nodes[f"conv{name}"], f"b{name}", not i)
        for i, name in enumerate(names)
    ]
    up = [
        FilterLayer(
            f"V{name}", f"unpool{name}", "deconvolution", nodes[f"unpool{name}"], None, False, draws_pixels=name == names[0]
        )
        for name in reversed(names)
    ]
    return [*down, *up]


def _named_layers(found: list[tuple[NamedLayer, Variable]], output: str | None) -> list[FilterLayer]:
    layers: list[FilterLayer] = []
    before: tuple[str, Variable] | None = None
    for layer, expression in found:
        if layer.params:
            weights, bias = layer.params[0], layer.params[1].name
            kind = next(kind for kind in ("deconvolution", "convolution", "dense") if layer.kind.startswith(kind))
            if kind == "deconvolution" and before is not None:
                draws = layer.name == output
                layers.append(FilterLayer(weights.name, before[0], kind, before[1], None, False, draws_pixels=draws))
            else:
                # the first layer, and layers that do not stand on another one with weights
                pixels = not any(known.kind != "reshape" for known, _ in found[: found.index((layer, expression))])
                layers.append(FilterLayer(weights.name, layer.name, kind, expression, bias, pixels))
        before = layer.name, expression
    return layers
