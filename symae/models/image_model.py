"""What models of images share: an input of images or of rows of pixels, nodes by name, and evaluation in batches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, Self

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor.variable import TensorVariable

from symae._runtime.checks import as_numbers, checked_counts, finite
from symae.errors import InputError
from symae.models.base import Model, checked_range
from symae.models.description import ModelDescription, named_layers


class ImageModel(Model):
    """Hold a model whose input `x` is images (n, channels, h, w) or rows of their pixels.

    Attributes
    ----------
    image_shape : (channels, h, w)
    code_name, output_name : str
        The names of the nodes that hold the code and the reconstruction.
    """

    image_shape: tuple[int, ...]
    code_name: str
    output_name: str

    def _begin(self, input: Variable | None, image_shape: Sequence[int]) -> TensorVariable:
        """Take `input`, or make one of images; returns it as images, the first of the nodes."""
        self.image_shape = channels, h, w = checked_counts("image_shape", image_shape, 3)
        pixels = math.prod(self.image_shape)
        expected = f"symbolic images (n, {channels}, {h}, {w}) or rows of {pixels} pixels"
        if input is None:
            input = pt.tensor("input", dtype=pytensor.config.floatX, shape=(None, *self.image_shape))
        if not isinstance(input, Variable):
            raise InputError("input", f"a {type(input).__name__}", expected)
        if input.type.ndim not in (2, 4):
            raise InputError("input", f"{input.type.ndim} dimensions", expected)
        sizes = self.image_shape if input.type.ndim == 4 else (pixels,)
        if any(known not in (None, size) for known, size in zip(input.type.shape[1:], sizes, strict=True)):
            raise InputError("input", f"shape {input.type.shape}", expected)
        self.x = images = input
        if input.type.ndim == 2:
            n = input.type.shape[0]
            images = input.reshape((-1 if n is None else n, *self.image_shape))
        self._nodes = {"input": images}
        return images

    @property
    def images(self) -> TensorVariable:
        """The input as images, (n, channels, h, w)."""
        return self._nodes["input"]

    @property
    def nodes(self) -> dict[str, TensorVariable]:
        """What the model computes on the way from the images, by name."""
        return dict(self._nodes)

    def describe(self) -> ModelDescription:
        code, output = self.code_name, self.output_name
        known = replace(super().describe(), channels_first=True, code=code, output=output)
        return replace(known, layers=named_layers(self.x, known.nodes, output))

    def node_values(self, name: str, X: Any, *, backend: str | None = None) -> np.ndarray:
        """Compute the values of a node for the images `X`; its first axis counts them."""
        return self.evaluated(f"node {name}", self.node(name), {self.x: self.checked_input("X", X)}, backend)

    def _described_values(self, method: str, part: Literal["code", "output"], X: Any, backend: str | None) -> np.ndarray:
        return self.node_values(self.code_name if part == "code" else self.output_name, X, backend=backend)

    def training_data(self, X: Any, y: Any) -> dict[Variable, np.ndarray]:
        return {self.x: checked_range("X", self.checked_input("X", X), (0, 1), X)}

    def checked_input(self, name: str, X: Any) -> np.ndarray:
        """Return images (n, channels, h, w), or rows of their pixels, in the shape of the model's input."""
        images = as_numbers(name, X, "images", self.x.type.dtype)
        pixels = math.prod(self.image_shape)
        if images.shape[1:] not in {self.image_shape, (pixels,)}:
            raise InputError(name, f"shape {images.shape}", f"(n, {', '.join(map(str, self.image_shape))}) or (n, {pixels})")
        return finite(name, images).reshape((len(images), *(self.image_shape if self.x.type.ndim == 4 else (pixels,))))

    @classmethod
    def from_configuration(cls, configuration: Mapping[str, Any]) -> Self:
        return cls(np.random.RandomState(0), **configuration)  # type: ignore[call-arg]
