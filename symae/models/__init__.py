"""The models of the tutorials."""

from symae.models.autoencoder import Autoencoder, DenoisingAutoencoder
from symae.models.base import Model
from symae.models.convolutional import ConvolutionalAutoencoder, StridedAutoencoder
from symae.models.coordinate_vae import CoordinateVAE, coordinates
from symae.models.description import FilterLayer, ModelDescription
from symae.models.foreign import load_weights, read_weights
from symae.models.image_autoencoder import ImageAutoencoder
from symae.models.logistic import LogisticRegression
from symae.models.sparse_autoencoder import SparseAutoencoder

__all__ = [
    "Autoencoder",
    "ConvolutionalAutoencoder",
    "CoordinateVAE",
    "DenoisingAutoencoder",
    "FilterLayer",
    "ImageAutoencoder",
    "LogisticRegression",
    "Model",
    "ModelDescription",
    "SparseAutoencoder",
    "StridedAutoencoder",
    "coordinates",
    "load_weights",
    "read_weights",
]
