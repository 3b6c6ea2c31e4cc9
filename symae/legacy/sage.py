"""What a Sage worksheet shows: ``html("<img …>")`` and ``html.table(rows, header)`` go into the run's report."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from symae.legacy.record import opened
from symae.report import Picture

if TYPE_CHECKING:
    from symae.legacy.session import Session

__all__ = ["Html"]

BLOCKS = ("p", "br", "div", "center", "li", "tr", "h1", "h2", "h3", "h4")
TAG = re.compile(r"<\s*[a-zA-Z/][^>]*>")


class Html:
    """Show pictures and texts in the report, as Sage's `html` does, and print what a terminal can show of them."""

    def __init__(self, session: Session):
        self._session = session

    def __call__(self, text: Any = "") -> None:
        """Show a piece of HTML: its pictures, and its text without the markup."""
        for part in _parts(str(text)):
            if isinstance(part, str):
                self._session.record.paragraph(part)
            else:
                path = self._file(part["src"])
                if path is None:
                    self._session.say(f"html: no picture {part['src']}")
                else:
                    self._session.record.picture(path, part.get("alt") or part.get("title") or None)

    def table(self, x: Sequence[Sequence[Any]] | None = None, header: Any = False, rows: Any = None, **_: Any) -> None:
        """Show a table: `header` is a row of names, or says that the first row is one."""
        body = [list(row) if isinstance(row, list | tuple) else [row] for row in (x if x is not None else rows or [])]
        if isinstance(header, list | tuple) and header:
            body.insert(0, list(header))
        width = max((len(row) for row in body), default=0)
        cells = [[self._cell(cell) for cell in row] + [None] * (width - len(row)) for row in body]
        if cells:
            self._session.record.table(cells, header=bool(header))

    def _cell(self, cell: Any) -> Any:
        """Return a cell as the report takes it."""
        if isinstance(cell, str) and TAG.search(cell):
            parts = _parts(cell)
            pictures = [part for part in parts if isinstance(part, dict)]
            words = " ".join(part for part in parts if isinstance(part, str))
            path = self._file(pictures[0]["src"]) if pictures else None
            image = opened(path) if path is not None else None
            if image is not None:
                return Picture(image, words or None, words or pictures[0].get("alt") or Path(pictures[0]["src"]).name)
            return words
        if cell is None or isinstance(cell, str | bool | int | float):
            return cell
        shape = getattr(cell, "shape", None)
        if shape == ():
            return float(cell)
        return cell if shape is not None and len(shape) in (2, 3) else str(cell)

    def _file(self, address: str) -> Path | None:
        """Find the file of a picture: ``cell://x.png`` is in the working directory, ``DATA`` is the output folder."""
        name = unquote(re.sub(r"^(cell|file)://", "", html.unescape(address)))
        name = name if re.match(r"^[a-zA-Z]:", name) else urlsplit(name).path if "://" in name or "?" in name else name
        for place in (Path(self._session.files.for_reading(name)), self._session.out / Path(name).name):
            if place.is_file():
                self._session.record.shown(place)
                return place
        return None


class _Reader(HTMLParser):
    """Split HTML into texts and pictures."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[Any] = []
        self._text = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "img" and dict(attrs).get("src"):
            self.flush()
            self.parts.append(dict(attrs))
        elif tag in BLOCKS:
            self._text += "\n"

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS:
            self._text += "\n"

    def handle_data(self, data: str) -> None:
        self._text += data

    def flush(self) -> None:
        """End a text."""
        text = "\n\n".join(line.strip() for line in self._text.splitlines() if line.strip())
        self._text = ""
        if text:
            self.parts.append(text)


def _parts(text: str) -> list[Any]:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    reader.flush()
    return reader.parts
