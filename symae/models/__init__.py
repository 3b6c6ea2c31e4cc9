"""The models of the tutorials."""

from typing import TYPE_CHECKING, Any

from symae.models.autoencoder import Autoencoder, DenoisingAutoencoder
from symae.models.base import Model
from symae.models.convolutional import ConvolutionalAutoencoder, StridedAutoencoder
from symae.models.coordinate_vae import CoordinateVAE, coordinates
from symae.models.description import FilterLayer, ModelDescription
from symae.models.image_autoencoder import ImageAutoencoder
from symae.models.logistic import LogisticRegression
from symae.models.sparse_autoencoder import SparseAutoencoder

if TYPE_CHECKING:
    from symae.models.foreign import load_weights, read_weights

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


def __getattr__(name: str) -> Any:
    """Import what few programs need where it is asked for: the readers of other libraries' files."""
    if name not in ("load_weights", "read_weights"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from symae.models import foreign

    return getattr(foreign, name)
