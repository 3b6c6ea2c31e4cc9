"""``python -m symae.theano script.py``: a script, or a module after ``-m``, for which ``import theano`` is `symae.theano`."""

from __future__ import annotations

import argparse
import importlib.util
import os
import runpy
import sys
import traceback
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from symae._runtime.terminal import FULL_TRACEBACK, Parser
from symae.errors import InputError, MissingFileError, one_line
from symae.shims.old_packages import Python2Error
from symae.theano import install
from symae.theano._impl.absent import AbsentAttributeError, AbsentImportError
from symae.theano._impl.installation import builtins_of, how_to_mend
from symae.theano._impl.libraries import HOW_TO_GET, listed

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run what `argv` names; returns the exit status: 2, and one line, for what the user can mend."""
    parser = _parser()
    settings = parser.parse_args(argv)
    command = settings.module or settings.script
    if not command:
        parser.error("expected a script, or a module after -m")
    try:
        install(settings.legacy_packages)
        if settings.module:
            _run_module(*command)
        else:
            _run_script(*command)
    except Exception as error:
        line = _line(error)
        if line is None:
            raise
        if os.environ.get(FULL_TRACEBACK):
            traceback.print_exc()
        print(f"symae: error: {line}", file=sys.stderr)
        return 2
    return 0


def _parser() -> Parser:
    parser = Parser(
        prog="python -m symae.theano",
        usage="%(prog)s [--legacy-packages A,B] (script.py | -m module) [arguments]",
        description="Run a program on symae.theano: import theano works in it and in the libraries that it imports.",
    )
    words = "packages that need the names that Python 2, NumPy and SciPy had; __main__ is the script itself"
    parser.add_argument("--legacy-packages", type=listed, default=[], metavar="A,B", help=words)
    parser.add_argument("-m", dest="module", nargs=argparse.REMAINDER, metavar="module", help="a module, such as pytest")
    parser.add_argument("script", nargs=argparse.REMAINDER, help="a script and its arguments")
    return parser


def _run_script(script: str, *arguments: str) -> None:
    if Path(script).is_dir():
        raise InputError(script, "a folder", "a script; -m pytest runs the tests in a folder")
    if not Path(script).is_file():
        raise MissingFileError(script, expected="a script")
    sys.argv[:] = [script, *arguments]
    sys.path[0] = str(Path(script).resolve().parent)  # as Python does for a script; it was for -m
    runpy.run_path(script, builtins_of("__main__"), "__main__")


def _run_module(module: str, *arguments: str) -> None:
    spec = importlib.util.find_spec(module)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)
    if spec.submodule_search_locations and importlib.util.find_spec(f"{module}.__main__") is None:
        raise InputError(f"-m {module}", "a package without __main__", "a module, or a package that can be run")
    sys.argv[:] = [module, *arguments]
    if module == "pytest":
        sys.argv[1:1] = ["-p", "symae.theano.plugin"]
    runpy.run_module(module, builtins_of("__main__"), "__main__", alter_sys=True)


def _where(error: BaseException) -> str:
    """Return the deepest line of the program's own file that `error` passed."""
    frames = traceback.extract_tb(error.__traceback__)
    runpys = runpy.run_path.__code__.co_filename
    programs = [f.filename for before, f in pairwise(frames) if before.filename == runpys != f.filename]
    return next((f"{f.filename}, line {f.lineno}: " for f in frames[::-1] if f.filename in programs[:1]), "")


def _line(error: Exception) -> str | None:
    """Return what is printed of an error that the user can mend, None for any other."""
    if isinstance(error, SyntaxError) and not isinstance(error, InputError) and Path(str(error.filename)).is_file():
        return str(Python2Error.of(error, str(error.filename)))
    if isinstance(error, InputError | AbsentAttributeError | AbsentImportError):
        return f"{_where(error)}{one_line(error) or error}"
    mending = how_to_mend(error)
    if mending is None and isinstance(error, ModuleNotFoundError):
        name = (error.name or "").partition(".")[0]
        mending = HOW_TO_GET.get(name, "expected a module beside the script, or an installed one")
        if name == "theano":
            return f"{_where(error)}{error}"  # which says what to use instead
    return None if mending is None else f"{_where(error)}{str(error).splitlines()[0]}; {mending}"


if __name__ == "__main__":
    sys.exit(main())
