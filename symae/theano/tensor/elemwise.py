"""``theano.tensor.elemwise``: the Ops of elementwise functions, of reductions and of dimensions in another order.

They are PyTensor's own, to ask what a graph is made of and to make Ops of; the functions of `symae.theano.tensor` apply them.
"""

from __future__ import annotations

from pytensor.tensor.elemwise import CAReduce, Elemwise
from pytensor.tensor.math import All, Any, FixedOpCAReduce, MulWithoutZeros, Prod, ProdWithoutZeros, Sum

from symae.theano._impl.absent import getter

__all__ = [
    "All",
    "Any",
    "CAReduce",
    "CAReduceDtype",
    "Elemwise",
    "MulWithoutZeros",
    "Prod",
    "ProdWithoutZeros",
    "Sum",
]

CAReduceDtype = FixedOpCAReduce

__getattr__ = getter(__name__, pytensor=["pytensor.tensor.elemwise", "pytensor.tensor.math"], ops="tensor.elemwise")
