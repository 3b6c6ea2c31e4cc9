"""The page: blocks in the order in which they were added, rendered by one template."""

from __future__ import annotations

import functools
import html
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symae._runtime.atomic_files import write_text
from symae.errors import InputError
from symae.report import picture
from symae.report.curve import curve
from symae.report.picture import Picture
from symae.report.theme import stylesheet

if TYPE_CHECKING:
    import jinja2


class Report:
    """Build a page of text, tables, pictures and curves in one HTML file that needs nothing else.

    Pictures are inlined, fonts are the reader's own, and the page forbids itself every request, so it can be mailed, archived
    and opened years later. The same calls give the same bytes. Every text is shown as it is: markup in it stays text.

    Parameters
    ----------
    title : str
    subtitle : str, optional
    language : str
        The texts' language as in HTML's ``lang`` attribute.

    Examples
    --------
    >>> report = Report("Autoencoder", "100 hidden units")
    >>> report.text("The filters after 200 epochs.")
    >>> report.table([["model", "cost"], ["autoencoder", 69.275876]])
    >>> report.write("report.html")
    """

    showing = False  # each part where it is added: `symae.report.NotebookReport`

    def __init__(self, title: str, subtitle: str | None = None, language: str = "en"):
        self.title = title
        self.subtitle = subtitle
        self.language = language
        self._blocks: list[tuple[str, dict[str, Any]]] = []

    def heading(self, text: str, level: int = 2) -> None:
        """Add a heading; the title has level 1, so `level` is 2 to 6."""
        if level not in range(2, 7):
            raise InputError("level", repr(level), "an integer from 2 to 6")
        self._add("heading", text=text, level=level)

    def text(self, text: str) -> None:
        """Add paragraphs, separated by empty lines."""
        paragraphs = [part.strip() for part in re.split(r"\n\s*\n", text)]
        self._add("text", paragraphs=[part for part in paragraphs if part])

    def code(self, text: str, caption: str | None = None) -> None:
        """Add text in a fixed-width font, lines as they are: a program's output, a training log."""
        self._add("code", text=text.strip("\n"), caption=caption)

    def facts(self, facts: Mapping[str, Any]) -> None:
        """Add a list of names and values: run time, versions, settings. Numbers are written with six significant digits."""
        cells = {}
        for name, value in facts.items():
            cell = picture.as_cell(str(value) if isinstance(value, os.PathLike) else value, f"fact {name!r}")
            if cell.kind == "picture":
                raise InputError(f"fact {name!r}", "a picture", "a string or a number; report.figure shows pictures")
            cells[str(name)] = cell.text
        self._add("facts", facts=cells)

    def table(self, rows: Iterable[Sequence[Any]], header: bool = True, caption: str | None = None) -> None:
        """Add a table.

        Parameters
        ----------
        rows : sequence of rows, all of one length
            A cell is a string, a number (written with six significant digits), an array or PIL image as
            `symae.images.to_image` takes it, a `Picture`, or None for an empty cell.
        header : bool
            The first row holds the columns' names.
        caption : str, optional

        Raises
        ------
        InputError
            The rows have different lengths, or a cell is something else; the message names the row and the column.
        """
        grid = _grid(rows)
        names = [str(cell) if isinstance(cell, str) else "" for cell in grid[0]] if header else [""] * len(grid[0])
        room = min(picture.FIGURE, picture.ROW / len(grid[0]))
        cells = []
        for i, row in enumerate(grid):
            row_name = row[0] if isinstance(row[0], str) and (i or not header) else ""
            words = [", ".join(word for word in (caption, row_name, name) if word) for name in names]
            cells.append([picture.as_cell(row[j], f"row {i + 1}, column {j + 1}", words[j], room) for j in range(len(row))])
        body = cells[1:] if header else cells
        numeric = [bool(body) and all(row[j].kind == "number" or not row[j].text for row in body) for j in range(len(names))]
        numeric = [flag and any(row[j].kind == "number" for row in body) for j, flag in enumerate(numeric)]
        pictures = any(cell.kind == "picture" for row in cells for cell in row)
        self._add(
            "table",
            head=cells[0] if header else None,
            body=body,
            names=names,
            numeric=numeric,
            pictures=pictures,
            caption=caption,
        )

    def figure(self, image: Any, caption: str | None = None, alt: str | None = None, zoom: int | None = None) -> None:
        """Add a picture: an array, a PIL image or a `Picture`; the other arguments are those of `Picture`."""
        if not isinstance(image, Picture):
            image = Picture(image, caption, alt, zoom)
        elif not (caption is alt is zoom is None):
            raise InputError("image", "a Picture and further arguments", "one or the other: a Picture has its own")
        self._add("figure", picture=picture.inline(image))

    def curve(
        self,
        series: Mapping[str, Any],
        x_label: str = "epoch",
        y_label: str = "cost",
        title: str | None = None,
        caption: str | None = None,
    ) -> None:
        """Add a line chart of one or several series.

        Parameters
        ----------
        series : mapping of name to values
            Values are a sequence, drawn over 1, 2, 3 …, or a mapping of x to y: ``{"autoencoder": {0: 132.5, 10: 80.2}}``.
            NaN and infinities leave gaps, and the page says how many.
        x_label, y_label : str
            Quantity and unit: ``"cost, nats per image"``.
        title, caption : str, optional
            Above and below the chart.
        """
        self._add("curve", curve=curve(series, x_label, y_label, title), caption=caption)

    def html(self) -> str:
        """Return the page."""
        page = _template("page.html.jinja").render(
            title=self.title,
            subtitle=self.subtitle,
            language=self.language,
            blocks=self._blocks,
            css=stylesheet(),
            script=_asset("curve.js") if any(kind == "curve" for kind, _ in self._blocks) else "",
        )
        # A file name with undecodable bytes carries lone surrogates, which no UTF-8 file can hold.
        return page.encode("utf-8", "replace").decode("utf-8")

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the page to `path`, whole or not at all.

        Raises
        ------
        UnwritableError
            `path` cannot be written; what it held is still there.
        """
        write_text(path, self.html())

    def _repr_html_(self) -> str:
        # A frame keeps the page's styles and the notebook's apart.
        grow = "this.style.height = this.contentDocument.documentElement.scrollHeight + 'px'"
        style = "width: 100%; height: 40rem; border: 0"
        title, page = html.escape(self.title), html.escape(self.html())
        return f'<iframe title="{title}" style="{style}" onload="{grow}" srcdoc="{page}"></iframe>'

    def _add(self, kind: str, **content: Any) -> None:
        self._blocks.append((kind, content))


def _grid(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    if isinstance(rows, str):
        raise InputError("rows", "a string", "a sequence of rows, each a sequence of cells")
    grid = []
    for number, row in enumerate(rows, start=1):
        if isinstance(row, str) or not hasattr(row, "__iter__"):
            raise InputError(f"row {number}", f"a {type(row).__name__}", "a sequence of cells")
        grid.append(list(row))
        if len(grid[-1]) != len(grid[0]):
            raise InputError(f"row {number}", f"{len(grid[-1])} cells", f"{len(grid[0])}, as in the first row")
    if not grid or not grid[0]:
        raise InputError("rows", "no cells", "at least one row with one cell")
    return grid


@functools.cache
def _asset(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def macro(name: str, *arguments: Any) -> str:
    """Return what a macro of the page's blocks makes of `arguments`."""
    return str(getattr(_template("blocks.jinja").module, name)(*arguments)).strip()


@functools.cache
def _template(name: str) -> jinja2.Template:
    # Imported here: whoever only builds a page, or only imports symae, does not wait for it.
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
