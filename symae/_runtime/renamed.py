"""Names that have changed: the old ones go on working for a release, with a warning that tells the new one."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def renamed_arguments(**new_names: str) -> Callable[[F], F]:
    """Return a decorator that lets callers go on using the old names of keyword arguments: ``@renamed_arguments(say="log")``.

    An old name is a DeprecationWarning, and beside the new one a TypeError.
    """

    def decorate(function: F) -> F:
        @wraps(function)
        def renaming(*arguments: Any, **keywords: Any) -> Any:
            for old in new_names.keys() & keywords.keys():
                new = new_names[old]
                if new in keywords:
                    raise TypeError(f"{function.__qualname__}() got {new} twice: {old} is its old name")
                warn_renamed(f"{function.__qualname__}({old}=...)", f"{new}=")
                keywords[new] = keywords.pop(old)
            return function(*arguments, **keywords)

        return renaming  # type: ignore[return-value]

    return decorate


def warn_renamed(old: str, new: str, stacklevel: int = 2) -> None:
    """Warn that `old` is an old name for `new`; `stacklevel` counts from the caller, as in `warnings.warn`."""
    warnings.warn(f"{old} is an old name, which the next release will not know: use {new}", DeprecationWarning, stacklevel + 1)
