"""``subprocess`` of Python 2, whose pipes were strings: text goes in, and comes out where the program wrote text."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

from symae.shims.restoring import module_of

if TYPE_CHECKING:
    from symae.legacy.session import Session

__all__ = ["subprocess_of"]

CONTROLS = re.compile(rb"[^\a\b\t\n\f\r\x1b -\xff]|\x7f")


class _End(str):
    """Hold what is read where nothing is left, '' and b'' in one: ``iter(pipe.readline, b'')`` ends with it."""

    def __eq__(self, other: object) -> bool:
        return other in (b"", "")

    __hash__ = str.__hash__


def _as_text(data: Any) -> Any:
    """Return bytes as text, or as they are where they are none: pictures and arrays go through pipes too.

    Control characters that no text has tell of small numbers, which are valid UTF-8 and wanted as bytes: ``len`` counts these.
    """
    if not isinstance(data, bytes) or CONTROLS.search(data):
        return data
    try:
        return data.decode("utf-8") or _End()
    except UnicodeDecodeError:
        return data


def _as_bytes(data: Any) -> Any:
    return data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data


class _Pipe:
    """Write text and bytes, and read lines and all as text."""

    def __init__(self, pipe: Any):
        self._pipe = pipe

    def write(self, data: Any) -> Any:
        return self._pipe.write(_as_bytes(data))

    def read(self, *size: Any) -> Any:
        return _as_text(self._pipe.read(*size))

    def readline(self, *size: Any) -> Any:
        return _as_text(self._pipe.readline(*size))

    def readlines(self, *size: Any) -> list[Any]:
        return [_as_text(line) for line in self._pipe.readlines(*size)]

    def writelines(self, lines: Any) -> None:
        self._pipe.writelines(map(_as_bytes, lines))

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return _as_text(next(self._pipe))

    next = __next__

    def __enter__(self) -> _Pipe:
        return self

    def __exit__(self, *error: object) -> None:
        self._pipe.close()

    @property
    def buffer(self) -> Any:
        """The pipe of bytes, which pickles are read from."""
        return self._pipe

    def __getattr__(self, name: str) -> Any:
        if name in ("_pipe", "readinto"):  # whatever reads into memory wants `buffer`
            raise AttributeError(name)
        return getattr(self._pipe, name)


class _Popen(subprocess.Popen):
    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name in ("stdin", "stdout", "stderr"):
            pipe = getattr(self, name)
            if pipe is not None and not isinstance(pipe, io.TextIOBase):
                setattr(self, name, _Pipe(pipe))

    def communicate(self, input: Any = None, timeout: float | None = None) -> tuple[Any, Any]:
        out, err = super().communicate(_as_bytes(input) if isinstance(self.stdin, _Pipe) else input, timeout)
        return _as_text(out), _as_text(err)


def _check_output(*args: Any, **kwargs: Any) -> Any:
    return _as_text(subprocess.check_output(*args, **kwargs))


def subprocess_of(session: Session) -> ModuleType:
    """Make subprocess for the script: Python 3's own where the script is not of Python 2."""
    names = {"Popen": _Popen, "check_output": _check_output} if session.python_version == "python2" else {}
    return module_of("subprocess", {**vars(subprocess), **names})
