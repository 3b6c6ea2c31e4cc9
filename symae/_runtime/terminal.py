"""What commands and worksheets share at the terminal: options, errors of one line, exit statuses."""

from __future__ import annotations

import argparse
import atexit
import io
import math
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from symae.errors import LostProcessError, one_line

BAD_INPUT = 2
TRY_AGAIN = 75  # EX_TEMPFAIL: another process was lost, and the same command goes on from the last checkpoint
INTERRUPTED = 130  # what a shell reports for Ctrl-C
FULL_TRACEBACK = "SYMAE_TRACEBACK"  # a variable of the environment: show the frames of libraries too
READER_LEFT = 141  # what it reports when nobody reads the output any more


class Parser(argparse.ArgumentParser):
    """Parse command-line arguments, and report errors in one line.

    `missing` is said, instead of argparse's list of names, where a required argument is missing.
    """

    missing = ""

    def __init__(self, **keywords: Any):
        super().__init__(allow_abbrev=False, **keywords)

    def error(self, message: str) -> NoReturn:
        if self.missing and message.startswith("the following arguments are required"):
            message = self.missing
        self.exit(BAD_INPUT, f"{self.prog}: error: {message}\n")


def at_least(least: int, most: int | None = None) -> Callable[[str], int]:
    """Return an argparse type for options that are whole numbers from `least` to `most`."""
    expected = f"a whole number of at least {least}" if most is None else f"a whole number from {least} to {most}"

    def number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least or (most is not None and value > most):
            raise argparse.ArgumentTypeError(f"found {text!r}, expected {expected}")
        return value

    return number


def real_at_least(least: float) -> Callable[[str], float]:
    """Return an argparse type for options that are finite numbers of at least `least`."""

    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value < math.inf:  # NaN fails both
            raise argparse.ArgumentTypeError(f"found {text!r}, expected a number of at least {least:g}")
        return value

    return number


def report_bad_input(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print one line and exit with `status_of` an error that the user can mend, a traceback for any other: an excepthook."""
    if issubclass(kind, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
        raise SystemExit(INTERRUPTED)
    if issubclass(kind, BrokenPipeError):
        raise SystemExit(reader_left())
    line = one_line(error)
    if line is None:
        sys.__excepthook__(kind, error, trace)
        return
    print(f"{Path(sys.argv[0]).stem}: error: {line}", file=sys.stderr)
    raise SystemExit(status_of(error))


def status_of(error: BaseException) -> int:
    """Return the exit status after an error of one line."""
    return TRY_AGAIN if isinstance(error, LostProcessError) else BAD_INPUT


_at_ends: list[Callable[[], object]] = []


def at_each_end(call: Callable[[], object]) -> None:
    """Have `call` called as the process ends, also by `end_at_once` and `leave_at_once`."""
    atexit.register(call)
    _at_ends.append(call)


def end_at_once(line: str, status: int) -> NoReturn:
    """Print an error's line and end the process, from whatever thread, though others may be computing."""
    sys.stdout.flush()
    print(f"{Path(sys.argv[0]).stem or 'symae'}: error: {line}", file=sys.stderr, flush=True)
    leave_at_once(status)


def leave_at_once(status: int) -> NoReturn:
    """End the process without what Python and libraries do at its end, but for what `at_each_end` was given."""
    for call in (sys.stdout.flush, sys.stderr.flush, *reversed(_at_ends)):
        with suppress(Exception):
            call()
    os._exit(status)


def print_anything() -> None:
    """Let characters that the terminal's encoding lacks appear as question marks instead of ending the run."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def reader_left() -> int:
    """Return the exit status after a closed pipe, as in ``… | head -1``; what Python still wants to flush goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return READER_LEFT
