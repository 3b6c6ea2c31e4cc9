"""The models of the tutorials."""

from symae.models.autoencoder import Autoencoder, DenoisingAutoencoder
from symae.models.convolutional import ConvolutionalAutoencoder, StridedAutoencoder
from symae.models.image_autoencoder import ImageAutoencoder
from symae.models.logistic import LogisticRegression, sgd_optimization

__all__ = [
    "Autoencoder",
    "ConvolutionalAutoencoder",
    "DenoisingAutoencoder",
    "ImageAutoencoder",
    "LogisticRegression",
    "StridedAutoencoder",
    "sgd_optimization",
]
