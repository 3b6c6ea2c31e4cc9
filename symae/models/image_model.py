"""What models of images share: an input of images or of rows of pixels, nodes by name, and evaluation in batches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor.variable import TensorVariable

from symae._runtime.checks import as_numbers, checked_counts, finite
from symae.compile.batched import BatchedFunction
from symae.errors import InputError
from symae.models.base import Model, checked_range
from symae.models.description import ModelDescription, named_layers

CHUNK = 100  # images at a time where a whole set is evaluated


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
        return self.evaluated(f"node {name}", self.node(name), X, backend=backend)

    def evaluated(self, key: str, expression: Variable, X: Any, *, backend: str | None = None) -> np.ndarray:
        """Compute `expression`, an entry for each image of `x`, for the images `X`; it is compiled once for each `key`."""
        images = self.checked_input("X", X)
        kept = self.__dict__.setdefault("_batched", {})
        if (key, backend) not in kept:
            kept[key, backend] = BatchedFunction(key, [expression], backend)
        batches = kept[key, backend]({self.x: images}, self.x.type.shape[0] or CHUNK, pad_last=True)
        return np.concatenate([np.asarray(values)[:n] for (values,), n in batches])

    def transform(self, X: Any, *, backend: str | None = None) -> np.ndarray:
        """Compute the codes of images, (n, ...)."""
        return self.node_values(self.code_name, X, backend=backend)

    def reconstruct(self, X: Any, *, backend: str | None = None) -> np.ndarray:
        """Draw images as the model does, (n, channels, h, w)."""
        return self.node_values(self.output_name, X, backend=backend)

    def mean_over(self, key: str, costs: Variable, X: Any, *, backend: str | None = None) -> float:
        """Compute the mean of `costs`, a number for each image, over the images `X`, of which there must be some."""
        values = self.evaluated(key, costs, X, backend=backend)
        if not len(values):
            raise InputError("X", "no images", "at least one")
        return float(values.mean(dtype=np.float64))

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
