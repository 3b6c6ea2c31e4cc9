"""A variational autoencoder whose decoder is a function of a place in the image, so that it draws at any resolution.

Source: the resolution-independent image model of a Chainer tutorial; variational autoencoders are by Kingma and Welling (2014),
images as functions of coordinates by Stanley (2007), "Compositional pattern producing networks".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import io_toposort
from pytensor.tensor.variable import TensorVariable

from symae import nn
from symae._runtime.blas_threads import blas_threads
from symae._runtime.checks import checked_count, checked_counts
from symae.errors import InputError
from symae.models.arguments import streams_of
from symae.models.base import checked_matrix, configured
from symae.models.description import ModelDescription
from symae.models.fitting import FitDefaults
from symae.models.image_model import ImageModel
from symae.nn.weights import Seed, check_random_state
from symae.ops.coordinate_mlp import CoordinateLayers, coordinate_layers
from symae.optimizers import Updates, adam
from symae.random import RandomStreams

ENCODER = (256, 256)
DECODER, AFFINE_DECODER = (256, 256, 256), (32, 64, 32)
POSE = ("scale", "angle", "shift across", "shift down")
STRIP = 32768  # places that are drawn at a time


def coordinates(height: int, width: int) -> np.ndarray:
    """Return where the pixels of an image of that size lie: (height * width, 2), row by row, in floatX.

    The first column is u, from -1 at the left to 1 at the right, the second v, from -1 at the top to 1 at the bottom; the
    outermost pixels lie at exactly -1 and 1, and a single one in the middle.
    """
    v, u = np.meshgrid(_line(height), _line(width), indexing="ij")
    return np.stack([u.ravel(), v.ravel()], axis=1).astype(pytensor.config.floatX)


def _line(n: int) -> np.ndarray:
    return np.linspace(-1, 1, n) if n > 1 else np.zeros(1)


class CoordinateVAE(ImageModel):
    """Encode images and draw each pixel as a function of its position (u, v) and the image's code z: a variational autoencoder.

    ::

        input 784 -> 256 -> 256 -> mean of z, logarithm of its variance
        (u, v, z) -> 256 -> 256 -> 256 -> logit of the pixel      for each pixel; of colours three

    All layers but the last of each are rectified. The decoder's first layer never sees (u, v, z) of every pixel: its product is
    a term of (u, v) plus a term of z (`symae.ops.coordinate_mlp`).

    With `affine` the encoder also says where the digit stands: the decoder, 32 -> 64 -> 32 units, sees coordinates that are
    moved to the digit's middle, turned and scaled, so that z has to say only what it looks like::

        (u', v') = exp(-s) R(-a) ((u, v) - (t_u, t_v))

    Parameters
    ----------
    numpy_rng : RandomState, Generator or int
        Draws the weights: He's normal ones; biases begin at zero, and so does the layer of the pose. See
        `symae.nn.check_random_state`.
    theano_rng : RandomStreams, optional
        Draws the training's random numbers; one with a seed from `numpy_rng` if None.
    input : symbolic (n, 784) or (n, 1, 28, 28), or as `image_shape` says, optional
        Pixels from 0 to 1; a new matrix ``input`` if None.
    n_latent : int
        Numbers in a code.
    affine : bool
    image_shape : (channels, h, w)

    Attributes
    ----------
    x : the input
    mean, log_variance : symbolic (n, n_latent)
    pose : symbolic (n, 4), s, a in radians, t_u and t_v; None without `affine`
    output : symbolic (n, channels, h, w), the probabilities drawn from `mean`
    params : the layers' weights and biases, ``<layer>_W`` and ``<layer>_b``

    Raises
    ------
    InputError
        A setting is not as above.
    """

    code_name, output_name = "mean", "output"
    fit_defaults = FitDefaults(epochs=10, batch_size=64, learning_rate=0.001)

    def __init__(
        self,
        numpy_rng: Seed,
        theano_rng: RandomStreams | None = None,
        input: Variable | None = None,
        n_latent: int = 8,
        affine: bool = False,
        image_shape: Sequence[int] = (1, 28, 28),
    ):
        (self.n_latent,) = checked_counts("n_latent", n_latent, 1)
        if not isinstance(affine, bool):
            raise InputError("affine", repr(affine), "True or False")
        shape = checked_counts("image_shape", image_shape, 3)
        self.affine = affine
        numpy_rng = check_random_state(numpy_rng)
        self.theano_rng = streams_of(numpy_rng, theano_rng, "uniform", "normal")
        pixels = math.prod(shape)
        if input is None:
            input = pt.tensor("input", dtype=pytensor.config.floatX, shape=(None, pixels))
        self._begin(input, image_shape)
        self._parameters = params = nn.Parameters(numpy_rng)
        self._encode()
        self._layers = AFFINE_DECODER if affine else DECODER
        below = 2 + self.n_latent
        for number, units in enumerate((*self._layers, shape[0]), 1):
            params.add(f"decoder{number}_W", nn.he_normal(numpy_rng, (below, units)))
            params.add(f"decoder{number}_b", np.zeros(units, pytensor.config.floatX))
            below = units
        self.params, self.parameter_names = list(params), params.names
        self._places = pt.constant(coordinates(*shape[1:]))
        logits = self.logits(self.mean, self._places, self.pose)
        self.output = pt.sigmoid(nn.reshape("output", logits, shape))
        self._nodes |= {"mean": self.mean, "log_variance": self.log_variance}
        if self.pose is not None:
            self._nodes["pose"] = self.pose
        self._nodes["output"] = self.output
        self._add_costs(logits)

    def _encode(self) -> None:
        """Compute the distribution of z, and the pose."""
        params = self._parameters
        n, pixels = self.x.type.shape[0], math.prod(self.image_shape)
        known = self.x.type.shape[1:] == (pixels,)
        self._rows = h = self.x if known else self.x.reshape((-1 if n is None else n, pixels))
        for number, units in enumerate(ENCODER, 1):
            h = nn.dense(params, f"encoder{number}", h, units, activation="relu", W=nn.he_normal)
        self.mean = nn.dense(params, "mean", h, self.n_latent, W=nn.he_normal)
        self.log_variance = nn.dense(params, "log_variance", h, self.n_latent, W=nn.he_normal)
        self.pose = nn.dense(params, "pose", h, 4, W=_zeros) if self.affine else None

    def _add_costs(self, logits: Variable) -> None:
        """Compute the costs of training, with its random numbers, and that of drawing from the mean."""
        rows, pixels = self._rows, float(np.prod(self.image_shape))
        binary = pt.cast(self.theano_rng.uniform(size=self.x.shape) < self.x, self.x.type.dtype)
        encoded = [self.mean, self.log_variance, *([] if self.pose is None else [self.pose])]
        mean, log_variance, *pose = clone_replace(encoded, {self.x: binary}, rebuild_strict=False)
        z = mean + pt.exp(log_variance / 2) * self.theano_rng.normal(size=mean.shape, dtype=mean.type.dtype)
        drawn = self.logits(z, self._places, pose[0] if pose else None)
        self.nll = pt.mean(nn.bernoulli_nll(rows, drawn)) / pixels
        self.kl = pt.mean(nn.gaussian_kl(mean, log_variance))
        self.cost = (self.nll + self.kl / pixels) / self.n_latent
        self._errors = nn.bernoulli_nll(rows, logits) / pixels

    def logits(self, z: Variable, places: Variable, pose: Variable | None = None) -> TensorVariable:
        """Compute what the decoder says of each position in each image, channel after channel where there are several.

        Parameters
        ----------
        z : (n, n_latent)
        places : (m, 2)
            As `coordinates` gives them.
        pose : (n, 4), optional
            Only with `affine`; None stands for (0, 0, 0, 0).

        Returns
        -------
        (n, channels * m), logarithms of the odds
        """
        params = self._parameters
        W, b = params["decoder1_W"], params["decoder1_b"]
        layers = [(params[f"decoder{i}_W"], params[f"decoder{i}_b"]) for i in range(2, len(self._layers) + 2)]
        W_place, W_code = pt.split(W, [2, self.n_latent], n_splits=2)  # MLX has no gradient of slices
        of_image = pt.dot(z, W_code)
        if pose is None:
            return self._channel_after_channel(coordinate_layers(pt.dot(places, W_place) + b, of_image, layers))
        scale, angle, t_u, t_v = (pose[:, i, None] for i in range(4))
        u, v = places[None, :, 0] - t_u, places[None, :, 1] - t_v
        size, cos, sin = pt.exp(-scale), pt.cos(angle), pt.sin(angle)
        u, v = size * (cos * u + sin * v), size * (cos * v - sin * u)
        first = u[:, :, None] * W_place[0] + v[:, :, None] * W_place[1] + b + of_image[:, None, :]
        # every place of every image is a place of its own here, of one image
        nothing = pt.zeros((1, self._layers[0]), dtype=first.type.dtype)
        drawn = coordinate_layers(first.reshape((-1, self._layers[0])), nothing, layers)
        if self.image_shape[0] == 1:
            return drawn.reshape(u.shape)
        return self._channel_after_channel(drawn.reshape((*u.shape, self.image_shape[0])))

    def _channel_after_channel(self, drawn: TensorVariable) -> TensorVariable:
        """Return (n, m, channels) as (n, channels * m)."""
        if self.image_shape[0] == 1:
            return drawn[:, :, 0]
        return drawn.dimshuffle(0, 2, 1).reshape((drawn.shape[0], -1))

    def get_cost_updates(self, learning_rate: Any = 0.001) -> tuple[TensorVariable, Updates]:
        """Return the cost of a minibatch, and the updates of one step of Adam on it.

        Each call draws again: the encoder sees each pixel black or white, white with its grey value as the probability, and z
        is drawn from its distribution. The decoder is to draw the grey image.

        Returns
        -------
        cost : (nll + kl / pixels) / n_latent
            With `nll`, the negative logarithm of the likelihood in nats per pixel (and channel), and `kl`, in nats per image,
            both attributes of the model and means over the minibatch: the usual bound, divided by pixels and by n_latent.
        updates : list of pairs
        """
        return self.cost, adam(self.cost, self.params, learning_rate)

    def describe(self) -> ModelDescription:
        return replace(
            super().describe(),
            pose=() if self.pose is None else POSE,
            draw_at=lambda code, points, pose: pt.sigmoid(self.logits(code, points, pose)),
            decoder_maps=_decoder_maps(self.x, self.output, self.image_shape[1:]),
        )

    def example_costs(self) -> TensorVariable:
        """Return -log of the likelihood of each image under what is drawn from the mean of z, in nats per pixel and channel."""
        return self._errors

    def render(
        self,
        Z: Any,
        size: tuple[int, int],
        pose: Any = None,
        *,
        backend: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> np.ndarray:
        """Draw codes at any size, a strip of places at a time: the memory beside the images themselves does not grow with it.

        Parameters
        ----------
        Z : (n, n_latent)
            Codes, for instance from `transform`.
        size : (height, width)
        pose : (n, 4), optional
            Only with `affine`, for instance from ``node_values("pose", X)``, or their mean for all, which draws the digits
            normalised. None stands for (0, 0, 0, 0), which is not a typical pose after training.
        progress : callable, optional
            Called with the number of places that are drawn, and of those there will be.

        Returns
        -------
        (n, height, width), or (n, channels, height, width) of more channels than one: probabilities, in floatX

        Raises
        ------
        InputError
            Codes or poses of another shape or not finite, a size below 1, a pose where there is no `affine`.
        """
        codes = checked_matrix("Z", Z, self.n_latent)
        height, width = checked_counts("size", size, 2)
        if pose is not None and not self.affine:
            raise InputError("pose", "an array", "none: the model is not affine")
        poses = None if pose is None else checked_matrix("pose", pose, 4)
        if poses is not None and len(poses) != len(codes):
            raise InputError("pose", f"{len(poses)} poses", f"{len(codes)}, one for each code")

        def build() -> tuple[list[Variable], Variable, None]:
            floatX = codes.dtype.name
            z, places = (
                pt.tensor("z", dtype=floatX, shape=(1, self.n_latent)),
                pt.tensor("places", dtype=floatX, shape=(None, 2)),
            )
            stance = None if poses is None else pt.tensor("pose", dtype=floatX, shape=(1, 4))
            inputs = [z, places] if stance is None else [z, places, stance]
            return inputs, pt.sigmoid(self.logits(z, places, stance))[0], None

        draw = self._compiled("render" if poses is None else "render with pose", backend, build)
        pixels, channels = height * width, self.image_shape[0]
        images = np.empty((len(codes), channels, pixels), codes.dtype)
        u, v = (_line(n).astype(codes.dtype) for n in (width, height))
        with blas_threads():
            for n in range(len(codes)):
                for first in range(0, pixels, STRIP):
                    index = np.arange(first, min(first + STRIP, pixels))
                    places = np.stack([u[index % width], v[index // width]], axis=1)
                    stance = () if poses is None else (poses[n : n + 1],)
                    images[n, :, index] = draw(codes[n : n + 1], places, *stance).reshape(channels, -1).T
                    if progress is not None:
                        progress(n * pixels + int(index[-1]) + 1, len(codes) * pixels)
        return images.reshape(len(codes), *((channels,) if channels > 1 else ()), height, width)

    def configuration(self) -> dict[str, Any]:
        return {"n_latent": self.n_latent, "affine": self.affine, "image_shape": list(self.image_shape)}

    @classmethod
    def parameter_shapes(cls, configuration: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        n_latent, affine, image_shape = configured(configuration, "n_latent", "affine", "image_shape")
        n_latent = checked_count("n_latent", n_latent)
        channels, h, w = checked_counts("image_shape", image_shape, 3)
        if not isinstance(affine, bool):
            raise InputError("affine", repr(affine), "True or False")
        decoder = AFFINE_DECODER if affine else DECODER
        stacks = [("encoder", (channels * h * w, *ENCODER)), ("decoder", (2 + n_latent, *decoder, channels))]
        layers = {f"{name}{i}": units[i - 1 : i + 1] for name, units in stacks for i in range(1, len(units))}
        layers |= dict.fromkeys(("mean", "log_variance"), (ENCODER[-1], n_latent))
        if affine:
            layers["pose"] = (ENCODER[-1], 4)
        return {f"{name}_{kind}": shape for name, units in layers.items() for kind, shape in (("W", units), ("b", units[1:]))}


def _zeros(numpy_rng: np.random.RandomState, shape: Sequence[int]) -> np.ndarray:
    return np.zeros(tuple(shape), pytensor.config.floatX)


def _decoder_maps(x: Variable, output: Variable, size: tuple[int, ...]) -> dict[str, Variable]:
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
