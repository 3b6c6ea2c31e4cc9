"""Figures by Pillow, for scripts that draw and a machine without matplotlib: pictures, lines, points, bars, no ornaments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

__all__ = ["Axes", "Figure"]

COLOURS = ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f"]
LETTERS = {"b": "#0000ff", "g": "#008000", "r": "#ff0000", "c": "#00bfbf", "m": "#bf00bf", "y": "#bfbf00", "k": "#000000"}
MARGIN, DPI = 48, 80


class Axes:
    """Hold one plot: what was drawn into it, in the order in which it was."""

    DRAWS = (
        "plot",
        "semilogy",
        "semilogx",
        "loglog",
        "scatter",
        "hist",
        "bar",
        "imshow",
        "matshow",
        "pcolor",
        "axhline",
        "axvline",
    )

    def __init__(self, place: tuple[int, int, int]):
        self.place = place
        self.items: list[tuple[str, Any, Any, str]] = []
        self.words = {"title": "", "x": "", "y": ""}
        self.log_y = False

    def plot(self, *arguments: Any, **keywords: Any) -> list[Any]:
        """Draw ``plot(y)``, ``plot(x, y)``, ``plot(x, y, "r--")``, and several of these in one call."""
        rest = list(arguments)
        while rest:
            first = np.ravel(np.asarray(rest.pop(0), dtype=float))
            second = None
            if rest and not isinstance(rest[0], str):
                second = np.ravel(np.asarray(rest.pop(0), dtype=float))
            style = rest.pop(0) if rest and isinstance(rest[0], str) else ""
            x, y = (np.arange(len(first)), first) if second is None else (first, second)
            dots = bool(set(style) & set("o.x+*^sv")) and "-" not in style
            self.items.append(("dots" if dots else "line", x, y, self._colour(keywords.get("color", style))))
        return [self]

    def semilogy(self, *arguments: Any, **keywords: Any) -> list[Any]:
        self.log_y = True
        return self.plot(*arguments, **keywords)

    semilogx = plot
    loglog = semilogy

    def scatter(self, x: Any, y: Any, *_: Any, **keywords: Any) -> None:
        colour = keywords.get("color", keywords.get("c", ""))
        shape = np.ravel(np.asarray(x, dtype=float)), np.ravel(np.asarray(y, dtype=float))
        self.items.append(("dots", *shape, self._colour(colour)))

    def hist(self, x: Any, bins: Any = 10, *_: Any, **__: Any) -> Any:
        counts, edges = np.histogram(np.ravel(np.asarray(x, dtype=float)), bins)
        self.items.append(("bars", (edges[:-1] + edges[1:]) / 2, counts, self._colour("")))
        return counts, edges, []

    def bar(self, left: Any, height: Any, *_: Any, **__: Any) -> None:
        heights = np.ravel(np.asarray(height, dtype=float))
        self.items.append(("bars", np.arange(len(heights), dtype=float), heights, self._colour("")))

    def imshow(self, image: Any, *_: Any, **__: Any) -> Axes:
        self.items.append(("image", image, None, ""))
        return self

    matshow = pcolor = imshow

    def axhline(self, y: float = 0, *_: Any, **__: Any) -> None:
        self.items.append(("line", np.array([np.nan]), np.array([float(y)]), "#000000"))

    def axvline(self, *_: Any, **__: Any) -> None:
        return

    def set_title(self, text: Any, *_: Any, **__: Any) -> None:
        self.words["title"] = str(text)

    def set_xlabel(self, text: Any, *_: Any, **__: Any) -> None:
        self.words["x"] = str(text)

    def set_ylabel(self, text: Any, *_: Any, **__: Any) -> None:
        self.words["y"] = str(text)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_, **__: self

    def _colour(self, style: Any) -> str:
        if isinstance(style, str):
            if style.startswith("#"):
                return style
            for letter in style if len(style) <= 3 else style[:1]:
                if letter in LETTERS:
                    return LETTERS[letter]
        return COLOURS[len(self.items) % len(COLOURS)]

    def draw(self, picture: Image.Image, box: tuple[int, int, int, int]) -> None:
        """Draw everything into the `box` of a picture."""
        pen = ImageDraw.Draw(picture)
        left, top, right, bottom = box[0] + MARGIN, box[1] + MARGIN // 2, box[2] - MARGIN // 4, box[3] - MARGIN
        images = [item for item in self.items if item[0] == "image"]
        if images:
            image = as_picture(images[-1][1])
            scale = min((box[2] - box[0] - 8) / image.width, (bottom - top + MARGIN // 2) / image.height)
            size = max(1, int(image.width * scale)), max(1, int(image.height * scale))
            picture.paste(image.resize(size, Image.Resampling.NEAREST), (box[0] + 4, top))
            pen.text((box[0] + 4, box[1] + 4), self.words["title"], fill="black")
            return
        points = [(x, self._logarithm(y)) for _, x, y, _ in self.items]
        x_low, x_high = _ends([x for x, _ in points])
        bars = [np.zeros(1)] if any(kind == "bars" for kind, *_ in self.items) else []
        y_low, y_high = _ends([y for _, y in points] + bars)

        def spot(x: float, y: float) -> tuple[float, float]:
            return left + (x - x_low) / (x_high - x_low) * (right - left), bottom - (y - y_low) / (y_high - y_low) * (
                bottom - top
            )

        pen.rectangle((left, top, right, bottom), outline="black")
        for (kind, _, _, colour), (x, y) in zip(self.items, points, strict=True):
            spots = [spot(*pair) for pair in zip(x, y, strict=False) if np.all(np.isfinite(pair))]
            if kind == "line" and len(spots) > 1:
                pen.line(spots, fill=colour, width=2)
            elif kind == "bars":
                half = max(1.0, (right - left) / max(len(spots), 1) * 0.4)
                for a, b in spots:
                    pen.rectangle((a - half, min(b, spot(0, 0)[1]), a + half, max(b, spot(0, 0)[1])), fill=colour)
            else:
                for a, b in spots:
                    pen.ellipse((a - 2, b - 2, a + 2, b + 2), fill=colour)
        for text, where in (
            (self.words["title"], (left, box[1] + 4)),
            (self.words["x"], ((left + right) // 2, bottom + 24)),
            (self.words["y"], (box[0] + 2, box[1] + 4)),
            (f"{x_low:g}", (left, bottom + 6)),
            (f"{x_high:g}", (right - 30, bottom + 6)),
            (f"{10**y_low if self.log_y else y_low:.3g}", (box[0] + 2, bottom - 10)),
            (f"{10**y_high if self.log_y else y_high:.3g}", (box[0] + 2, top)),
        ):
            pen.text(where, text.encode("latin-1", "replace").decode("latin-1"), fill="black")

    def _logarithm(self, y: Any) -> Any:
        if not self.log_y:
            return y
        with np.errstate(all="ignore"):
            return np.log10(y)


class Figure:
    """Hold a sheet with plots on it."""

    def __init__(self, saved: Callable[[Any], None], figsize: Any = None):
        self._saved = saved
        width, height = figsize if figsize else (8, 6)
        self.size = int(width * DPI), int(height * DPI)
        self.axes: list[Axes] = []
        self.title = ""

    def add_subplot(self, *place: Any, **_: Any) -> Axes:
        numbers = tuple(int(digit) for digit in str(place[0])) if len(place) == 1 else place or (1, 1, 1)
        where = (int(numbers[0]), int(numbers[1]), int(numbers[2]))
        for axes in self.axes:
            if axes.place == where:
                self.axes.remove(axes)
                self.axes.append(axes)  # the last one is the current one
                return axes
        self.axes.append(Axes(where))
        return self.axes[-1]

    def add_axes(self, *_: Any, **__: Any) -> Axes:
        return self.add_subplot(1, 1, 1)

    def gca(self, **_: Any) -> Axes:
        return self.axes[-1] if self.axes else self.add_subplot(1, 1, 1)

    def suptitle(self, text: Any, *_: Any, **__: Any) -> None:
        self.title = str(text)

    def picture(self) -> Image.Image:
        """Draw the sheet as a picture."""
        sheet = Image.new("RGB", self.size, "white")
        for axes in self.axes:
            rows, columns, number = axes.place
            row, column = divmod(number - 1, columns)
            width, height = self.size[0] // columns, self.size[1] // rows
            axes.draw(sheet, (column * width, row * height, (column + 1) * width, (row + 1) * height))
        ImageDraw.Draw(sheet).text((8, 2), self.title.encode("latin-1", "replace").decode("latin-1"), fill="black")
        return sheet

    def savefig(self, name: Any, **more: Any) -> None:
        """Save as PNG, whatever other kind was asked for that Pillow cannot write."""
        if isinstance(name, str):
            kind = name.rpartition(".")[2].lower()
            if kind in ("eps", "ps", "svg", "pgf"):
                name = name[: -len(kind)] + "png"
            elif "." not in name.replace("\\", "/").rpartition("/")[2]:
                name += ".png"
        self._saved(name)
        self.picture().save(name, **({} if isinstance(name, str) else {"format": more.get("format", "png")}))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_, **__: self


def as_picture(image: Any) -> Image.Image:
    """Draw an array from its smallest number, black, to its largest, white."""
    if isinstance(image, Image.Image):
        return image.convert("RGB")
    values = np.squeeze(np.asarray(image))
    if values.dtype != np.uint8:
        values = values.astype(float)
        low, high = (0.0, 1.0) if values.ndim == 3 and values.min() >= 0 and values.max() <= 1 else (values.min(), values.max())
        values = ((values - low) / ((high - low) or 1.0) * 255).astype(np.uint8)
    return Image.fromarray(np.atleast_2d(values)).convert("RGB")


def _ends(values: list[Any]) -> tuple[float, float]:
    every = np.concatenate([np.ravel(v) for v in values]) if values else np.zeros(1)
    every = every[np.isfinite(every)]
    low, high = (float(every.min()), float(every.max())) if every.size else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)
