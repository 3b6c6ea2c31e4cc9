"""The backends as parameters of tests: those whose files there are, skipped where they are not installed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from symae.compile.backends import BY_NAME
from symae.compile.backends.base import Backend


def on(name: str, *more: pytest.MarkDecorator) -> Any:
    """Return the backend of that name as a parameter."""
    backend = BY_NAME[name]
    marks = [pytest.mark.on(name), pytest.mark.skipif(not backend.installed, reason=f"{backend.module} is not installed")]
    return pytest.param(name, marks=[*marks, *more])


def each(
    chosen: Callable[[Backend], bool] = lambda backend: True,
    long: Iterable[str] = (),
    backends: Iterable[str] = (),
    default_mode: Iterable[str] = (),
) -> list[Any]:
    """All that are `chosen`, those named in `long`, in `backends` and in `default_mode` marked so."""
    stages = {"long": long, "backends": backends, "default_mode": default_mode}
    marks = [(set(names), getattr(pytest.mark, stage)) for stage, names in stages.items()]
    return [on(name, *(mark for names, mark in marks if name in names)) for name, b in BY_NAME.items() if chosen(b)]


def in_double(backend: Backend) -> bool:
    """Whether it computes in float64."""
    return "float64" in backend.floats


def widest_float(name: str) -> str:
    """Return the dtype in which the backend of that name computes most exactly."""
    return BY_NAME[name].floats[-1]
