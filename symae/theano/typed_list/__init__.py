"""``theano.typed_list``: lists as values of expressions, PyTensor's."""

from __future__ import annotations

from typing import Any

from pytensor import typed_list as _typed_list

from symae.theano.absent import absent
from symae.theano.variables import as_theano

__all__: list[str] = []


def __getattr__(name: str) -> Any:
    for place in (_typed_list, _typed_list.basic):
        if hasattr(place, name):
            found = getattr(place, name)
            value = found if isinstance(found, type) or not callable(found) else as_theano(found, name, __name__)
            globals()[name] = value
            return value
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise absent("theano.typed_list", name, "see pytensor.typed_list for what there is")
