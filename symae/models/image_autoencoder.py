"""CNTK's image autoencoder: convolution and pooling on the way in, unpooling and deconvolution on the way out.

Source: CNTK's example 07, "Image autoencoder using deconvolution and unpooling". Unpooling by the places of the maxima is from
Zeiler and Fergus (2014), "Visualizing and understanding convolutional networks".
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable
from pytensor.tensor.variable import TensorVariable

from symae._runtime.checks import checked_counts
from symae.errors import InputError
from symae.models.base import configured
from symae.models.description import FilterLayer, ModelDescription
from symae.models.fitting import FitDefaults
from symae.models.image_model import ImageModel
from symae.nn import check_random_state, glorot_uniform, root_mean_square_error
from symae.nn.weights import Seed
from symae.ops import conv2d, deconv2d, max_unpool2d, pool2d, rectified
from symae.optimizers import Updates, momentum

FILTER = 5
# CNTK's for its one deconvolution, so that the first drawings are near zero. With several layers it is for the last one alone:
# were all scaled, their product would begin so near zero that three epochs change nothing (RMSE 0.33, that of blank images).
DRAWING_SCALE = 0.001


class ImageAutoencoder(ImageModel):
    """Encode images as a stack of small maps, and reconstruct them.

    Each layer convolves with 5 x 5 filters, adds a bias, rectifies, and pools maxima::

        conv = max(W * input + b, 0)    pool = max over windows of conv

    and the decoder undoes the layers from the last to the first: unpooling puts each value of the code back to where the
    maximum was, found again in the pooling layer's input, and a deconvolution V, without bias, draws the image from there.

    Parameters
    ----------
    numpy_rng : RandomState, Generator or int
        Draws the weights: Glorot's, those of the last deconvolution times 0.001. See `symae.nn.check_random_state`.
    input : symbolic (n, channels, h, w) or (n, channels * h * w), optional
        What is encoded, pixels from 0 to 1; a new tensor ``input`` if None.
    maps : int or sequence of int
        Maps of each layer.
    pool : int or sequence of int
        Each layer's pooling window and stride; one number stands for all layers.
    image_shape : (channels, h, w)

    Attributes
    ----------
    x : the input
    nodes : ``input``, ``conv1``, ``pool1``, ``unpool1``, ``deconv1`` as in CNTK; with several layers ``conv_A``, ``conv_B`` …
    output : symbolic (n, channels, h, w), the reconstruction; its values may lie outside of [0, 1]
    rmse : symbolic (n,), root mean square error of each image
    params : for each layer its W (maps, channels, 5, 5) and b (maps,), then the decoder's V (maps, channels, 5, 5)

    Raises
    ------
    InputError
        A setting is not as above, or a pooling window is larger than what it pools.

    Examples
    --------
    >>> import numpy as np
    >>> model = ImageAutoencoder(np.random.RandomState(0), maps=3, pool=4)
    >>> model.node_names()
    ['input', 'conv1', 'pool1', 'unpool1', 'deconv1']
    """

    fit_defaults = FitDefaults(epochs=3, batch_size=64, learning_rate=0.00015)

    def __init__(
        self,
        numpy_rng: Seed,
        input: Variable | None = None,
        maps: int | Sequence[int] = 1,
        pool: int | Sequence[int] = 4,
        image_shape: Sequence[int] = (1, 28, 28),
    ):
        numpy_rng = check_random_state(numpy_rng)
        images = self._begin(input, image_shape)
        channels, h, w = self.image_shape
        self.maps = checked_counts("maps", maps)
        self.pool = checked_counts("pool", pool, len(self.maps))
        names = _layer_names(len(self.maps))

        nodes = self._nodes
        y, below = images, channels
        encoders: list[SharedVariable] = []
        decoders: list[tuple[str, int, SharedVariable, tuple[int, int]]] = []
        for name, m, p in zip(names, self.maps, self.pool, strict=True):
            if min(h, w) < p:
                raise InputError("pool", f"{p} x {p} windows on maps of {h} x {w}", "windows no larger than what they pool")
            W, b, V = (
                pytensor.shared(value, name=f"{kind}{name}", borrow=True, shape=value.shape)
                for kind, value in (
                    ("W", glorot_uniform(numpy_rng, (m, below, FILTER, FILTER))),
                    ("b", np.zeros(m, dtype=pytensor.config.floatX)),
                    ("V", glorot_uniform(numpy_rng, (m, below, FILTER, FILTER), DRAWING_SCALE if y is images else 1)),
                )
            )
            y = rectified(conv2d(y, W, border_mode="half", filter_flip=False), b)
            nodes[f"conv{name}"] = y
            y = pool2d(y, p)
            nodes[f"pool{name}"] = y
            encoders += [W, b]
            decoders.insert(0, (name, p, V, (h, w)))
            below, h, w = m, h // p, w // p
        for name, p, V, shape in decoders:
            y = max_unpool2d(y, nodes[f"conv{name}"], p)
            nodes[f"unpool{name}"] = y
            y = deconv2d(y, V, border_mode="half", filter_flip=False, output_shape=shape)
            nodes[f"deconv{name}"] = y

        self.params = [*encoders, *(V for _, _, V, _ in decoders)]
        self.parameter_names = tuple(p.name for p in self.params)
        # the code is what the last pooling layer gives
        self.code_name, self.output_name = f"pool{names[-1]}", list(nodes)[-1]
        self.output = y
        self.rmse = root_mean_square_error(images, y)

    def get_cost_updates(self, learning_rate: Any = 0.00015, time_constant: Any = 600) -> tuple[TensorVariable, Updates]:
        """Return the cost of a minibatch, and the updates of one step with momentum on it.

        Parameters
        ----------
        learning_rate : float
            For each image: the step is this times the sum of the images' gradients.
        time_constant : float
            After how many images the weight of a gradient has fallen to 1/e. For a minibatch of n the momentum is exp(-n /
            time_constant), with unit gain.

        Returns
        -------
        cost : symbolic scalar
            Root mean square error of an image, minibatch mean.
        updates : list of (variable, new value)
        """
        cost = pt.mean(self.rmse)
        size = self.images.type.shape[0]
        n = pt.cast(self.images.shape[0] if size is None else size, pytensor.config.floatX)
        return cost, momentum(cost, self.params, learning_rate * n, pt.exp(-n / time_constant), unit_gain=True)

    def describe(self) -> ModelDescription:
        known, names = super().describe(), _layer_names(len(self.maps))
        down = [
            FilterLayer(f"W{name}", f"conv{name}", known.nodes[f"conv{name}"], "convolution", f"b{name}", name == names[0])
            for name in names
        ]
        up = [
            FilterLayer(f"V{name}", unpool, known.nodes[unpool], "deconvolution", draws_pixels=name == names[0])
            for name in reversed(names)
            for unpool in (f"unpool{name}",)
        ]
        return replace(known, layers=[*down, *up])

    def example_costs(self) -> TensorVariable:
        """Return the root mean square error of each image."""
        return self.rmse

    def configuration(self) -> dict[str, Any]:
        return {"maps": list(self.maps), "pool": list(self.pool), "image_shape": list(self.image_shape)}

    @classmethod
    def parameter_shapes(cls, configuration: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        maps, pool, image_shape = configured(configuration, "maps", "pool", "image_shape")
        below = checked_counts("image_shape", image_shape, 3)[0]
        maps = checked_counts("maps", maps)
        checked_counts("pool", pool, len(maps))
        encoders: dict[str, tuple[int, ...]] = {}
        decoders: dict[str, tuple[int, ...]] = {}
        for name, m in zip(_layer_names(len(maps)), maps, strict=True):
            encoders |= {f"W{name}": (m, below, FILTER, FILTER), f"b{name}": (m,)}
            decoders = {f"V{name}": (m, below, FILTER, FILTER), **decoders}
            below = m
        return {**encoders, **decoders}


def _layer_names(count: int) -> list[str]:
    letters = string.ascii_uppercase
    if count > len(letters):
        raise InputError("maps", f"{count} layers", f"at most {len(letters)}")
    return ["1"] if count == 1 else [f"_{letter}" for letter in letters[:count]]
