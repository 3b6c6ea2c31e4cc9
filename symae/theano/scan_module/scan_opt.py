"""``theano.scan_module.scan_opt``: what rewrites loops; PyTensor's does by itself."""

from symae.theano._impl.absent import getter

__all__: list[str] = []

__getattr__ = getter(__name__, pytensor=["pytensor.scan.rewriting"])
