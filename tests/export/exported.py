"""Small models of every class, and what their nodes are by PyTensor's own definition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytensor.tensor as pt

from symae import RandomStreams, function, nn
from symae.models import (
    Autoencoder,
    ConvolutionalAutoencoder,
    CoordinateVAE,
    DenoisingAutoencoder,
    ImageAutoencoder,
    LogisticRegression,
    SparseAutoencoder,
    StridedAutoencoder,
)
from symae.models.base import Model


class _Normalised(Model):
    """An autoencoder of one's own, whose layers learn with dropout and batch normalisation."""

    image_shape = (2, 4, 4)

    def __init__(self):
        params, streams = nn.Parameters(0), RandomStreams(1)
        self.x = x = pt.tensor("x", shape=(None, 2, 4, 4))
        norm1 = nn.batch_norm(params, "norm1", nn.conv(params, "conv1", x, 3, 3, activation="relu"))
        dense1 = nn.dense(params, "dense1", nn.flatten("flat", nn.dropout("drop1", norm1, 0.3, streams)), 5)
        code = nn.batch_norm(params, "code", dense1)
        drop2 = nn.dropout("drop2", code, 0.5, streams)
        drawn = nn.reshape("drawn", nn.dense(params, "dense2", drop2, 32), (2, 4, 4))
        self.nodes_ = {"input": x, "norm1": norm1, "code": code, "drop2": drop2, "drawn": drawn}
        self.params, self.parameter_names, self.state = list(params), params.names, params.state

    @property
    def nodes(self):
        return self.nodes_

    def describe(self):
        return replace(super().describe(), code="code", output="drawn")

    def checked_input(self, name, X):
        return np.asarray(X, self.x.type.dtype).reshape(-1, 2, 4, 4)


MODELS = {
    "autoencoder": lambda: Autoencoder(0, n_visible=20, n_hidden=7),
    "linear": lambda: Autoencoder(0, n_visible=20, n_hidden=7, output="linear"),
    "denoising": lambda: DenoisingAutoencoder(0, n_visible=20, n_hidden=7),
    "sparse by its mean": lambda: SparseAutoencoder(0, n_visible=20, n_hidden=7),
    "k-sparse": lambda: SparseAutoencoder(0, n_visible=20, n_hidden=7, sparsity="k", sparsity_target=0.4, output="linear"),
    "classifier": lambda: LogisticRegression(None, 20, 4),
    "convolutional": lambda: ConvolutionalAutoencoder(0, maps=(4, 3), image_shape=(2, 12, 12)),
    "convolutional, odd": lambda: ConvolutionalAutoencoder(0, maps=(3, 2, 2)),
    "strided": lambda: StridedAutoencoder(0, code=3, maps=(3, 4, 5), image_shape=(1, 28, 28)),
    "strided, odd": lambda: StridedAutoencoder(0, code=3, maps=(3, 4, 5), image_shape=(3, 11, 13)),
    "images": lambda: ImageAutoencoder(0, maps=3, pool=4, image_shape=(1, 12, 12)),
    "images, two layers": lambda: ImageAutoencoder(0, maps=(4, 2), pool=2, image_shape=(1, 12, 12)),
    "images, windows that leave rows": lambda: ImageAutoencoder(0, maps=2, pool=3, image_shape=(2, 11, 13)),
    "coordinates": lambda: CoordinateVAE(0, n_latent=3, image_shape=(1, 6, 7)),
    "normalised": _Normalised,
    "coordinates, affine": lambda: CoordinateVAE(0, n_latent=3, affine=True, image_shape=(1, 6, 7)),
}


def trained(name):
    """Return a model whose parameters, biases too, are no zeros."""
    model, rng = MODELS[name](), np.random.RandomState(1)
    for p in model.params:
        p.set_value((p.get_value() + rng.normal(0, 0.3, p.get_value().shape)).astype(p.type.dtype))
    for v in model.state:
        v.set_value((v.get_value() + rng.uniform(0.2, 1, v.get_value().shape)).astype(v.type.dtype))
    return model


def examples(model, count=3):
    """Return rows or images from 0 to 1, as the model's input takes them."""
    pixels = np.random.RandomState(2).rand(count, model.describe().pixels)
    return model.checked_input("X", pixels)


def nodes_of(model, names, X):
    """Return what nodes compute, interpreted in NumPy."""
    return function([model.x], nn.deterministic([model.node(name) for name in names]), mode="FAST_COMPILE")(X)


def ends_of(model, part):
    """Return the name of the node that a part gives first."""
    known = model.describe()
    return known.code if part == "encoder" or known.output is None else known.output
