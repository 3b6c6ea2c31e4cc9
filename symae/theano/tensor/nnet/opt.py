"""Rewrites of neural networks. Most of Theano's are PyTensor's own; here is what is added for legacy programs."""

from __future__ import annotations

from symae.rewrites.entries_of_softmax import entries_of_softmax
from symae.theano._impl.absent import getter

__all__ = ["entries_of_softmax"]

__getattr__ = getter(
    __name__, pytensor=["pytensor.tensor.rewriting.special", "pytensor.tensor.rewriting.math", "symae.rewrites"]
)
