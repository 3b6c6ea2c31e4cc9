"""Rehearsals: a program goes through to its end without its work, so that the machine code that it needs is on the disk.

In a `rehearsal` a compiled function computes once for inputs of a kind, their dtypes and shapes. Called with such inputs again,
it changes nothing and gives what it gave; a training has one epoch, and a step that is made once. So every function is compiled
that the program will need later, for the types that it will need it for, and loops are over at once.
"""

from __future__ import annotations

import copy
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from pytensor.compile.executor import Function

from symae.compile import locked_function
from symae.compile.loops.base import Loop
from symae.compile.loops.figures import Rows


class Enough(SystemExit):
    """End a program that calls for nothing new any more: it may wait for what only work would bring."""

    def __init__(self) -> None:
        super().__init__(0)


_patience: list[float] = []


def rehearsing() -> bool:
    """Return True within a `rehearsal`."""
    return bool(_patience)


@contextmanager
def rehearsal(patience: float) -> Iterator[None]:
    """Let compiled functions of this process compute once, inside the block; not for several threads at a time.

    Raises
    ------
    Enough
        In a call, where nothing new was computed for `patience` seconds.
    """
    answers: weakref.WeakKeyDictionary[Any, dict[Any, Any]] = weakref.WeakKeyDictionary()
    stock, last = Function.__call__, time.monotonic()

    def call(self: Any, *arguments: Any, **named: Any) -> Any:
        nonlocal last
        known, kind = answers.setdefault(self.maker, {}), _kind(arguments, named)
        if kind not in known:
            known[kind] = stock(self, *arguments, **named)
            last = time.monotonic()
        elif time.monotonic() - last > patience:
            raise Enough
        return copy.deepcopy(known[kind])

    _patience.append(patience)
    Function.__call__ = locked_function._call = call
    try:
        yield
    finally:
        Function.__call__ = locked_function._call = stock
        _patience.pop()


def _kind(arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    def of(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return tuple(map(of, value))
        array = isinstance(value, np.ndarray)
        return (type(value), value.dtype, value.shape, value.flags.c_contiguous) if array else type(value)

    return tuple(map(of, arguments)), tuple((name, of(value)) for name, value in named.items())


class FirstStep:
    """Make a loop's first step, and say of all others that they gave the same."""

    def __init__(self, steps: Loop):
        self._steps = steps
        self._rows: list[Sequence[float]] = []

    def run(self, first: int, count: int) -> Rows:
        if not self._rows:
            self._rows = list(self._steps.run(first, 1))
        return self._rows * count
