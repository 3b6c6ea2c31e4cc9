"""``theano.sparse.sharedvar``."""

from pytensor.sparse.sharedvar import SparseTensorSharedVariable, sparse_constructor

__all__ = ["SparseTensorSharedVariable", "sparse_constructor"]
