"""Pictures and table cells as the page's template takes them: data URIs, sizes, words for who cannot see them."""

from __future__ import annotations

import base64
import io
import numbers
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from symae.errors import InputError
from symae.images import enlarge, png_bytes, to_image

# What an automatic zoom fills: a figure at most FIGURE pixels a side, the pictures of one table row ROW pixels together.
FIGURE = 280
ROW = 840
# Wider than the text of a phone, where the browser shrinks it.
PHONE = 340
# Figures that a program wrote with its own number of decimals, perhaps with a unit of time or a sign of percent.
NUMBER = re.compile(r"[-+−]?\d+(,\d{3})*(\.\d+)?(e[-+]?\d+)?\s?(%|s|ms)?")


@dataclass(frozen=True)
class Picture:
    """Describe a picture for a table cell or a figure.

    Parameters
    ----------
    image : array or PIL.Image.Image
        As `symae.images.to_image` takes it: uint8 pixels, or numbers from 0 to 1.
    caption : str, optional
        Stands below the picture.
    alt : str, optional
        Says what is to be seen to those who cannot see it; by default the caption, or the row and column of the table.
    zoom : int, optional
        Page pixels for a pixel of the picture. By default small pictures are enlarged and large ones are not.
    png : bytes, optional
        The picture as a PNG file, if it has been made already.
    """

    image: Any = field(repr=False)
    caption: str | None = None
    alt: str | None = None
    zoom: int | None = None
    png: bytes | None = field(default=None, repr=False)

    def enlarged(self, room: float = FIGURE) -> Image.Image:
        """Return the image as large as it is shown; `room` is what an automatic zoom may fill."""
        return enlarge(self.image, self.zoom_in(room))

    def zoom_in(self, room: float) -> int:
        """Return by how much the image is enlarged."""
        zoom = max(1, int(room // max(to_image(self.image).size))) if self.zoom is None else self.zoom
        if not isinstance(zoom, int) or zoom < 1:
            raise InputError("zoom", repr(zoom), "an integer, at least 1")
        return zoom

    def _repr_png_(self) -> bytes:
        return png_bytes(self.enlarged())


@dataclass(frozen=True)
class Inlined:
    """Hold a picture as a PNG data URI, with its size on the page in CSS pixels."""

    src: str
    width: int
    height: int
    alt: str
    caption: str | None
    shrinks: bool

    def image(self) -> Image.Image:
        """Return the picture as large as it is on the page."""
        with Image.open(io.BytesIO(base64.b64decode(self.src.partition(",")[2]))) as image:
            return enlarge(image.copy(), self.width // image.width)


@dataclass(frozen=True)
class Cell:
    """Hold a table cell: a text, or a picture. ``kind`` is "text", "number" (also one that came as a string) or "picture"."""

    kind: str
    text: str = ""
    picture: Inlined | None = None


def inline(picture: Picture, alt: str = "", room: float = FIGURE) -> Inlined:
    """Inline a picture; `alt` is said when it brings no words itself, `room` is what an automatic zoom may fill."""
    image, zoom = to_image(picture.image), picture.zoom_in(room)
    # Stored as it is and enlarged by the browser, which repeats pixels: a small file, crisp at every size.
    source = "data:image/png;base64," + base64.b64encode(picture.png or png_bytes(image)).decode()
    width, height = image.width * zoom, image.height * zoom
    words = picture.alt or picture.caption or alt or f"picture of {image.width} by {image.height} pixels"
    return Inlined(source, width, height, words, picture.caption, shrinks=width > PHONE)


def as_cell(value: Any, where: str, alt: str = "", room: float = FIGURE) -> Cell:
    """Make a table cell of a string, a number, a picture or None; `where` names it in an error."""
    if value is None:
        return Cell("text")
    if isinstance(value, str):
        return Cell("number" if NUMBER.fullmatch(value.strip()) else "text", value)
    if isinstance(value, Image.Image):
        value = Picture(value)
    elif not isinstance(value, Picture | numbers.Number) and hasattr(value, "__array__"):
        array = np.asarray(value)
        value = array[()] if array.ndim == 0 else Picture(array)
    if isinstance(value, Picture):
        return Cell("picture", picture=inline(value, alt, room))
    if isinstance(value, bool | np.bool_):
        return Cell("text", "yes" if value else "no")
    if isinstance(value, numbers.Real):
        return Cell("number", format_number(value))
    raise InputError(where, f"a {type(value).__name__}", "a string, a number, an array, an image, a Picture or None")


def format_number(number: Any) -> str:
    """Write integers in full and other numbers with six significant digits."""
    return str(int(number)) if isinstance(number, numbers.Integral) else f"{float(number):.6g}"
