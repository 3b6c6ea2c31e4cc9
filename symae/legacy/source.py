"""The text of a legacy source file: its encoding, its line ends, its tabs, and what a notebook's export put around the code."""

from __future__ import annotations

import codecs
import io
import re
import tokenize
from pathlib import Path

from symae.errors import InputError, MissingFileError

__all__ = ["read_source", "untabbed"]

COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
# What a Sage cell may begin with, and how Sage's text export frames cells and what they printed.
SAGE_LINE = re.compile(r"^(%[a-z]\w*( .*)?|\{\{\{(id=\d+\|?)?|\}\}\})\s*$")
TAB = 8


def read_source(path: Path) -> str:
    """The text of the file at `path`, lines ended by ``\\n``.

    The encoding is that of the byte order mark or of the coding line, else UTF-8, else Latin-1, which has a letter for every
    byte.

    Raises
    ------
    MissingFileError
        There is no such file.
    InputError
        It is a folder, cannot be read, holds null bytes, or names an encoding that Python does not know or that it is not in.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise MissingFileError(path, expected="a script") from None
    except OSError as error:
        raise InputError(path, (error.strerror or str(error)).lower(), "a script that can be read") from error
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if raw.startswith(mark):
            return _with_plain_lines(path, _decoded(path, raw, encoding))
    if b"\0" in raw:
        raise InputError(path, "null bytes", "the text of a script")
    return _with_plain_lines(path, _decoded(path, raw, _encoding(path, raw)))


def _encoding(path: Path, raw: bytes) -> str:
    if raw.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    for line in raw.splitlines()[:2]:
        if match := COOKIE.match(line):
            name = match[1].decode("ascii", "replace")
            try:
                return codecs.lookup(name).name
            except LookupError:
                raise InputError(path, f"the unknown encoding {name!r}", "one that Python knows, or none") from None
        if line.strip() and not line.lstrip().startswith(b"#"):
            break  # a coding line in the second place counts below a comment only
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _decoded(path: Path, raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        place = f"{path}, line {line}"
        raise InputError(place, f"bytes that are not {encoding}", "the encoding that the file says it has") from None


def _with_plain_lines(path: Path, text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if any(SAGE_LINE.match(line) for line in lines):
        lines = _without_frames(lines)
    return "\n".join(lines).rstrip("\x1a\n") + "\n"


def _without_frames(lines: list[str]) -> list[str]:
    """Cells of a Sage worksheet without ``%hide`` and their like, without braces, and without what they had printed."""
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
    """`text` with the tabs that indent lines expanded to columns of eight, which is what Python 2 took them for.

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
