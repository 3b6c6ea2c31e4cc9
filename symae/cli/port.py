"""``symae port``: the command, its files and folders."""

from __future__ import annotations

import argparse
import difflib
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from symae._runtime.atomic_files import replacing
from symae.errors import BackendError, InputError, MissingFileError, UnwritableError
from symae.port.pipeline import port_bytes
from symae.port.source_edit import Note
from symae.python2.source import decode

BACKUP = ".orig"
# what programs are called, their backups, and Sage's and notebooks' exports; of other files text may look like a program
PROGRAMS = {"", ".py", ".py2", ".py3", ".pyw", ".txt", ".sage", BACKUP, ".bak", ".old"}


def add_port(commands: Any) -> None:
    """Add the command to those of ``symae``."""
    parser = commands.add_parser(
        "port",
        help="rewrite a legacy Theano program",
        description="Rewrite a legacy Theano program, or a folder of them, for Python 3 and symae. "
        "Without -o, --diff or --in-place the program is printed. What needs a human's eye is listed at the end.",
    )
    parser.add_argument("source", type=Path, help="a program, or a folder")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("-o", "--out", type=Path, metavar="PATH", help="write there, where nothing is yet")
    where.add_argument("--diff", action="store_true", help="show what would be changed")
    where.add_argument("--in-place", action="store_true", help=f"change the source, and keep it as NAME{BACKUP}")
    parser.add_argument("--modern", action="store_true", help="use today's PyTensor and symae, not symae.theano")
    parser.add_argument("--python", type=int, choices=(2, 3), help="which Python it is in; found out by itself")


def run_port(settings: argparse.Namespace) -> int:
    """Do what the command line asks for; returns the exit status, 2 if a file of a folder could not be ported."""
    source: Path = settings.source
    if not source.exists():
        raise MissingFileError(source, "no such file or folder", "a Python program, or a folder")
    if settings.out is not None:
        _check_out(source, settings.out)
    folder = source.is_dir()
    if folder and settings.out is None and not settings.diff and not settings.in_place:
        raise InputError(source, "a folder", "-o FOLDER, --diff or --in-place with it")
    if not folder and source.suffix.lower() not in PROGRAMS:
        raise InputError(source, f"a {source.suffix} file", "a Python program; of one, a copy whose name ends in .py")
    paths = _programs(source) if folder else [source]
    if not paths:
        raise InputError(source, "no Python program in this folder", "files whose names end in .py")
    files, errors = [], []
    for path in paths:
        try:
            files.append(_port_file(path, settings.modern, settings.python))
        except InputError as error:
            if not folder or isinstance(error, BackendError):
                raise
            errors.append(error)  # the other files have done nothing wrong
    if settings.diff:
        for file in files:
            patch = _diff(file)
            _print(patch, patch.decode("utf-8", "replace"))
    elif settings.in_place:
        _write_in_place(files)
    elif folder:
        _write_folder(source, settings.out, files)
    elif settings.out is not None:
        _write(settings.out, files[0])
    else:
        _print(files[0].new, decode(files[0].new, source).text)
    sys.stdout.flush()
    _list(files)
    for refused in errors:
        print(f"symae: error: {' '.join(str(refused).split())}; left as it is", file=sys.stderr)
    return 2 if errors else 0


@dataclass(frozen=True)
class _File:
    path: Path
    old: bytes
    new: bytes
    notes: list[Note]


def _port_file(path: Path, modern: bool, python: int | None) -> _File:
    try:
        old = path.read_bytes()
    except OSError as error:
        raise InputError(path, error.strerror or str(error), "a readable file") from error
    return _File(path, old, *port_bytes(old, path, modern=modern, python=python, neighbours=_neighbours(path)))


def _neighbours(path: Path) -> set[str]:
    """Return the names of the modules and packages beside a file in a package."""
    if not (path.parent / "__init__.py").is_file():
        return set()
    modules = {other.stem for other in path.parent.glob("*.py")} | {p.parent.name for p in path.parent.glob("*/__init__.py")}
    return modules - {"__init__", path.stem}


