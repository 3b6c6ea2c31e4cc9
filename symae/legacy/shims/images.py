"""Pillow's names that are gone."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from symae.shims.restoring import names_restored
from symae.shims.standard_names import as_bytes

if TYPE_CHECKING:
    from symae.legacy.session import Session

__all__ = ["MODULES", "restored"]

MODULES: dict[str, Callable[[Session], ModuleType]] = {}


def _tostring(image: Image.Image, *arguments: Any) -> bytes:
    return image.tobytes(*arguments)


def _fromarray(array: Any, mode: str | None = None) -> Image.Image:
    """Make a picture; `mode` said what the bytes are, and of other numbers the first bytes were read, which nobody meant."""
    array = np.asarray(array)
    if mode in ("L", "RGB", "RGBA") and array.dtype != np.uint8:
        array = array.astype(np.uint8)
    return from_array(array)


def _of_strings(function: Callable[..., Any], at: int) -> Callable[..., Any]:
    """Let `function` take a string of Python 2 for the bytes that are its argument number `at`."""

    @functools.wraps(function)
    def taking(*arguments: Any, **keywords: Any) -> Any:
        given = [as_bytes(a) if i == at and isinstance(a, str) else a for i, a in enumerate(arguments)]
        data = keywords.get("data")
        return function(*given, **{**keywords, "data": as_bytes(data)} if isinstance(data, str) else keywords)

    return taking


def _text_size(font: Any, text: str, *_: Any, **__: Any) -> tuple[int, int]:
    """Return (width, height) from where a text is put, as wide and high as today's font draws it."""
    left, _top, right, bottom = font.getbbox(text)
    return math.ceil(right - min(left, 0)), math.ceil(bottom)


def _drawn_size(pen: Any, text: str, font: Any = None, spacing: int = 4, *_: Any, **__: Any) -> tuple[int, int]:
    """Return (width, height) of a text's lines; each is as high as an A, and `spacing` more if there are several."""
    font, lines = font or pen.getfont(), text.split("\n")
    sizes = [_text_size(font, line) for line in lines]
    return (max(sizes)[0], len(lines) * (_text_size(font, "A")[1] + spacing)) if len(lines) > 1 else sizes[0]


from_array = Image.fromarray


@contextmanager
def restored(session: Session) -> Iterator[None]:
    """Restore ANTIALIAS and its like, tostring and its like; ``show`` puts a picture into the report."""
    names: dict[str, Any] = {
        "ANTIALIAS": Image.Resampling.LANCZOS,
        "LINEAR": Image.Resampling.BILINEAR,
        "CUBIC": Image.Resampling.BICUBIC,
    }
    names |= {name: getattr(Image.Resampling, name) for name in ("NEAREST", "BILINEAR", "BICUBIC", "LANCZOS", "BOX")}
    names |= {name: getattr(Image.Transpose, name) for name in ("FLIP_LEFT_RIGHT", "FLIP_TOP_BOTTOM", "ROTATE_90", "ROTATE_180",
                                                                "ROTATE_270", "TRANSPOSE")}  # fmt: skip
    names |= {"VERSION": "1.1.7", "PILLOW_VERSION": "4.2.1", "isStringType": lambda value: isinstance(value, str)}
    names["isImageType"] = lambda value: isinstance(value, Image.Image)
    with ExitStack() as stack:
        stack.enter_context(names_restored(Image, names))
        from_bytes = {name: _of_strings(getattr(Image, name), 2) for name in ("frombytes", "frombuffer")}
        from_bytes["fromstring"] = from_bytes["frombytes"]
        stack.enter_context(names_restored(Image, {"fromarray": _fromarray, **from_bytes}, replacing=True))
        into = _of_strings(Image.Image.frombytes, 1)
        stack.enter_context(names_restored(Image.Image, {"frombytes": into, "fromstring": into}, replacing=True))
        stack.enter_context(names_restored(Image.Image, {"tostring": _tostring}))
        for kind in (ImageFont.ImageFont, ImageFont.FreeTypeFont, ImageFont.TransposedFont):
            stack.enter_context(names_restored(kind, {"getsize": _text_size}))
        sizes = {"textsize": _drawn_size, "multiline_textsize": _drawn_size}
        stack.enter_context(names_restored(ImageDraw.ImageDraw, sizes))
        shown = {"show": lambda image, *_, **__: session.record.figure(image.convert("RGB"))}
        stack.enter_context(names_restored(Image.Image, shown, replacing=True))
        yield
