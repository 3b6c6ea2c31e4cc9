"""``theano.sandbox.cuda.opt``: needs a GPU, see `symae.theano.sandbox.cuda`."""

from symae.theano.sandbox.cuda import gpu_getter

__all__: list[str] = []


__getattr__ = gpu_getter(__name__)
