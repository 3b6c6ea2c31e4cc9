"""Small models of every class, and what their nodes are by PyTensor's own definition."""

from __future__ import annotations

import numpy as np

from symae import function
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
    "coordinates, affine": lambda: CoordinateVAE(0, n_latent=3, affine=True, image_shape=(1, 6, 7)),
}


def trained(name):
    """Return a model whose parameters, biases too, are no zeros."""
    model, rng = MODELS[name](), np.random.RandomState(1)
    for p in model.params:
        p.set_value((p.get_value() + rng.normal(0, 0.3, p.get_value().shape)).astype(p.type.dtype))
    return model


def examples(model, count=3):
    """Return rows or images from 0 to 1, as the model's input takes them."""
    pixels = np.random.RandomState(2).rand(count, model.describe().pixels)
    return model.checked_input("X", pixels)


def nodes_of(model, names, X):
    """Return what nodes compute, interpreted in NumPy."""
    return function([model.x], [model.node(name) for name in names], mode="FAST_COMPILE")(X)


def ends_of(model, part):
    """Return the name of the node that a part gives first."""
    known = model.describe()
    return known.code if part == "encoder" or known.output is None else known.output
