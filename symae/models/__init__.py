"""The models of the tutorials."""

from symae.models.autoencoder import Autoencoder, DenoisingAutoencoder
from symae.models.image_autoencoder import ImageAutoencoder
from symae.models.logistic import LogisticRegression, sgd_optimization

__all__ = ["Autoencoder", "DenoisingAutoencoder", "ImageAutoencoder", "LogisticRegression", "sgd_optimization"]
