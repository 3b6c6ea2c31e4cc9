"""Modules of `symae.theano` that are PyTensor's, with functions that give marked variables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from symae.theano._impl.absent import absent
from symae.theano._impl.variables import as_theano

__all__ = ["borrower"]


def borrower(
    module: str, modules: Sequence[ModuleType], instead: str, renamed: Mapping[str, str] | None = None
) -> Callable[[str], Any]:
    """Make a ``__getattr__`` for a module: what one of `modules` has, or an error that says what to use `instead`.

    `renamed` has what PyTensor calls otherwise, by Theano's names.
    """

    def __getattr__(name: str) -> Any:
        for each in modules:
            if hasattr(each, (renamed or {}).get(name, name)):
                found = getattr(each, (renamed or {}).get(name, name))
                value = found if isinstance(found, type) or not callable(found) else as_theano(found, name, module)
                setattr(sys.modules[module], name, value)
                return value
        if name.startswith("__"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        raise absent(module.replace("symae.theano", "theano", 1), name, instead)

    return __getattr__
