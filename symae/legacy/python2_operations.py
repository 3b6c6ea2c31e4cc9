"""What the passes of `symae.legacy.python2_semantics` call: Python 2's division, its texts of floats, its sorting."""

from __future__ import annotations

import codecs
import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from symae.legacy import python2_classes
from symae.python2.version_detection import byte_codec
from symae.shims import lenient_numpy
from symae.shims.standard_names import as_bytes

__all__ = ["OPERATIONS", "Quotient", "divided", "quotient", "str2"]

_PRINTED = bytes(range(32, 127))
WHOLE = (int, np.integer)  # bool is an int


class Quotient(float):
    """Represent a quotient of whole numbers in a source that does not say which Python it is for.

    It is the number that Python 3 computes, and where Python 3 would stop because a whole number is asked for (a range, a
    shape, an index), it is the one that Python 2 computed.
    """

    __slots__ = ()

    def __index__(self) -> int:
        return math.floor(self)


def divided(a: Any, b: Any) -> Any:
    """Divide as Python 2's ``a / b``: whole numbers and arrays of them are rounded down, others as they say themselves."""
    if type(a) is float or type(b) is float:
        return a / b
    if isinstance(a, WHOLE) and isinstance(b, WHOLE):
        return a // b
    symbolic = getattr(type(a), "__div__", None)
    if symbolic is not None:
        result = symbolic(a, b)
        if result is not NotImplemented:
            return result
    symbolic = getattr(type(b), "__rdiv__", None)
    if symbolic is not None:
        result = symbolic(b, a)
        if result is not NotImplemented:
            return result
    return a // b if _is_whole(a) and _is_whole(b) else a / b


def divided_in_place(a: Any, b: Any) -> Any:
    """Divide as Python 2's ``a /= b``."""
    in_place = getattr(type(a), "__idiv__", None)
    if in_place is not None:
        return in_place(a, b)
    if isinstance(a, np.ndarray) and not hasattr(type(b), "__rdiv__"):
        return operator.ifloordiv(a, b) if _is_whole(a) and _is_whole(b) else _filled(a, b)
    return divided(a, b)


def _filled(a: np.ndarray, b: Any) -> np.ndarray:
    """Divide an array of whole numbers in place and cut the fraction off, as NumPy did before it minded."""
    if a.dtype.kind in "iub":
        a[...] = np.true_divide(a, b)
        return a
    return operator.itruediv(a, b)


def _is_whole(x: Any) -> bool:
    return isinstance(x, WHOLE) or (isinstance(x, np.ndarray) and x.dtype.kind in "iub")


def quotient(a: Any, b: Any) -> Any:
    """Divide ``a / b`` of a source that may be for either Python."""
    result = a / b
    return Quotient(result) if isinstance(a, int) and isinstance(b, int) else result


def quotient_in_place(a: Any, b: Any) -> Any:
    """Divide ``a /= b`` of a source that may be for either Python."""
    return quotient(a, b) if isinstance(a, int) else operator.itruediv(a, b)


def str2(x: Any) -> str:
    """Return ``str(x)`` of Python 2, which gave a float twelve digits."""
    if isinstance(x, str):
        return str(x)
    if isinstance(x, np.ndarray) and x.shape == () and x.dtype.kind == "f":
        return str(x[()]) if x.dtype.itemsize < 8 else _twelve_digits(float(x))
    if type(x) in (float, np.float64, Quotient):
        return _twelve_digits(x)
    if isinstance(x, bytes):
        return x.decode("utf-8", "replace")
    return str(x)


def _twelve_digits(x: float) -> str:
    text = f"{x:.12g}"
    return text if set(text) & set(".en") else text + ".0"  # 1e+16, nan and inf stay


class _Shown(float):
    """Show a float within a text that is being formatted."""

    __slots__ = ()

    def __str__(self) -> str:
        return _twelve_digits(float(self))

    def __format__(self, how: str) -> str:
        return format(float(self), how) if how else str(self)

    def __repr__(self) -> str:
        return repr(float(self))


def _shown(x: Any) -> Any:
    if type(x) in (float, np.float64, Quotient):
        return _Shown(x)
    if isinstance(x, np.ndarray) and x.shape == () and x.dtype.kind == "f":
        return _Shown(x) if x.dtype.itemsize == 8 else x[()]
    return x


def formatted(text: str, values: Any) -> str:
    """Format ``text % values``."""
    if isinstance(values, tuple):
        values = tuple(map(_shown, values))
    elif isinstance(values, dict):
        values = {key: _shown(value) for key, value in values.items()}
    else:
        values = _shown(values)
    return lenient_numpy.filled(text, values)


def format_text(text: str, *values: Any, **named: Any) -> str:
    """Format ``text.format(…)``."""
    return text.format(*map(_shown, values), **{name: _shown(value) for name, value in named.items()})


def sort(items: Any, *arguments: Any, **keywords: Any) -> Any:
    """Sort by ``items.sort(…)``: a list took a function that compares."""
    if isinstance(items, list):
        key = sorting_key(*arguments, **{name: keywords.pop(name) for name in ("cmp", "key") if name in keywords})
        reverse = arguments[2] if len(arguments) > 2 else keywords.pop("reverse", False)
        return items.sort(key=key, reverse=bool(reverse), **keywords)
    return items.sort(*arguments, **keywords)


