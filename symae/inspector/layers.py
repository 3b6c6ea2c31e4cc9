"""The layers of a model as pictures, one for each unit."""

from __future__ import annotations

import numpy as np

from symae.inspector.layout import ImageLayout, guessed_layout, layout_of
from symae.inspector.pixels import mosaic, vector_shape
from symae.models.description import FilterLayer, ModelDescription


def filter_pictures(layer: FilterLayer, values: np.ndarray, layout: ImageLayout) -> np.ndarray:
    """Return the weights of each unit as a picture, (units, h, w), or (units, h, w, 3) for the pixels of coloured images.

    Weights of several maps stand beside one another.
    """
    weights = layer.weights(np.asarray(values))
    if weights.ndim == 4:
        if layout.coloured and (layer.sees_pixels or layer.draws_pixels):
            return np.ascontiguousarray(np.moveaxis(weights, 1, 3))
        return np.stack([mosaic(maps) for maps in weights])
    if weights.shape[1] == layout.size:
        return layout.pictures(weights)
    rows, columns = vector_shape(weights.shape[1])
    padded = np.zeros((len(weights), rows * columns), weights.dtype)
    padded[:, : weights.shape[1]] = weights
    return padded.reshape(-1, rows, columns)


def image_layout(model: ModelDescription, *told: ImageLayout | None) -> ImageLayout:
    """Return how the pixels lie in what a model sees: as it says itself, as the first of `told` that fits says, or a guess."""
    shape = model.image_shape
    if model.channels_first and shape is not None:
        channels, height, width = shape
        return ImageLayout(channels, height, width)
    own = None if shape is None else layout_of("image_shape", shape)
    pixels = model.pixels or 1
    return next((layout for layout in (own, *told) if layout is not None and layout.size == pixels), guessed_layout(pixels))
