"""Flags from outside of a program: ``.theanorc`` and ``THEANO_FLAGS``, read as Theano 1.0.5 read them on Python 2.7."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from configparser import ConfigParser, Error, InterpolationError
from pathlib import Path

from symae.theano._impl.flags import FLAGS, PYTENSORS

__all__ = ["flags_outside"]

GLOBAL = "global"
# What values of files may hold as %(NAME)s.
ENVIRONMENT = ("LSCRATCH", "TMPDIR", "TEMP", "TMP", "USER")


def flags_outside(warn: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """Yield names and values in their order: of the files that ``THEANORC`` names, then of ``THEANO_FLAGS``, which wins.

    `warn` is called with what cannot be read, and which flag of ``THEANO_FLAGS`` has no value.
    """
    yield from _of_files(warn)
    yield from _of_environment(warn)


def _of_files(warn: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    # A section or an option may be there twice: the later one counts. Python 2 read no comment after #.
    parser = ConfigParser(strict=False, inline_comment_prefixes=(";",), default_section="DEFAULT")
    for name in os.environ.get("THEANORC", "~/.theanorc").split(os.pathsep):
        file = Path(name).expanduser()
        if not name or not file.is_file():
            continue
        try:
            # Other bytes than UTF-8's were no matter in comments and paths.
            with file.open(encoding="utf-8-sig", errors="surrogateescape") as lines:
                parser.read_file(_without_remarks(lines), str(file))
        except (Error, OSError) as error:
            warn(f"{file}: {' '.join(str(error).split())}; its flags are not read")
    known = {name: os.environ.get(name, "").replace("%", "%%") for name in ENVIRONMENT} | {"PID": str(os.getpid())}
    for section in parser.sections():
        for option in parser.options(section):
            try:
                value = parser.get(section, option, vars={k: v for k, v in known.items() if k.lower() != option})
            except (InterpolationError, ValueError):
                value = parser.get(section, option, raw=True)
            yield _flag(section, option), "" if value == '""' else value.strip()


def _without_remarks(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield "\n" if line.lower().split(None, 1)[:1] == ["rem"] and not line[0].isspace() else line


def _flag(section: str, option: str) -> str:
    """Return the flag of a file's option, whose case is no matter; that of the section is."""
    prefix = "" if section == GLOBAL else f"{section}."
    for flag in (*FLAGS, *PYTENSORS):
        if flag.startswith(prefix) and flag[len(prefix) :].lower() == option and (prefix or "." not in flag):
            return flag
    return prefix + option


def _of_environment(warn: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    text = os.environ.get("THEANO_FLAGS", "")
    splitter = shlex.shlex(text, posix=True)
    splitter.whitespace, splitter.whitespace_split = ",", True
    try:
        pairs = list(splitter)
    except ValueError as error:  # a quote that does not end
        warn(f"THEANO_FLAGS={text}: {error}")
        pairs = text.split(",")
    for pair in pairs:
        name, equals, value = pair.strip().partition("=")
        if equals:
            yield name, value.strip()  # a space before the sign was part of the name, and there is no such flag
        elif name:
            warn(f"THEANO_FLAGS: {name} has no value, and is ignored")
