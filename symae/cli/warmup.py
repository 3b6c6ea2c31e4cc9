"""``symae warmup``: what worksheets and scripts need compiled is compiled, and nothing else done."""

from __future__ import annotations

import argparse
import contextlib
import io
import runpy
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from symae.compile.backends import BACKENDS, DEFAULT
from symae.compile.rehearsal import rehearsal
from symae.errors import BackendError, InputError, one_line
from symae.runs.catalogue import find_worksheet, worksheets

PATIENCE = 20.0  # seconds after which a script that computes nothing new is ended


def add_warmup(commands: Any) -> None:
    """Add the command's parser to those of `commands`."""
    warmup = commands.add_parser(
        "warmup",
        help="compile what worksheets, or a script, will need",
        description="Compile what the worksheets need, so that they start at once; or a script of one's own, which runs "
        "without its work: each compiled function computes once, and what the script writes is thrown away.",
        usage="symae warmup [--backend NAME] [--floatX DTYPE] [WORKSHEET ...]\n"
        "       symae warmup SCRIPT.py [-- its arguments]",
    )
    words = "numbers or names of worksheets, all if none is given; or the path of a script, and its arguments"
    warmup.add_argument("worksheets", nargs="*", metavar="WORKSHEET|SCRIPT.py", help=words)
    warmup.add_argument("--backend", choices=BACKENDS, help="of worksheets; a script says itself which it takes")
    warmup.add_argument("--floatX", choices=["float64", "float32"], help="of worksheets; each one's own by default")


def run_warmup(settings: argparse.Namespace, own_process: bool) -> int:
    """Run the command; returns the exit status."""
    chosen = settings.worksheets
    script = find_worksheet(chosen[0]) if chosen else None
    if script is None or script in worksheets().values():
        _warm_up(chosen, settings.backend or DEFAULT, settings.floatX)
        return 0
    for option in ("backend", "floatX"):
        if getattr(settings, option) is not None:
            raise InputError(f"--{option}", getattr(settings, option), "worksheets with it; a script says itself what it takes")
    return _warm_up_script(script, chosen[1:], own_process)


def run_path(path: Path, arguments: Sequence[str]) -> None:
    """Run the script at `path` as ``python path arguments`` would."""
    before = sys.argv, sys.path[:], sys.excepthook
    sys.argv = [str(path), *arguments]
    sys.path.insert(0, str(path.parent))
    try:
        runpy.run_path(str(path), run_name="__main__")
    finally:
        sys.argv, sys.path[:], sys.excepthook = before


def _warm_up(chosen: Sequence[str], backend: str, floatX: str | None) -> None:
    """Run worksheets for no epochs: that compiles all they need."""
    precision = [] if floatX is None else ["--floatX", floatX]
    paths = [find_worksheet(name) for name in chosen] or list(worksheets().values())
    for name, path in ((path.stem, path) for path in paths):
        try:
            with tempfile.TemporaryDirectory() as folder, _timed(name), contextlib.redirect_stdout(io.StringIO()):
                run_path(path, ["--epochs", "0", "--data", "digits", "--backend", backend, *precision, "--out", folder])
        except BackendError as error:
            if chosen:
                raise
            print(one_line(error), flush=True)


@contextlib.contextmanager
def _timed(name: str) -> Iterator[None]:
    started = time.perf_counter()
    print(f"{name} …", end=" ", flush=True)
    yield
    print(f"{time.perf_counter() - started:.1f} s", flush=True)


def _warm_up_script(path: Path, arguments: Sequence[str], own_process: bool) -> int:
    """Run a script without its work, in a folder that is thrown away; returns its exit status."""
    from symae.legacy.run import parse, run_source

    source = parse(path)
    errors = io.StringIO()
    with (
        tempfile.TemporaryDirectory() as folder,
        _timed(path.name),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(errors),
        rehearsal(PATIENCE),
    ):
        status = run_source(source, arguments, Path(folder) / "out", own_process)
    if status:
        print(errors.getvalue(), end="", file=sys.stderr)
    return status
