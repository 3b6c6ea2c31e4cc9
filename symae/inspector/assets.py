"""The files of the page."""

from __future__ import annotations

import functools
from pathlib import Path

from symae.report.theme import theme

__all__ = ["ASSETS", "MODULES", "asset"]

# JavaScript modules in the order in which each has those before it
MODULES = (
    *("source.js", "pixels.js", "dom.js", "unit.js", "nodes.js", "filters.js"),
    *("reconstructions.js", "latent.js", "training.js", "graph.js", "app.js"),
)
ASSETS = {
    "index.html": "text/html",
    "style.css": "text/css",
    **dict.fromkeys(MODULES, "text/javascript"),
}


@functools.cache
def asset(name: str) -> bytes:
    """The file `name`, one of `ASSETS`."""
    if name not in ASSETS:
        raise KeyError(name)
    content = (Path(__file__).parent / "page" / name).read_bytes()
    return theme().encode() + content if name == "style.css" else content
