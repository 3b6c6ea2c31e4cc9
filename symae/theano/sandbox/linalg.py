"""``theano.sandbox.linalg``: where linear algebra was before it had modules of its own."""

from __future__ import annotations

import sys
from typing import Any

from symae.theano._impl.absent import absent

__all__: list[str] = []


def __getattr__(name: str) -> Any:
    if name == "ops":
        return sys.modules[__name__]
    from symae.theano.tensor import nlinalg, slinalg

    for found in (nlinalg, slinalg):
        if name in vars(found):
            return vars(found)[name]
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise absent("theano.sandbox.linalg", name, "look in theano.tensor.nlinalg and theano.tensor.slinalg")
