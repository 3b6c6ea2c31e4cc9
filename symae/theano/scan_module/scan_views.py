"""Loops without memory, and loops that keep the last value only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symae.theano._impl.absent import getter
from symae.theano.scan_module.scan import scan

__all__ = ["foldl", "foldr", "map", "reduce"]

__getattr__ = getter(__name__, pytensor=["pytensor.scan.views"])


def map(
    fn: Callable[..., Any],
    sequences: Any,
    non_sequences: Any = None,
    truncate_gradient: int = -1,
    go_backwards: bool = False,
    mode: Any = None,
    name: str | None = None,
) -> tuple[Any, Any]:
    """Apply `fn` to each slice of `sequences`: (outputs, updates)."""
    return scan(fn, sequences, [], non_sequences, None, truncate_gradient, go_backwards, mode, name)


def reduce(
    fn: Callable[..., Any],
    sequences: Any,
    outputs_info: Any,
    non_sequences: Any = None,
    go_backwards: bool = False,
    mode: Any = None,
    name: str | None = None,
) -> tuple[Any, Any]:
    """Return the last outputs of a loop over `sequences` from `outputs_info`: (outputs, updates)."""
    outputs, updates = scan(fn, sequences, outputs_info, non_sequences, go_backwards=go_backwards, mode=mode, name=name)
    if isinstance(outputs, list | tuple):
        return [output[-1] for output in outputs], updates
    return outputs[-1], updates


def foldl(
    fn: Callable[..., Any],
    sequences: Any,
    outputs_info: Any,
    non_sequences: Any = None,
    mode: Any = None,
    name: str | None = None,
) -> tuple[Any, Any]:
    """Apply `reduce` from the first slice to the last."""
    return reduce(fn, sequences, outputs_info, non_sequences, False, mode, name)


def foldr(
    fn: Callable[..., Any],
    sequences: Any,
    outputs_info: Any,
    non_sequences: Any = None,
    mode: Any = None,
    name: str | None = None,
) -> tuple[Any, Any]:
    """Apply `reduce` from the last slice to the first."""
    return reduce(fn, sequences, outputs_info, non_sequences, True, mode, name)