def sorting_key(cmp: Callable[..., int] | None = None, key: Any = None, reverse: Any = None) -> Any:
    """Return a key for `sorted` from what Python 2's took."""
    if cmp is None:
        return key
    compared = functools.cmp_to_key(cmp)
    return compared if key is None else lambda item: compared(key(item))


def message(x: Any) -> Any:
    """Return ``x.message``, which every exception had: its only argument, or nothing where it has more or none."""
    if not isinstance(x, BaseException) or hasattr(x, "message"):
        return x.message
    return x.args[0] if len(x.args) == 1 else ""


def parts(error: Any) -> Any:
    """Return what ``error[0]`` and ``a, b = error`` take: the arguments of an exception."""
    is_plain = isinstance(error, BaseException) and not hasattr(error, "__getitem__") and not hasattr(error, "__iter__")
    return error.args if is_plain else error


def decode(text: Any, encoding: Any = "ascii", *errors: Any, **keywords: Any) -> Any:
    """Decode by ``text.decode(…)``: what was a string of bytes is a text by now.

    Of a codec from bytes to bytes, as ``hex``, the result is a text where all of it are letters of ASCII, else bytes.
    """
    if not isinstance(text, str | bytes | bytearray):
        return text.decode(encoding, *errors, **keywords)
    codec = byte_codec(str(encoding))
    if codec is not None:
        return _recoded(text, codec, codecs.decode, codecs.escape_decode)
    if isinstance(text, str):
        return as_bytes(text).decode(encoding) if encoding == "unicode_escape" else text
    return text.decode(encoding, *errors, **keywords)


def encode(text: Any, encoding: Any = "ascii", *errors: Any, **keywords: Any) -> Any:
    """Encode by ``text.encode(…)``, also with Python 2's codecs from bytes to bytes: ``hex``, ``base64``, ``zlib`` …"""
    if not isinstance(text, str | bytes | bytearray):
        return text.encode(encoding, *errors, **keywords)
    codec = byte_codec(str(encoding))
    if codec is not None:
        return _recoded(text, codec, codecs.encode, codecs.escape_encode)
    if isinstance(text, bytes | bytearray):
        text = text.decode("ascii")  # as Python 2 did before it encoded
    data = text.encode(encoding, *errors, **keywords)
    return data.decode("ascii") if encoding == "unicode_escape" else data


def _recoded(text: Any, codec: str, recode: Callable[..., Any], escape: Callable[..., Any]) -> Any:
    """Return what a codec from strings to strings makes of a text, by `codecs.encode` or `decode`, and its like for escapes."""
    if codec == "rot13":
        return recode(_as_text(text), codec)
    data = _as_bytes(text)
    return _as_text(escape(data)[0] if codec == "string_escape" else recode(data, codec))


def _as_bytes(text: Any) -> bytes:
    return as_bytes(text) if isinstance(text, str) else bytes(text)


def _as_text(data: Any) -> Any:
    """Return a text where `data` are letters of ASCII and ends of lines, as Python 2's strings of both kinds were one."""
    if isinstance(data, str):
        return data
    plain = data.isascii() and not data.translate(None, b"\t\n\r\f").translate(None, _PRINTED)
    return data.decode("ascii") if plain else data


def unicode2(x: Any, *encoding: Any, **keywords: Any) -> str:
    """Return ``unicode(x)``, which asked ``x.__unicode__`` first; with an encoding it decoded a string of bytes."""
    if encoding or keywords:
        return str(decode(x, *encoding, **keywords))
    special = getattr(x, "__unicode__", None)
    if special is None or isinstance(x, type):
        return str2(x)
    text = special()
    return text.decode("ascii") if isinstance(text, bytes) else str(text)


class _Unicode:
    """Show an object within a text of Unicode that is being formatted."""

    def __init__(self, x: Any):
        self._x = x

    def __str__(self) -> str:
        return unicode2(self._x)

    def __repr__(self) -> str:
        return repr(self._x)

    def __float__(self) -> float:
        return float(self._x)

    def __int__(self) -> int:
        return int(self._x)


def formatted_unicode(text: str, values: Any) -> str:
    """Format ``u"…" % values``."""
    if isinstance(values, tuple):
        return formatted(text, tuple(map(_shown_unicode, values)))
    if isinstance(values, dict):
        return formatted(text, {key: _shown_unicode(value) for key, value in values.items()})
    return formatted(text, _shown_unicode(values))


def _shown_unicode(x: Any) -> Any:
    return _Unicode(x) if hasattr(type(x), "__unicode__") else x


OPERATIONS: dict[str, Callable[..., Any]] = {
    **lenient_numpy.OPERATIONS,
    **{f"__symae_{function.__name__}__": function for function in (iter, list, next, repr)},  # in converted sources
    "__symae_divided__": divided,
    "__symae_divided_in_place__": divided_in_place,
    "__symae_quotient__": quotient,
    "__symae_quotient_in_place__": quotient_in_place,
    "__symae_str__": str2,
    "__symae_formatted__": formatted,
    "__symae_format__": format_text,
    "__symae_sort__": sort,
    "__symae_message__": message,
    "__symae_parts__": parts,
    "__symae_formatted_unicode__": formatted_unicode,
    "__symae_decode__": decode,
    "__symae_encode__": encode,
    "__symae_unicode__": unicode2,
    "__symae_adapted__": python2_classes.adapted,
    "__symae_hashable__": python2_classes.hashable,
    "__symae_slicing__": python2_classes.slicing,
}
