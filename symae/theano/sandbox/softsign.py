"""``theano.sandbox.softsign``: now in `symae.theano.tensor.nnet`."""

from symae.theano._impl.absent import getter

__all__: list[str] = []

__getattr__ = getter(__name__, elsewhere={"softsign": "tensor.nnet"})
