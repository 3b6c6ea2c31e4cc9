"""The bytes of Python files: their encoding and line ends, read so that they can be written back as they were."""

from __future__ import annotations

import codecs
import io
import re
import tokenize
from dataclasses import dataclass
from os import PathLike

from symae.errors import InputError

__all__ = ["Source", "decode", "encode"]

_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x19\x1b-\x1f]")


@dataclass(frozen=True)
class Source:
    """A text and how it was stored.

    Attributes
    ----------
    text : str
        With ``\\n`` at the ends of lines.
    encoding : str
        What the file says that it is in, UTF-8 if it says nothing.
    newline : str
        The end of most of its lines: ``\\n``, or ``\\r\\n`` as on Windows.
    undeclared : bool
        It holds bytes that are no UTF-8 and does not say what they are. They were read as Latin-1; `encode` writes UTF-8.
    """

    text: str
    encoding: str = "utf-8"
    newline: str = "\n"
    undeclared: bool = False


def decode(data: bytes, place: str | PathLike[str]) -> Source:
    """Read the bytes of the Python file `place`.

    Raises
    ------
    InputError
        They are no text, or not in the encoding that the file declares.
    """
    if _CONTROL.search(data):
        raise InputError(place, "binary data", "the text of a Python program")
    encoding, undeclared = "utf-8", False
    try:
        # looks at two lines, and refuses bytes in them that are not UTF-8 unless they say what they are
        encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError) as error:
        if _declares(data) or data.startswith(codecs.BOM_UTF8):
            found = str(error) if isinstance(error, SyntaxError) else f"bytes that are not {encoding}, as its first lines say"
            raise InputError(place, found, "text in the encoding that it declares") from None
        text, encoding, undeclared = data.decode("latin-1"), "utf-8", True
    # lone carriage returns, of old Macs, end lines for Python too
    windows = text.count("\r\n")
    newline = "\r\n" if 2 * windows > text.count("\n") else "\n"
    return Source(text.replace("\r\n", "\n").replace("\r", "\n"), encoding, newline, undeclared)


def encode(text: str, source: Source) -> bytes:
    """`text`, a new version of ``source.text``, in the encoding and with the line ends of `source`; mixed ends become one."""
    return text.replace("\n", source.newline).encode(source.encoding)


def _declares(data: bytes) -> bool:
    return any(re.match(rb"^[ \t\f]*#.*?coding[:=][ \t]*[-\w.]+", line) for line in data.splitlines()[:2])
