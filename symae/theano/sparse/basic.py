"""``theano.sparse.basic``: what `symae.theano.sparse` has."""

from __future__ import annotations

from typing import Any

from symae.theano import sparse

__all__: list[str] = []


def __getattr__(name: str) -> Any:
    return getattr(sparse, name)
