"""Pictures for notebooks and files: what the inspector's objects return where there is something to see."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from PIL import Image

from symae.errors import InputError
from symae.images import png_bytes, save_png

# Colours at equal distances from the lowest value to the highest, between which is mixed. The two of two colours have the value
# zero in their middle: Okabe and Ito's vermilion and blue, which the colour-blind tell apart. Viridis is by S. van der Walt and
# N. Smith (CC0).
COLOURS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "grey": ((0, 0, 0), (255, 255, 255)),
    "inverse": ((255, 255, 255), (0, 0, 0)),
    "diverging": ((0, 58, 112), (60, 150, 210), (247, 247, 244), (226, 124, 54), (120, 44, 0)),
    "viridis": ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)),
}


RGB = "rgb"  # of pictures that have channels for red, green and blue already
HOLE = (209, 0, 122)  # where there is no number: a colour that none of the others comes near


@dataclass(frozen=True)
class Figure:
    """Hold a picture with a title, which Jupyter shows.

    Attributes
    ----------
    image : PIL.Image.Image
    title : str
        Stands above it, and says to those who cannot see it what it is.
    """

    image: Image.Image
    title: str = ""

    def save(self, path: str | PathLike[str]) -> None:
        """Write the picture to `path` as PNG, whole or not at all."""
        save_png(path, self.image)

    def _repr_png_(self) -> bytes:
        return png_bytes(self.image)

    def _repr_html_(self) -> str:
        data = base64.b64encode(png_bytes(self.image)).decode()
        title = html.escape(self.title)
        caption = f"<figcaption>{title}</figcaption>" if title else ""
        style = "image-rendering: pixelated; max-width: 100%"
        picture = f'<img style="{style}" alt="{title}" src="data:image/png;base64,{data}">'
        return f'<figure style="margin: 0">{caption}{picture}</figure>'


def coloured(picture: Any, colours: str) -> np.ndarray:
    """Return numbers from 0 to 1 as pixels of uint8: (..., h, w) -> (..., h, w, 3), or (..., h, w) where the colours are greys.

    With ``"rgb"`` the last axis holds red, green and blue already. What is not finite becomes magenta.
    """
    values = np.asarray(picture, dtype=np.float64)
    holes = ~np.isfinite(values)
    if holes.any():
        pixels = coloured(np.where(holes, 0.0, values), colours)
        if pixels.ndim == values.ndim and colours != RGB:
            pixels = np.repeat(pixels[..., None], 3, axis=-1)
        pixels[holes.any(axis=-1) if colours == RGB else holes] = HOLE
        return pixels
    if colours == RGB:
        return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    if colours not in COLOURS:
        raise InputError("colours", repr(colours), f"one of {', '.join(COLOURS)}")
    stops = np.array(COLOURS[colours], dtype=np.float64)
    places = np.linspace(0, 1, len(stops))
    channels = [np.interp(values, places, stops[:, i]) for i in range(1 if colours in {"grey", "inverse"} else 3)]
    pixels = np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
    return pixels[..., 0] if len(channels) == 1 else pixels
