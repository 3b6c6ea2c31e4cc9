"""Keras's convolutional autoencoders: one that pools and repeats pixels, and one with strides and a code of a few numbers.

Source: the Keras blog's "Building autoencoders in Keras" (2016), and for the strided model Guo, Liu, Zhu and Yin (2017), "Deep
clustering with convolutional autoencoders".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor.variable import TensorVariable

from symae import nn
from symae._runtime.checks import checked_count, checked_counts
from symae.errors import InputError
from symae.models.base import configured
from symae.models.fitting import FitDefaults
from symae.models.image_model import ImageModel
from symae.nn.weights import Seed
from symae.optimizers import Updates, adadelta


class _KerasAutoencoder(ImageModel):
    """Hold what the two have in common: layers by name, a sigmoid at the end, binary cross-entropy."""

    output: TensorVariable
    cost: TensorVariable
    fit_defaults = FitDefaults(epochs=10, batch_size=128, learning_rate=1.0)

    def _node(self, y: Variable) -> TensorVariable:
        self._nodes[y.name] = y
        return y

    def _end(self, params: nn.Parameters, code: Variable, output: Variable) -> None:
        self.code, self.output = code, output
        self.code_name, self.output_name = code.name, output.name
        self.params = list(params)
        self.parameter_names = params.names
        self.cost = nn.binary_cross_entropy(self.images, output)

    def get_cost_updates(
        self, target: Variable | None = None, learning_rate: Any = 1.0, rho: Any = 0.95
    ) -> tuple[TensorVariable, Updates]:
        """Return the cost of a minibatch, and the updates of one step of Adadelta on it.

        Parameters
        ----------
        target : symbolic (n, c, h, w), optional
            What should be drawn; the input itself if None. For denoising the input is noisy and this is clean.
        learning_rate, rho : float
            As in `symae.optimizers.adadelta`.

        Returns
        -------
        cost : binary cross-entropy in nats per pixel, mean over pixels and minibatch
        updates : list of pairs
        """
        costs = self.cost if target is None else nn.binary_cross_entropy(target, self.output)
        cost = pt.mean(costs)
        return cost, adadelta(cost, self.params, learning_rate, rho)

    def example_costs(self) -> TensorVariable:
        """Return the binary cross-entropy of each reconstruction, in nats per pixel."""
        return self.cost


class ConvolutionalAutoencoder(_KerasAutoencoder):
    """Convolve, rectify and pool 2 x 2 maxima, layer after layer; the decoder mirrors the layers with upsampling.

    With maps 16, 8, 8 and 28 x 28 pixels::

        conv1 16 3x3  28 x 28   pool1  14 x 14        conv4  8 3x3   4 x 4   up1   8 x 8
        conv2  8 3x3  14 x 14   pool2   7 x 7         conv5  8 3x3   8 x 8   up2  16 x 16
        conv3  8 3x3   7 x 7    pool3   4 x 4  code   conv6 16 valid 14 x 14  up3  28 x 28
                                                      output 1 3x3, sigmoid

    Pooling is "same": 7 rows become 4. Where that has made the decoder's maps two pixels too large, its convolution has no
    padding.

    Parameters
    ----------
    numpy_rng : RandomState, Generator or int
        Draws the weights: Glorot's uniform ones; biases begin at zero. See `symae.nn.check_random_state`.
    input : symbolic (n, c, h, w) or (n, c * h * w), optional
        What is encoded, pixels from 0 to 1; a new tensor ``input`` if None.
    maps : sequence of int
        Maps of the encoder's layers. (16, 8, 8) is Keras's plain model, (32, 32) the one for denoising.
    image_shape : (c, h, w)

    Attributes
    ----------
    x : the input
    code : symbolic (n, maps[-1], h', w')
    output : symbolic (n, c, h, w), values from 0 to 1
    cost : symbolic (n,), binary cross-entropy of each image in nats per pixel
    params : for each layer its ``<name>_W`` and ``<name>_b``

    Raises
    ------
    InputError
        A setting is not as above, or the decoder does not come back to the height and width of the images.
    """

    def __init__(
        self,
        numpy_rng: Seed,
        input: Variable | None = None,
        maps: Sequence[int] = (16, 8, 8),
        image_shape: Sequence[int] = (1, 28, 28),
    ):
        self.maps = checked_counts("maps", maps)
        y = self._begin(input, image_shape)
        params, channels = nn.Parameters(numpy_rng), self.image_shape[0]
        sizes = [self.image_shape[1:]]
        for number, m in enumerate(self.maps, 1):
            y = self._node(nn.conv(params, f"conv{number}", y, m, 3, activation="relu"))
            y = self._node(nn.max_pool(f"pool{number}", y, 2))
            sizes.append(y.type.shape[2:])
        code = y
        for up, m in enumerate(reversed(self.maps), 1):
            level = sizes[-up]
            too_large = [a - b for a, b in zip(y.type.shape[2:], level, strict=True)]
            border_mode = "valid" if too_large == [2, 2] else "same"
            number = len(self.maps) + up
            y = self._node(nn.conv(params, f"conv{number}", y, m, 3, activation="relu", border_mode=border_mode))
            y = self._node(nn.upsample(f"up{up}", y, 2))
        if y.type.shape[2:] != sizes[0]:
            step = 2 ** len(self.maps)
            h, w = (step * max(1, round(n / step)) for n in sizes[0])
            near = f"({channels}, {h}, {w}) fits, --image-shape {channels}x{h}x{w} of a worksheet"
            drawn = "{} x {}".format(*y.type.shape[2:])
            raise InputError("image_shape", f"{self.image_shape}", f"what the decoder comes back to, not {drawn}; {near}")
        y = self._node(nn.conv(params, "output", y, channels, 3, activation="sigmoid"))
        self._end(params, code, y)

    def configuration(self) -> dict[str, Any]:
        return {"maps": list(self.maps), "image_shape": list(self.image_shape)}

    @classmethod
    def parameter_shapes(cls, configuration: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        maps, image_shape = configured(configuration, "maps", "image_shape")
        maps, channels = checked_counts("maps", maps), checked_counts("image_shape", image_shape, 3)[0]
        shapes: dict[str, tuple[int, ...]] = {}
        below = channels
        names = [*(f"conv{number}" for number in range(1, 2 * len(maps) + 1)), "output"]
        for name, m in zip(names, (*maps, *reversed(maps), channels), strict=True):
            shapes |= {f"{name}_W": (m, below, 3, 3), f"{name}_b": (m,)}
            below = m
        return shapes


class StridedAutoencoder(_KerasAutoencoder):
    """Convolve with stride 2 to a fully connected code of a few numbers; the decoder mirrors this with deconvolutions.

    For 28 x 28 pixels::

        conv1  32 5x5 / 2        14 x 14        dense   1152
        conv2  64 5x5 / 2         7 x 7         deconv1 64 3x3 / 2 valid   7 x 7
        conv3 128 3x3 / 2 valid   3 x 3         deconv2 32 5x5 / 2        14 x 14
        code, fully connected                   output   1 5x5 / 2, sigmoid

    Each layer but the code and the output is rectified.

    Parameters
    ----------
    numpy_rng, input, image_shape
        As in `ConvolutionalAutoencoder`.
    code : int
        How many numbers an image becomes.
    maps : (int, int, int)
        Maps of the encoder's layers.

    Attributes
    ----------
    x, output, cost, params
        As in `ConvolutionalAutoencoder`.
    code : symbolic (n, code)

    Raises
    ------
    InputError
        A setting is not as above.
    """

    fit_defaults = FitDefaults(epochs=10, batch_size=256, learning_rate=1.0)

    def __init__(
        self,
        numpy_rng: Seed,
        input: Variable | None = None,
        code: int = 10,
        maps: Sequence[int] = (32, 64, 128),
        image_shape: Sequence[int] = (1, 28, 28),
    ):
        (self.n_code,) = checked_counts("code", code, 1)
        self.maps = checked_counts("maps", maps, 3)
        y = self._begin(input, image_shape)
        params, channels = nn.Parameters(numpy_rng), self.image_shape[0]
        if min(self.image_shape[1:]) < 9:  # 9 -> 5 -> 3 -> 1
            raise InputError("image_shape", f"{self.image_shape}", "images of at least 9 x 9")
        sizes = [self.image_shape[1:]]
        kernels, borders = (5, 5, 3), ("same", "same", "valid")
        for number, (m, kernel, border) in enumerate(zip(self.maps, kernels, borders, strict=True), 1):
            y = nn.conv(params, f"conv{number}", y, m, kernel, activation="relu", border_mode=border, subsample=2)
            sizes.append(self._node(y).type.shape[2:])
        flat = nn.flatten("flat", y)
        coded = self._node(nn.dense(params, "code", flat, self.n_code))
        y = self._node(nn.dense(params, "dense", coded, flat.type.shape[1], activation="relu"))
        y = nn.reshape("maps", y, (self.maps[-1], *sizes[-1]))
        # (maps, kernel, border, size) of each deconvolution: what the encoder's layer of the same place saw
        back = list(zip((channels, *self.maps[:2]), kernels, borders, sizes[:3], strict=True))[::-1]
        for number, (m, kernel, border, size) in enumerate(back, 1):
            name, activation = (f"deconv{number}", "relu") if number < len(back) else ("output", "sigmoid")
            y = nn.deconv(params, name, y, m, kernel, activation=activation, border_mode=border, subsample=2, output_shape=size)
            self._node(y)
        self._end(params, coded, y)

    def configuration(self) -> dict[str, Any]:
        return {"code": self.n_code, "maps": list(self.maps), "image_shape": list(self.image_shape)}

    @classmethod
    def parameter_shapes(cls, configuration: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        code, maps, image_shape = configured(configuration, "code", "maps", "image_shape")
        n_code, (m1, m2, m3) = checked_count("code", code), checked_counts("maps", maps, 3)
        channels, *size = checked_counts("image_shape", image_shape, 3)
        # halved twice, the odd pixel kept, and once without padding
        flat = m3 * math.prod(((n + 3) // 4 - 1) // 2 for n in size)
        weights = {
            "conv1": ((m1, channels, 5, 5), m1),
            "conv2": ((m2, m1, 5, 5), m2),
            "conv3": ((m3, m2, 3, 3), m3),
            "code": ((flat, n_code), n_code),
            "dense": ((n_code, flat), flat),
            "deconv1": ((m3, m2, 3, 3), m2),
            "deconv2": ((m2, m1, 5, 5), m1),
            "output": ((m1, channels, 5, 5), channels),
        }
        return {f"{name}_{kind}": shape for name, (W, b) in weights.items() for kind, shape in (("W", W), ("b", (b,)))}
