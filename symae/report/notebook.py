"""A report that a notebook shows part by part: each picture, table and curve appears below the cell that adds it.

Pictures are PNG and curves are SVG, which whatever draws notebooks shows, code hosts too; words and tables of words are HTML.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from html import escape
from typing import Any

from PIL import ImageOps

from symae.images import png_bytes, side_by_side
from symae.report.page import Report, macro
from symae.report.picture import Inlined
from symae.report.theme import theme

FRAME = "#dcdcd6"
IN_FONT = str.maketrans("×–′", "x-'")  # what Pillow's font lacks
LEGEND = 22  # pixels, for a line of a curve's legend
STYLE = "text { font: 13px system-ui, sans-serif; fill: var(--muted); } .y { text-anchor: end; } .x { text-anchor: middle; }"
STYLE += " .axis { stroke: var(--muted); } .series circle { stroke: none; }\n"


class NotebookReport(Report):
    """Build the page of a `Report`; a notebook shows what is added while `showing` is true, and a link where it is written."""

    showing = True

    def _add(self, kind: str, **content: Any) -> None:
        super()._add(kind, **content)
        if self.showing:
            _display(*_bundle(kind, content))

    def write(self, path: str | os.PathLike[str]) -> None:
        super().write(path)
        link = escape(os.path.relpath(path))
        _display({"text/html": f'<a href="{link}" target="_blank">{link}</a>', "text/plain": link})


def _display(data: Mapping[str, Any], metadata: Mapping[str, Any] | None = None) -> None:
    from IPython.display import display

    display(data, metadata=metadata or {}, raw=True)


def _bundle(kind: str, content: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a part of a report by media types, and what is to be known of these."""
    if kind == "figure":
        return _pictures([(content["picture"].caption or "", content["picture"])], 1)
    if kind == "table" and content["pictures"]:
        return _pictures(*_cells(content))
    if kind == "curve":
        curve = content["curve"]
        svg = macro("figure", curve.plots[0], curve, theme() + STYLE, LEGEND)
        return {"image/svg+xml": svg, "text/plain": curve.description}, {}
    if kind == "heading":
        content = {**content, "level": min(6, content["level"] + 2)}  # below those of the notebook itself
    return {"text/html": macro("block", kind, content, ""), "text/plain": f"({kind})"}, {}


def _cells(table: Mapping[str, Any]) -> tuple[list[tuple[str, Inlined]], int]:
    """Return the pictures of a table with their words, those of its row and column first, and how many are in a row."""
    cells = []
    for row in table["body"]:
        words = ", ".join(cell.text for cell in row if cell.picture is None and cell.text)
        for name, cell in zip(table["names"], row, strict=True):
            if cell.picture is not None:
                first = ", ".join(part for part in (words, name) if part)
                cells.append(("\n".join(part for part in (first, cell.picture.caption) if part), cell.picture))
    return cells, len(cells) // len(table["body"])


def _pictures(cells: list[tuple[str, Inlined]], columns: int) -> tuple[dict[str, Any], dict[str, Any]]:
    framed = [(words.translate(IN_FONT), ImageOps.expand(picture.image(), 1, FRAME)) for words, picture in cells]
    png = png_bytes(side_by_side(framed, columns))
    alt = "; ".join(picture.alt for _, picture in cells)
    return {"image/png": png, "text/plain": alt}, {"image/png": {"alt": alt}}
