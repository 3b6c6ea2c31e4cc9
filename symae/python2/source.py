"""The text of a legacy source file: its encoding, its line ends, its tabs, and what a notebook's export put around the code."""

from __future__ import annotations

import codecs
import io
import re
import tokenize
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from symae.errors import InputError, MissingFileError

COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
# What no text holds: other control characters than ends of lines and pages, tabs, old editors' end of a file, and escapes.
BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x19\x1c-\x1f]")
# What a Sage cell may begin with, and how Sage's text export frames cells and what they printed.
SAGE_LINE = re.compile(r"^(%[a-z]\w*( .*)?|\{\{\{(id=\d+\|?)?|\}\}\})\s*$")
TAB = 8


@dataclass(frozen=True)
class StoredText:
    """Hold a text, with ``\\n`` at the ends of lines, and how it was stored."""

    text: str
    encoding: str = "utf-8"  # what the file says that it is in; UTF-8 if it says nothing, and for what no Python reads
    newline: str = "\n"  # of most of its lines: \n, or \r\n as on Windows
    # what its bytes were read as where they are not UTF-8 and do not say what they are; `encode` writes UTF-8
    taken_for: str = ""


def decode(data: bytes, where: str | PathLike[str]) -> StoredText:
    """Read the bytes of the Python file `where`.

    The encoding is that of the byte order mark or of the coding line, else UTF-8, else Latin-1, which has a letter for every
    byte.

    Raises
    ------
    InputError
        They are not text, name an encoding that Python does not know, or are not in the one that they name.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text, encoding, taken_for = _decoded(where, data, "utf-16"), "utf-8", "UTF-16"
    elif BINARY.search(data):
        raise InputError(where, "binary data", "the text of a Python program")
    else:
        encoding = _encoding(where, data)
        taken_for = "" if encoding else "Latin-1"
        text = _decoded(where, data, encoding or "latin-1")
        encoding = encoding or "utf-8"
    # lone carriage returns, of old Macs, end lines for Python too
    newline = "\r\n" if 2 * text.count("\r\n") > text.count("\n") else "\n"
    return StoredText(text.replace("\r\n", "\n").replace("\r", "\n"), encoding, newline, taken_for)


def encode(text: str, stored: StoredText) -> bytes:
    """Encode `text`, a new version of ``stored.text``, with the encoding and line ends of `stored`; mixed ends become one."""
    return text.replace("\n", stored.newline).encode(stored.encoding)


def read_source(path: Path) -> str:
    """Return the text of the file at `path`, lines ended by ``\n``, without what Sage's export puts around cells."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise MissingFileError(path, expected="a script") from None
    except OSError as error:
        raise InputError(path, (error.strerror or str(error)).lower(), "a script that can be read") from error
    lines = decode(raw, path).text.split("\n")
    if any(SAGE_LINE.match(line) for line in lines):
        lines = _without_frames(lines)
    return "\n".join(lines).rstrip("\x1a\n") + "\n"


def _encoding(where: str | PathLike[str], data: bytes) -> str:
    """Return the encoding that the file declares; UTF-8 if it declares none and is UTF-8, else an empty text."""
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    for line in data.splitlines()[:2]:
        if match := COOKIE.match(line):
            name = match[1].decode("ascii", "replace")
            try:
                return codecs.lookup(name).name
            except LookupError:
                raise InputError(where, f"the unknown encoding {name!r}", "one that Python knows, or none") from None
        if line.strip() and not line.lstrip().startswith(b"#"):
            break  # a coding line in the second place counts below a comment only
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return "utf-8"


def _decoded(where: str | PathLike[str], data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        expected = "the encoding that the file says it has"
        raise InputError(f"{where}, line {line}", f"bytes that are not {encoding}", expected) from None


def _without_frames(lines: list[str]) -> list[str]:
    """Return the cells of a Sage worksheet without ``%hide`` and the like, without braces, and without printed output."""
    kept, printed = [], False
    for line in lines:
        if line.startswith("///"):
            printed = True
        frame = SAGE_LINE.match(line)
        kept.append("" if printed or frame else line)
        if line.startswith("}}}"):
            printed = False
    return kept


def untabbed(text: str) -> str:
    """Expand the tabs that indent lines of `text` to columns of eight, which is what Python 2 took them for.

    Tabs within strings stay.
    """
    from fissix.pgen2 import tokenize as legacy_tokenize

    inside: set[int] = set()  # lines that begin within a string
    try:
        for kind, _, (begin, _), (end, _), _ in legacy_tokenize.generate_tokens(io.StringIO(text).readline):
            if kind == tokenize.STRING:
                inside.update(range(begin + 1, end + 1))
    except Exception:  # a broken source: whoever parses it says where
        return text
    return "\n".join(line if number in inside else _indented(line) for number, line in enumerate(text.split("\n"), start=1))


def _indented(line: str) -> str:
    rest = line.lstrip(" \t\f")
    indent = line[: len(line) - len(rest)]
    return (indent.expandtabs(TAB).replace("\f", "") if "\t" in indent or "\f" in indent else indent) + rest
