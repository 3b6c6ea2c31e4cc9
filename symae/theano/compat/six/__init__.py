"""``theano.compat.six``: the library six, which Theano brought along until its version 0.9."""

from __future__ import annotations

import pickle
import urllib
from typing import Any

from symae.shims import six_module

__all__: list[str] = []

_six = six_module.six(six_module.six_moves(pickle, urllib))


def __getattr__(name: str) -> Any:
    return getattr(_six, name)
