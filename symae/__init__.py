"""symae: symbolic autoencoders. The Theano-era tutorials, running on PyTensor.

>>> from symae import Autoencoder, function, load_data
"""

from symae._runtime.memory import tune_process
from symae._runtime.versions import SYMAE
from symae.compile import compile_time, function
from symae.datasets import load_data
from symae.errors import BackendError, InputError, MissingFileError, UnwritableError
from symae.images import tile_raster_images
from symae.inspector import inspect
from symae.models import (
    Autoencoder,
    ConvolutionalAutoencoder,
    CoordinateVAE,
    DenoisingAutoencoder,
    ImageAutoencoder,
    LogisticRegression,
    StridedAutoencoder,
)
from symae.random import RandomStreams

__version__ = SYMAE

__all__ = [
    "Autoencoder",
    "BackendError",
    "ConvolutionalAutoencoder",
    "CoordinateVAE",
    "DenoisingAutoencoder",
    "ImageAutoencoder",
    "InputError",
    "LogisticRegression",
    "MissingFileError",
    "RandomStreams",
    "StridedAutoencoder",
    "UnwritableError",
    "__version__",
    "compile_time",
    "function",
    "inspect",
    "load_data",
    "tile_raster_images",
    "tune_process",
]
