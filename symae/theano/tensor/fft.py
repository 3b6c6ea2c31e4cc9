"""``theano.tensor.fft``: real Fourier transforms, complex numbers as a last dimension of two."""

from pytensor.tensor.fft import irfft as _irfft
from pytensor.tensor.fft import rfft as _rfft

from symae.theano._impl.absent import getter
from symae.theano._impl.variables import as_theano

__all__ = ["irfft", "rfft"]

__getattr__ = getter(__name__, pytensor=["pytensor.tensor.fft", "pytensor.tensor.fourier"])

rfft = as_theano(_rfft, "rfft", __name__)
irfft = as_theano(_irfft, "irfft", __name__)