def _programs(folder: Path) -> list[Path]:
    """Return the Python files in a folder and those below it, none behind links or in hidden folders."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        found += [Path(parent, n) for n in sorted(names) if n.endswith(".py")]
    return [path for path in found if not path.is_symlink()]


def _check_out(source: Path, out: Path) -> None:
    if out.exists() or out.is_symlink():
        raise UnwritableError(out, "something there already", "a path where nothing is yet")
    if not out.parent.is_dir():
        raise UnwritableError(out.parent, "no such folder", "a folder that is there")
    if source.is_dir() and source.resolve() in out.resolve().parents:
        raise UnwritableError(out, f"a path inside of {source}", "one outside of it")


def _write(path: Path, file: _File) -> None:
    with replacing(path) as stream:
        stream.write(file.new)
    shutil.copymode(file.path, path)


def _write_folder(source: Path, out: Path, files: Sequence[_File]) -> None:
    """Write a copy of the folder with the ported programs; it gets its name when it is complete."""
    try:
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as parent:
            copy = Path(parent) / "copy"
            shutil.copytree(source, copy, symlinks=True)
            for file in files:
                target = copy / file.path.relative_to(source)
                mode = target.stat().st_mode
                target.chmod(mode | 0o200)  # a program that was read-only
                target.write_bytes(file.new)
                target.chmod(mode)
            copy.rename(out)
    except shutil.Error as error:
        where, _, reason = error.args[0][0]
        raise InputError(where, str(reason), "a file that can be copied") from error
    except OSError as error:
        raise UnwritableError(error.filename or out, error.strerror or str(error)) from error


def _write_in_place(files: Iterable[_File]) -> None:
    """Write what has changed over the sources, of which backups stay; no backup is ever written over."""
    changed = [file for file in files if file.new != file.old]
    for file in changed:
        if _backup(file.path).exists() or _backup(file.path).is_symlink():
            raise UnwritableError(_backup(file.path), "a backup of before", "a name that is free: move it away")
    for file in changed:
        path = file.path.resolve()  # through a link, which stays one
        with replacing(_backup(file.path)) as stream:
            stream.write(file.old)
        shutil.copystat(path, _backup(file.path))
        mode = path.stat().st_mode
        with replacing(path) as stream:
            stream.write(file.new)
        path.chmod(mode)


def _backup(path: Path) -> Path:
    return path.with_name(path.name + BACKUP)


def _print(data: bytes, text: str) -> None:
    """Show a text; what is not read on a terminal goes on as it is stored: in its encoding, with its ends of lines."""
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None or sys.stdout.isatty():
        sys.stdout.write(text)
    else:
        sys.stdout.flush()
        stream.write(data)


def _diff(file: _File) -> bytes:
    """Return what is changed in `file`, as a patch for its bytes."""
    if file.new == file.old:
        return b""
    old, new = (io.BytesIO(data).readlines() for data in (file.old, file.new))
    names = os.fsencode(file.path), os.fsencode(f"{file.path} (ported)")
    lines = difflib.diff_bytes(difflib.unified_diff, old, new, *names)
    return b"".join(line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n" for line in lines)


def _list(files: Iterable[_File]) -> None:
    """Print what needs a human's eye, each reason once with its lines, in the order of the first ones."""
    for file in files:
        if not file.notes:
            continue
        print(f"\n{file.path}: for a human's eye", file=sys.stderr)
        by_reason = sorted(file.notes, key=lambda note: note.reason)
        groups = [list(group) for _, group in groupby(by_reason, key=lambda note: note.reason)]
        for group in sorted(groups, key=min):
            lines = ", ".join(dict.fromkeys(_line(note) for note in sorted(group)))
            print(f"  line{'s' if len(group) > 1 else ''} {lines}: {group[0].reason}", file=sys.stderr)


def _line(note: Note) -> str:
    return str(note.line) if note.line == note.original else f"{note.line} (was {note.original})"
