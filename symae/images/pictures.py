"""Arrays as Pillow images: enlarged, labelled and put beside one another, and stored as PNG."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from symae._runtime.atomic_files import replacing
from symae.errors import InputError
from symae.images.tiles import tile_raster_images

PAPER, INK = 255, 32
LABEL_SIZE = 16
GAP = 16


def to_image(picture: Any) -> Image.Image:
    """Make a Pillow image of an array; an image comes back as it is.

    Parameters
    ----------
    picture : array (h, w), (h, w, 3) or (h, w, 4), or PIL.Image.Image
        uint8 holds pixel values, 0 to 255. Every other dtype holds numbers from 0 (black) to 1 (white), rounded to the nearest
        pixel value; booleans and a mask of 0 and 1 are black and white.

    Raises
    ------
    InputError
        The shape is another one, or a number is NaN or outside [0, 1].
    """
    if isinstance(picture, Image.Image):
        return picture
    array = np.asarray(picture)
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))) or not array.size:
        raise InputError("picture", f"shape {array.shape}", "(h, w), (h, w, 3) or (h, w, 4)")
    if array.dtype.kind not in "biuf":
        raise InputError("picture", f"dtype {array.dtype}", "numbers")
    if array.dtype != np.uint8:
        low, high = array.min(), array.max()
        if not (low >= 0 and high <= 1):  # NaN fails both
            expected = "uint8 pixels, or numbers from 0 to 1 (np.clip or scale_to_unit_interval makes them)"
            raise InputError("picture", f"{array.dtype} values from {low} to {high}", expected)
        array = np.rint(array.astype(np.float64) * 255).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(array))


def enlarge(picture: Any, zoom: int) -> Image.Image:
    """Repeat every pixel of an array or image `zoom` times down and across."""
    image = to_image(picture)
    zoom = _integer("zoom", zoom, least=1)
    return image if zoom == 1 else image.resize((image.width * zoom, image.height * zoom), Image.Resampling.NEAREST)


def side_by_side(pictures: Sequence[tuple[str, Any]], columns: int | None = None, zoom: int = 1) -> Image.Image:
    """Put pictures beside one another, each under its label, on white.

    Parameters
    ----------
    pictures : sequence of (label, array or PIL.Image.Image)
        Arrays as in `to_image`. A label may have several lines, or be empty.
    columns : int, optional
        Pictures in a row; all of them if not given.
    zoom : int
        Each picture is enlarged by pixel repetition; the labels are not.
    """
    cells = [(label, enlarge(picture, zoom)) for label, picture in _labelled(pictures)]
    columns = len(cells) if columns is None else _integer("columns", columns, least=1)
    return _on_paper([cells[start : start + columns] for start in range(0, len(cells), columns)])


def labelled_rows(
    rows: Sequence[tuple[str, Any]], img_shape: Sequence[int], zoom: int = 1, tile_spacing: Sequence[int] = (0, 1)
) -> Image.Image:
    """Put rows of images over one another, each row under its label: originals over reconstructions.

    Parameters
    ----------
    rows : sequence of (label, array (n, pixels), (n, h, w) or (n, c, h, w))
        Images of grey or of three channels, uint8 pixels or numbers from 0 to 1.
    img_shape : (h, w) or (c, h, w)
    zoom : int
        Images are enlarged by pixel repetition.
    tile_spacing : (int, int)
        Pixels between images before enlarging.
    """
    strips = []
    for label, X in _labelled(rows):
        images = np.asarray(X)
        fits = images.ndim > 2 and images.shape[-2:] == tuple(img_shape[-2:])
        if fits and math.prod(images.shape[1:]) == math.prod(img_shape):
            images = images.reshape((len(images), math.prod(img_shape)))
        if images.ndim != 2 or not len(images):
            raise InputError(f"row {label!r}", f"shape {images.shape}", "images (n, h*w), at least one")
        strips.append((label, tile_raster_images(images, img_shape, (1, len(images)), tile_spacing, False, False)))
    return side_by_side(strips, columns=1, zoom=zoom)


def png_bytes(picture: Any, *, smallest: bool = True) -> bytes:
    """Return an array or image as the bytes of a PNG file; the same picture gives the same bytes.

    What is only sent to a browser on this machine need not be the smallest that can be had, which takes four times as long.
    """
    buffer = io.BytesIO()
    to_image(picture).save(buffer, format="PNG", optimize=smallest)
    return buffer.getvalue()


def save_png(path: str | os.PathLike[str], picture: Any) -> bytes:
    """Write an array or image to `path` as PNG, whole or not at all, and give what was written.

    Raises
    ------
    UnwritableError
        `path` cannot be written; what it held is still there.
    """
    data = png_bytes(picture)
    with replacing(path) as file:
        file.write(data)
    return data


def _integer(name: str, number: Any, least: int) -> int:
    if not isinstance(number, int | np.integer) or number < least:
        raise InputError(name, repr(number), f"an integer, at least {least}")
    return int(number)


def _labelled(pictures: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    pairs = list(pictures)
    if not pairs:
        raise InputError("pictures", "none", "at least one pair of a label and a picture")
    for pair in pairs:
        if not (isinstance(pair, tuple | list) and len(pair) == 2 and isinstance(pair[0], str)):
            raise InputError("pictures", f"a {type(pair).__name__}", "pairs of a label and a picture")
    return pairs


def _on_paper(rows: list[list[tuple[str, Image.Image]]]) -> Image.Image:
    font = ImageFont.load_default(size=LABEL_SIZE)
    pen = ImageDraw.Draw(Image.new("L", (1, 1)))
    line = LABEL_SIZE + LABEL_SIZE // 4

    def text_width(label: str) -> int:
        return max(int(pen.textlength(part, font=font)) + 1 for part in label.split("\n"))

    columns = [[row[i] for row in rows if i < len(row)] for i in range(len(rows[0]))]
    widths = [max(max(image.width, text_width(label)) for label, image in column) for column in columns]
    # An empty label takes no room unless its neighbours in the row have one.
    headings = [max(line * len(label.split("\n")) + GAP // 4 if label else 0 for label, _ in row) for row in rows]
    heights = [heading + max(image.height for _, image in row) for heading, row in zip(headings, rows, strict=True)]
    colour = any(image.mode not in ("1", "L") for row in rows for _, image in row)
    size = (sum(widths) + GAP * (len(widths) + 1), sum(heights) + GAP * (len(heights) + 1))
    paper = Image.new("RGB", size, (PAPER,) * 3) if colour else Image.new("L", size, PAPER)
    pen = ImageDraw.Draw(paper)

    top = GAP
    for row, heading, height in zip(rows, headings, heights, strict=True):
        left = GAP
        for (label, image), width in zip(row, widths, strict=False):
            for number, part in enumerate(label.split("\n")):
                pen.text((left, top + number * line), part, fill=(INK,) * 3 if colour else INK, font=font)
            alpha = image.getchannel("A") if image.mode == "RGBA" else None
            paper.paste(image.convert(paper.mode), (left, top + heading), alpha)
            left += width + GAP
        top += height + GAP
    return paper
