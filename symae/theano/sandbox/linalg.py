"""``theano.sandbox.linalg``: where linear algebra was before it had modules of its own."""

from __future__ import annotations

import importlib
from typing import Any

from symae.theano._impl.absent import absent

__all__: list[str] = []


def __getattr__(name: str) -> Any:
    if name == "ops":
        return importlib.import_module(__name__)
    for module in ("nlinalg", "slinalg"):
        found = importlib.import_module(f"symae.theano.tensor.{module}")
        if name in vars(found):
            return vars(found)[name]
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise absent("theano.sandbox.linalg", name, "look in theano.tensor.nlinalg and theano.tensor.slinalg")
