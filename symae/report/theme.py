"""The colours that reports, the inspector's page and drawn curves have in common, light and dark."""

from __future__ import annotations

import functools
from pathlib import Path

__all__ = ["stylesheet", "theme"]


@functools.cache
def theme() -> str:
    """CSS that gives the colours names: ``--paper``, ``--ink``, ``--series0`` and so on."""
    return (Path(__file__).parent / "theme.css").read_text(encoding="utf-8")


@functools.cache
def stylesheet() -> str:
    """The CSS of a report, with its colours."""
    return theme() + (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
