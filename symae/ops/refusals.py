"""How a kernel on MLX raises an error.

MLX traces functions and has no way to raise from what it has traced. So a kernel gives its condition to `refuse_unless`; the
linker returns the conditions beside the outputs, looks at them after each call and raises what they say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

__all__ = ["Refusal", "collected", "refuse_unless"]

# condition, the error to raise where it is false, and arrays whose values the error takes
Refusal = tuple[Any, Callable[..., Exception], tuple[Any, ...]]

_collecting: ContextVar[list[Refusal] | None] = ContextVar("collecting", default=None)


@contextmanager
def collected() -> Iterator[list[Refusal]]:
    """What the kernels called inside the block refuse."""
    refusals: list[Refusal] = []
    token = _collecting.set(refusals)
    try:
        yield refusals
    finally:
        _collecting.reset(token)


def refuse_unless(condition: Any, error: Callable[..., Exception], *values: Any) -> bool:
    """Raise ``error(*values)`` after the call unless all of `condition` is true; False if nobody will look."""
    refusals = _collecting.get()
    if refusals is None:
        return False
    refusals.append((condition, error, values))
    return True
