"""What answers are made of: JSON and PNG, and the parts of paths and queries, checked."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symae.errors import InputError
from symae.images import png_bytes
from symae.inspector.runs import Run

Query = Mapping[str, str]
Content = tuple[str, bytes]  # type and bytes
Answer = Callable[[Run, str, list[str], Query], Content]  # for a run, a model's name, the rest of the path and the query


class UnknownError(InputError):
    """Raised for a path that names nothing."""


def json_answer(value: Any) -> Content:
    """Return `value` as JSON; numbers that are not finite, which JSON does not have, are null."""
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    except ValueError:
        text = json.dumps(_finite(value), allow_nan=False, separators=(",", ":"))
    return "application/json", text.encode()


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def png_answer(picture: Any) -> Content:
    """Answer with a picture as `symae.images.png_bytes` takes it."""
    return "image/png", png_bytes(picture, smallest=False)


def numbers(values: Any) -> list[float | None]:
    """Return numbers with five digits; what is not finite is None."""
    return [float(f"{v:.5g}") if math.isfinite(v) else None for v in np.asarray(values, np.float64).tolist()]


def worded(name: str, value: Any) -> str:
    """Return the setting `name` in words: yes and no, and the numbers of a shape with × between."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        texts = [str(v) for v in value]
        return " × ".join(texts) if name.endswith("shape") else f"({', '.join(texts)})"
    return str(value)


def floats(values: Any) -> str:
    """Return numbers as float32 in base64, little-endian: a third of the JSON's length, and nothing to parse."""
    return base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode()


def quoted(*parts: Any) -> str:
    """Return the parts of a path, of which names may have slashes, as an exported page has them."""
    texts = (str(part) for part in parts)
    return "/".join(text.replace("%", "%25").replace("/", "%2F").replace("?", "%3F") for text in texts)


def one(rest: list[str], what: str) -> str:
    """Return the rest of a path, which is `what`."""
    return _parts(rest, what)[0]


def two(rest: list[str], first: str, second: str) -> tuple[str, str]:
    """Return the rest of a path, which is a `first` and a `second`."""
    parts = _parts(rest, first, second)
    return parts[0], parts[1]


def _parts(rest: list[str], *whats: str) -> list[str]:
    if len(rest) != len(whats):
        raise UnknownError("end of the path", repr("/".join(rest)[:80]), "/".join(what.upper() for what in whats))
    return rest


def whole(name: str, value: Any) -> int:
    text = str(value)
    if not (text.isdecimal() and text.isascii()) or len(text) > 9:
        raise InputError(name, repr(text[:40]), "a whole number")
    return int(text)


def real(name: str, value: Any, low: float, high: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not low <= number <= high:
        raise InputError(name, repr(value)[:40], f"a number from {low:g} to {high:g}")
    return number
