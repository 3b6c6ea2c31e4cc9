"""What Pillow did by default until 2017, for scripts alone: all else in the process keeps the Pillow of today.

The reference is Pillow 4.2 of July 2017. ``Image.resize`` took the nearest pixel up to 6.2, ``ImageOps.fit`` and
``ImageOps.scale`` too; ``thumbnail`` cut sizes off and averaged in one step; luma was (299 R + 587 G + 114 B) // 1000, as in
PIL 1.1.7, was shifted instead of divided in 4.3, and is rounded since 7.0. ``rotate`` has taken the nearest pixel throughout.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageChops, ImageOps

from symae.shims.restoring import names_restored

if TYPE_CHECKING:
    from symae.legacy.session import Session

__all__ = ["restored"]

NEAREST, BICUBIC = Image.Resampling.NEAREST, Image.Resampling.BICUBIC
LUMA = np.array([299, 587, 114], np.int32)
# Modes whose pixels have a colour that "L", "LA" and "I" leave out; YCbCr has its luma already.
COLOURED = ("RGB", "RGBA", "RGBX", "P", "PA", "CMYK", "HSV")
# What calls Pillow in the name of whoever has called it.
GO_BETWEENS = (
    *("symae.legacy.python2_builtins", "symae.legacy.python2_operations", "symae.shims.standard_names"),
    *("symae.shims.scipy_names", __name__),
)

today_resize, today_convert, today_thumbnail = Image.Image.resize, Image.Image.convert, Image.Image.thumbnail
today_fit, today_scale = ImageOps.fit, ImageOps.scale


def resize(image: Image.Image, size: Any, resample: Any = NEAREST, *rest: Any, **more: Any) -> Image.Image:
    """Resize to (width, height), by default to the nearest pixels.

    Of pictures with an alpha channel these are the pixels themselves, as in PIL 1.1.7 and today.
    """
    return today_resize(image, size, resample, *rest, **more)


def convert(image: Image.Image, mode: str | None = None, matrix: Any = None, *rest: Any, **more: Any) -> Image.Image:
    """Convert to `mode`; of the luma of colours the fraction is cut off."""
    converted = today_convert(image, mode, matrix, *rest, **more)
    if mode not in ("L", "LA", "I") or matrix is not None or image.mode not in COLOURED or 0 in image.size:
        return converted
    colours = today_convert(image, "RGBA" if image.mode in ("P", "PA", "RGBA") else "RGB")
    luma = np.asarray(colours)[..., :3] @ LUMA // 1000
    band = Image.frombytes("I", image.size, luma.tobytes())
    if mode != "I":
        band = today_convert(band, "L")
    converted.paste(Image.merge("LA", (band, converted.getchannel("A"))) if mode == "LA" else band)
    return converted


def thumbnail(image: Image.Image, size: Any, resample: Any = BICUBIC, *gap: Any, **more: Any) -> None:
    """Shrink `image` itself to fit into `size`: the other side is cut off to whole pixels, and all pixels are averaged."""
    if gap or more:
        today_thumbnail(image, size, resample, *gap, **more)
        return
    width, height = image.size
    if width > size[0]:
        width, height = int(size[0]), int(max(height * size[0] / width, 1))
    if height > size[1]:
        width, height = int(max(width * size[1] / height, 1)), int(size[1])
    if (width, height) == image.size:
        return
    image.draft(None, (width, height))
    resized: Any = today_resize(image, (width, height), resample)
    # As Pillow's own thumbnail changes a picture in its place.
    changed: Any = image
    changed.im, changed._size, changed._mode, changed.readonly = resized.im, resized.size, resized.mode, 0
    if hasattr(changed, "pyaccess"):  # up to Pillow 10
        changed.pyaccess = None


def fit(image: Image.Image, size: Any, method: Any = NEAREST, bleed: float = 0.0, centering: Any = (0.5, 0.5)) -> Image.Image:
    """Crop to the aspect ratio of `size`, in whole pixels, and resize, by default to the nearest pixels."""
    centre = [share if 0 <= share <= 1 else 0.5 for share in centering]
    edges = (0, 0)
    inner = image.size
    if 0 < bleed <= 0.49999:
        edges = int(bleed * image.width + 0.5), int(bleed * image.height + 0.5)
        inner = image.width - 2 * edges[0] - 1, image.height - 2 * edges[1] - 1
    ratio = size[0] / size[1]
    is_wide = inner[0] / inner[1] >= ratio
    kept = (int(ratio * inner[1] + 0.5), inner[1]) if is_wide else (inner[0], int(inner[0] / ratio + 0.5))
    left, top = (max(int(edges[i] + (inner[i] - kept[i]) * centre[i]), 0) for i in (0, 1))
    return today_resize(image.crop((left, top, left + kept[0], top + kept[1])), size, method)


def scale(image: Image.Image, factor: float, resample: Any = NEAREST) -> Image.Image:
    """Resize by `factor`, by default to the nearest pixels."""
    return today_scale(image, factor, resample)


def offset(image: Image.Image, xoffset: int, yoffset: int | None = None) -> Image.Image:
    """Shift the pixels around the edges; today a function of ImageChops."""
    return ImageChops.offset(image, xoffset, yoffset)


@contextmanager
def restored(session: Session) -> Iterator[None]:
    """Restore the old defaults for the script's modules."""

    def for_scripts(old: Callable[..., Any], today: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(today)
        def either(*arguments: Any, **keywords: Any) -> Any:
            return (old if _is_of_the_script(session, sys._getframe(1)) else today)(*arguments, **keywords)

        return either

    methods = {
        "resize": for_scripts(resize, today_resize),
        "convert": for_scripts(convert, today_convert),
        "thumbnail": for_scripts(thumbnail, today_thumbnail),
    }
    with ExitStack() as stack:
        stack.enter_context(names_restored(Image.Image, methods, replacing=True))
        stack.enter_context(names_restored(Image.Image, {"offset": offset}))
        functions = {"fit": for_scripts(fit, today_fit), "scale": for_scripts(scale, today_scale)}
        stack.enter_context(names_restored(ImageOps, functions, replacing=True))
        yield


def _is_of_the_script(session: Session, frame: FrameType | None) -> bool:
    """Return True if the nearest caller outside Pillow is one of the script's modules, or code that they execute."""
    while frame is not None:
        name = frame.f_globals.get("__name__") or ""
        if name.partition(".")[0] != "PIL" and name not in GO_BETWEENS:
            break
        frame = frame.f_back
    if frame is None:
        return False
    # The built-in names of code that a script executes are a copy of its module's, with the same __import__.
    importing = frame.f_builtins.get("__import__")
    spaces = (vars(module).get("__builtins__") for module in list(session.modules.values()))
    return any(isinstance(names, dict) and names.get("__import__") is importing for names in spaces)
