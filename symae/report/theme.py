"""The colours, light and dark, and the lines of curves that reports and the inspector's page have in common."""

from __future__ import annotations

import functools
from pathlib import Path


@functools.cache
def theme() -> str:
    """Return the CSS that names the colours (``--paper``, ``--ink``, ``--series0`` …) and draws each curve in its own way."""
    return (Path(__file__).parent / "theme.css").read_text(encoding="utf-8")


@functools.cache
def stylesheet() -> str:
    """Return the CSS of a report, with its colours."""
    return theme() + (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
