"""``theano.sparse.utils``."""

from pytensor.sparse.utils import hash_from_sparse

from symae.theano._impl.absent import getter

__all__ = ["hash_from_sparse"]

__getattr__ = getter(__name__, pytensor=["pytensor.sparse.utils"])
