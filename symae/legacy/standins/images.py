"""Pillow's names that are gone."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from symae.legacy.operations import as_bytes
from symae.legacy.standins.restoring import names_restored

if TYPE_CHECKING:
    from symae.legacy.session import Session

__all__ = ["MODULES", "restored"]

MODULES: dict[str, Callable[[Session], ModuleType]] = {}


def _tostring(image: Image.Image, *arguments: Any) -> bytes:
    return image.tobytes(*arguments)


def _fromarray(array: Any, mode: str | None = None) -> Image.Image:
    """`mode` was a word for what the bytes are; of other numbers the first bytes were read, and nobody meant that."""
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


from_array = Image.fromarray


@contextmanager
def restored(session: Session) -> Iterator[None]:
    """ANTIALIAS and its like, tostring and its like; ``show`` puts a picture into the report."""
    names = {"ANTIALIAS": Image.Resampling.LANCZOS, "LINEAR": Image.Resampling.BILINEAR, "CUBIC": Image.Resampling.BICUBIC}
    names |= {name: getattr(Image.Resampling, name) for name in ("NEAREST", "BILINEAR", "BICUBIC", "LANCZOS", "BOX")}
    names |= {name: getattr(Image.Transpose, name) for name in ("FLIP_LEFT_RIGHT", "FLIP_TOP_BOTTOM", "ROTATE_90", "ROTATE_180",
                                                                "ROTATE_270", "TRANSPOSE")}  # fmt: skip
    with ExitStack() as stack:
        stack.enter_context(names_restored(Image, names))
        from_bytes = {name: _of_strings(getattr(Image, name), 2) for name in ("frombytes", "frombuffer")}
        from_bytes["fromstring"] = from_bytes["frombytes"]
        stack.enter_context(names_restored(Image, {"fromarray": _fromarray, **from_bytes}, replacing=True))
        into = _of_strings(Image.Image.frombytes, 1)
        stack.enter_context(names_restored(Image.Image, {"frombytes": into, "fromstring": into}, replacing=True))
        stack.enter_context(names_restored(Image.Image, {"tostring": _tostring}))
        shown = {"show": lambda image, *_, **__: session.record.figure(image.convert("RGB"))}
        stack.enter_context(names_restored(Image.Image, shown, replacing=True))
        yield
