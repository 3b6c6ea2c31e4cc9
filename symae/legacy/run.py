"""``symae run script.py``: a legacy script from its first line to its report."""

from __future__ import annotations

import ast
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

import pytensor

from symae._runtime.atomic_files import make_folder
from symae._runtime.terminal import FULL_TRACEBACK, INTERRUPTED
from symae.compile import first_run
from symae.errors import InputError, one_line
from symae.legacy.confinement import confined
from symae.legacy.data import Data
from symae.legacy.ending import let_go, wait_for_threads
from symae.legacy.file_redirection import Files
from symae.legacy.importer import Importer
from symae.legacy.program_version import as_its_modules
from symae.legacy.record import Record
from symae.legacy.session import Session
from symae.python2.convert import Source, parse

__all__ = ["is_legacy", "run_script", "run_source"]

PACKAGE = str(Path(__file__).parent) + os.sep


def is_legacy(source: Source) -> bool:
    """Return True if the script is for this module, and not for `symae` itself, like its worksheets."""
    imported = {
        (name or "").partition(".")[0]
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    return "theano" in imported or "symae" not in imported


def run_script(path: Path, arguments: Sequence[str] = (), out: Path | None = None) -> int:
    """Run the legacy script at `path`, and return its exit status.

    Its printed text goes where it always went, what it writes into `out`, by default ``out/`` and the script's name, together
    with ``report.html``. Errors that are not caught give status 1 and a traceback of the original lines; imports that nothing
    answers, pickles that want to run code and other input that the user can mend status 2 and one line.

    Raises
    ------
    InputError
        The script cannot be read, no Python can parse it, or the output folder holds the script.
    UnwritableError
        The output folder cannot be made or written.
    """
    return run_source(parse(path), arguments, out)


def run_source(source: Source, arguments: Sequence[str] = (), out: Path | None = None, own_process: bool = False) -> int:
    """Run a script that `parse` has read, as `run` does.

    With `own_process` nothing follows in this process: where the system can, it gives up writing to the user's files for good.
    """
    path, script = source.path, Path(os.path.realpath(source.path))
    source = as_its_modules(replace(source, path=script))
    caller = Path.cwd()
    folder = Path("out") / script.stem if out is None else out
    if script.is_relative_to(os.path.realpath(folder)) or Path(os.path.realpath(folder)) == caller.resolve():
        raise InputError("--out", f"{folder}, where the script or its data lies", "a folder of its own")
    folder = make_folder(folder).resolve()
    session = _session(script, folder, caller, source)
    with confined(session, own_process):
        status = _run(session, source, [str(path), *arguments], own_process)
    facts = {"THEANO_FLAGS": os.environ["THEANO_FLAGS"]} if os.environ.get("THEANO_FLAGS") else {}
    make_folder(folder)  # a program may have removed it with its project
    session.record.write(script, folder, list(arguments), status, facts)
    print(f"symae: results are in {_relative(folder, caller)}{os.sep}: open report.html", file=sys.stderr)
    return status


def _session(script: Path, out: Path, caller: Path, source: Source) -> Session:
    record = Record()
    files = Files(out, caller, script.parent)
    session = Session(script, out, caller, files, record, source.python_version)
    files.say = session.say
    data = Data(files)
    files.known, files.is_known_folder = data.path, data.is_folder
    return session


def _run(session: Session, source: Source, argv: list[str], own_process: bool) -> int:
    main = ModuleType("__main__")
    main.__file__ = str(session.script)
    session.modules["__main__"] = main
    importer = Importer(session)
    before = sys.argv, sys.path[:], sys.modules["__main__"], sys.excepthook
    with ExitStack() as stack:
        stack.enter_context(_flags_kept())
        stack.enter_context(session.record.listening())
        stack.enter_context(first_run.telling(first_run.on_terminal))
        printed, errors = sys.stdout, sys.stderr
        stack.callback(_put_back, *before)
        sys.argv = argv
        sys.path.insert(0, str(session.script.parent))
        sys.modules["__main__"] = main

        def to_its_end() -> int:
            stack.enter_context(importer.in_force())
            stack.enter_context(session.files.in_force())
            with session.at_exit:
                status = _outcome(lambda: importer.run(source, main), session, errors)
                if own_process and status != INTERRUPTED:
                    wait_for_threads()
            return status

        try:
            return _outcome(to_its_end, session, errors)
        finally:
            for stream in (sys.stdout, printed):
                _flush(stream)
            let_go(session, own_process)


def _outcome(run: Callable[[], int | None], session: Session, errors: Any) -> int:
    """Return the exit status of what `run` does, and say what went wrong."""
    try:
        return run() or 0
    except SystemExit as end:
        return _status(end)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except BaseException as error:
        return _failed(error, session, errors)


@contextmanager
def _flags_kept() -> Iterator[None]:
    """Restore afterwards what a script sets in ``theano.config``."""
    # A script may set THEANO_FLAGS before it imports Theano, so this must not import it.
    configuration: Any = sys.modules.get("symae.theano._impl.configuration")
    if configuration is None:
        yield
        return
    config = configuration.config
    values = dict(config._values)
    with pytensor.config.change_flags(**{name: getattr(pytensor.config, name) for name in configuration.PYTENSORS}):
        yield
    config._values.clear()
    config._values.update(values)


def _flush(stream: Any) -> None:
    # What a script puts in the place of sys.stdout needed nothing but `write`, and may be closed.
    with suppress(AttributeError, ValueError):
        stream.flush()


def _put_back(argv: list[str], path: list[str], main: ModuleType, hook: object) -> None:
    sys.argv, sys.path[:], sys.modules["__main__"] = argv, path, main
    sys.excepthook = hook  # type: ignore[assignment]


def _status(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1


def _failed(error: BaseException, session: Session, errors: Any) -> int:
    """Print what went wrong and where in the script; 2 for what the user can mend, 1 for an error of the script's.

    A traceback goes where the script wants its own; what symae has to say goes to `errors`.
    """
    line = one_line(error) if isinstance(error, InputError) else None
    place = _last_line(error, session)
    if line is None and isinstance(error, ModuleNotFoundError) and place:
        line = f"found an import that nothing answers ({error}), expected a module beside the script or an installed one"
    if session.is_confined and _is_denied(error):
        print(f"symae: {session.out} and temporary folders are where this run can write", file=errors)
    if line is not None:
        where = f"{place}: " if place and not line.startswith(place) else ""
        print(f"symae: error: {where}{line}", file=errors)
        return 2
    print("".join(_formatted(error, session)), end="", file=sys.stderr)
    return 1


def _is_denied(error: BaseException) -> bool:
    """Return True if the system may have refused to write: libraries in C say it in their own words."""
    denied = isinstance(error, PermissionError) and not isinstance(error, InputError)
    return denied or re.search(r"[Pp]ermission denied|unable to open", str(error)) is not None


def _last_line(error: BaseException, session: Session) -> str:
    """Return the deepest line of the script's own modules that the error passed."""
    place = ""
    for frame, number in traceback.walk_tb(error.__traceback__):
        if _is_the_scripts(frame.f_code.co_filename, session):
            place = f"{_relative(Path(frame.f_code.co_filename), session.caller)}, line {number}"
    return place


def _formatted(error: BaseException, session: Session) -> list[str]:
    """Format the traceback of the script's own lines; what is beneath them is left out, unless one asks for it."""
    report = traceback.TracebackException(type(error), error, _begin(error.__traceback__), compact=True)
    hidden = 0
    part: traceback.TracebackException | None = report
    while part is not None:
        own = [frame for frame in part.stack if _is_the_scripts(frame.filename, session)]
        kept = own
        if os.environ.get(FULL_TRACEBACK):
            kept = [frame for frame in part.stack if not frame.filename.startswith(PACKAGE) and "<frozen" not in frame.filename]
        hidden += len(part.stack) - len(kept)
        for frame in own:
            frame.colno = frame.end_colno = None  # columns are of the converted text
        part.stack = traceback.StackSummary.from_list(kept)
        part = part.__cause__ or (None if part.__suppress_context__ else part.__context__)
    lines = [_without_symaes(line) for line in report.format()]
    if hidden and own and not os.environ.get(FULL_TRACEBACK):
        lines.append(f"({FULL_TRACEBACK}=1 shows the lines of the libraries too)\n")
    return lines


def _without_symaes(text: str) -> str:
    """Return a message without the lines of symae's own that PyTensor noted when it made a variable."""
    if os.environ.get(FULL_TRACEBACK):
        return text
    return re.sub(rf'  File "{re.escape(str(Path(PACKAGE).parent))}{re.escape(os.sep)}.*\n(    .*\n)?', "", text)


def _begin(trace: TracebackType | None) -> TracebackType | None:
    """Return the traceback without the frames that began the run."""
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(PACKAGE):
        trace = trace.tb_next
    return trace


def _is_the_scripts(filename: str, session: Session) -> bool:
    return filename in session.sources or filename == "<string>"


def _relative(path: Path, folder: Path) -> str:
    try:
        return str(path.relative_to(folder.resolve()))
    except ValueError:
        return str(path)
