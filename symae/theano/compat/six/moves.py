"""``theano.compat.six.moves``: what Python 2 had elsewhere, or under other names."""

from __future__ import annotations

from typing import Any

from symae.theano.compat.six import _six

__all__: list[str] = []


def __getattr__(name: str) -> Any:
    return getattr(_six.moves, name)
