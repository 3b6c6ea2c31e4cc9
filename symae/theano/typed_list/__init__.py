"""``theano.typed_list``: lists as values of expressions, PyTensor's."""

from __future__ import annotations

from pytensor import typed_list as _typed_list

from symae.theano._impl.absent import is_also
from symae.theano._impl.borrowed import borrower

__all__: list[str] = []

__getattr__ = borrower(
    __name__, (_typed_list, _typed_list.basic, _typed_list.type), "see pytensor.typed_list for what there is"
)
is_also(__name__, "basic", "type")
