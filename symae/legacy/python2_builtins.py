"""Python 2's built-in functions, for the modules of a script: they see these through their own ``__builtins__``."""

from __future__ import annotations

import ast
import builtins
import functools
import importlib
import io
import itertools
import os
import sys
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

from symae.legacy.listed import filtered, mapped, zipped
from symae.legacy.python2_classes import hex2, oct2
from symae.legacy.python2_operations import OPERATIONS, sorting_key, str2
from symae.legacy.python2_semantics import compiled, with_its_semantics
from symae.python2.convert import parse, parse_text
from symae.python2.version_detection import PythonVersion
from symae.shims.standard_names import former_builtins

__all__ = ["builtins_for"]

DIGITS = 20  # beyond this, a float is a whole number already


def builtins_for(python_version: PythonVersion, importing: Callable[..., Any]) -> dict[str, Any]:
    """Return the built-in names of a module for that Python; `importing` is its ``__import__``.

    Names that Python 2 alone had are there for all; those that mean another thing now mean what they did in modules that are
    Python 2, and in these only; what a module that may be either gets from ``map``, ``filter`` and ``zip`` serves both.
    """
    names = {**vars(builtins), **OPERATIONS, **GONE, "__import__": importing}
    if python_version == "python2":
        names |= CHANGED
        names |= {
            "exec": functools.partial(_exec, names),
            "eval": functools.partial(_eval, names),
            "execfile": functools.partial(_execfile, names),
        }
    elif python_version == "either":
        names |= {"map": mapped, "filter": filtered, "zip": zipped}
    return names


def print2(*values: Any, **how: Any) -> None:
    """Print as the print statement did: with no space after a text that ends a line."""
    texts = [str2(value) for value in values]
    gaps = ["" if isinstance(value, str) and value.endswith(("\n", "\t", "\r")) else " " for value in values]
    if gaps and how.get("end") == " ":
        how["end"] = gaps[-1]
    builtins.print("".join(gap + text for gap, text in zip(["", *gaps], texts, strict=False)), **how)


def round2(number: Any, digits: int = 0) -> float:
    """Round halves away from zero, to a float."""
    x = float(number)
    if x in (float("inf"), float("-inf")) or x != x or digits > DIGITS:
        return x
    rounded = Decimal(x).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP) if abs(x) < 1e15 else Decimal(x)
    return float(rounded)


def range2(*ends: Any) -> list[int]:
    """Return a list; a float with no fraction passed, with a warning that nobody saw."""
    return list(builtins.range(*(int(end) if isinstance(end, float) else end for end in ends)))


def map2(function: Any, *iterables: Iterable[Any]) -> list[Any]:
    """Return a list that is as long as the longest argument."""
    if len(iterables) == 1:
        return list(iterables[0]) if function is None else list(builtins.map(function, iterables[0]))
    rows = itertools.zip_longest(*iterables)
    return list(rows) if function is None else [function(*row) for row in rows]


def filter2(function: Any, values: Any) -> Any:
    """Return a list, a tuple of a tuple, a string of a string."""
    kept = list(builtins.filter(function, values))
    return "".join(kept) if isinstance(values, str) else tuple(kept) if isinstance(values, tuple) else kept


def zip2(*iterables: Iterable[Any]) -> list[Any]:
    return list(builtins.zip(*iterables))  # noqa: B905  as long as the shortest, in Python 2 too


def sorted2(values: Iterable[Any], cmp: Any = None, key: Any = None, reverse: Any = False) -> list[Any]:
    return builtins.sorted(values, key=sorting_key(cmp, key), reverse=bool(reverse))


def ord2(letter: Any) -> int:
    """Return a letter's number; a byte of a string of bytes is its number already."""
    return letter if isinstance(letter, int) else builtins.ord(letter)


class Text(io.TextIOWrapper):
    """Write to a file that was opened as text and takes bytes too, as all files did."""

    def write(self, data: Any) -> int:
        if isinstance(data, bytes | bytearray | memoryview):
            self.flush()
            self.buffer.write(bytes(data))
            return len(data)
        return super().write(data)


class _TakesText:
    """Write to a file that was opened as bytes and takes text too, as all files did."""

    def __init__(self, raw: Any, buffering: int):
        super().__init__(raw, buffering if buffering > 1 else io.DEFAULT_BUFFER_SIZE)  # type: ignore[call-arg]
        self._at_once = buffering == 0

    def write(self, data: Any) -> int:
        data = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
        written: int = super().write(data)  # type: ignore[misc]
        if self._at_once:
            self.flush()  # type: ignore[attr-defined]
        return written

    def writelines(self, lines: Iterable[Any]) -> None:
        for line in lines:
            self.write(line)


class Written(_TakesText, io.BufferedWriter):
    """Write to a file of bytes."""


class ReadAndWritten(_TakesText, io.BufferedRandom):
    """Read and write a file of bytes."""


def open2(name: Any, mode: str = "r", buffering: int = -1, *rest: Any, **more: Any) -> Any:
    """Open a file; bytes that are not UTF-8 pass through a text unchanged, as line ends do unless ``U`` asked for ``\n``."""
    newline = None if "U" in mode or os.linesep != "\n" else "\n"
    mode = mode.replace("U", "") or "r"
    if "b" in mode and set(mode) & set("wax+") and not (rest or more):
        return (ReadAndWritten if "+" in mode else Written)(builtins.open(name, mode, 0), buffering)
    if "b" in mode or rest or more:
        return builtins.open(name, mode if mode != "b" else "rb", buffering, *rest, **more)
    kept = "b" if set(mode) & set("rwax") else "rb"
    return Text(
        builtins.open(name, mode.replace("t", "") + kept, max(buffering, -1) if buffering > 1 else -1),
        encoding="utf-8",
        errors="surrogateescape",
        newline=newline,
        line_buffering=buffering in (0, 1),
    )


class _FileType(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, io.IOBase)

    def __call__(cls, *arguments: Any, **keywords: Any) -> Any:
        return open2(*arguments, **keywords)


class File(metaclass=_FileType):
    """Stand for ``file``: the type of files, and a function that opens one."""


def reload2(module: ModuleType) -> ModuleType:
    """Reload a module, except ``sys``, which was reloaded to call ``sys.setdefaultencoding``."""
    return module if module is sys else importlib.reload(module)


def input2(prompt: object = "") -> Any:
    """Evaluate what is typed as an expression."""
    frame = sys._getframe(1)
    return builtins.eval(builtins.input(prompt), frame.f_globals, frame.f_locals)


def compile2(source: Any, filename: str, mode: str, *rest: Any, **more: Any) -> Any:
    """Compile a text in Python 2."""
    if not isinstance(source, str) or mode not in ("exec", "eval"):
        return builtins.compile(source, filename, mode, *rest, **more)
    if mode == "exec":
        return compiled(parse_text(f"{source}\n", Path(filename), of_python2=True))
    end = "\n)" if "#" in source else ")"  # it may end in a comment
    tree = with_its_semantics(parse_text(f"({source.strip()}{end}\n", Path(filename), of_python2=True))
    (statement,) = tree.body
    return builtins.compile(ast.Expression(statement.value), filename, mode)  # type: ignore[attr-defined]


def _spaces(names: dict[str, Any], spaces: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return the global and local names for `exec` and its like: those of the caller's caller by default."""
    frame = sys._getframe(2)
    globals_ = spaces[0] if spaces and spaces[0] is not None else frame.f_globals
    locals_ = spaces[1] if len(spaces) > 1 and spaces[1] is not None else frame.f_locals if not spaces else globals_
    globals_.setdefault("__builtins__", names)
    return globals_, locals_


def _exec(names: dict[str, Any], code: Any, *spaces: Any) -> None:
    globals_, locals_ = _spaces(names, spaces)
    if hasattr(code, "read"):
        code = code.read()
    builtins.exec(compile2(code, "<string>", "exec") if isinstance(code, str) else code, globals_, locals_)


def _eval(names: dict[str, Any], code: Any, *spaces: Any) -> Any:
    globals_, locals_ = _spaces(names, spaces)
    return builtins.eval(compile2(code, "<string>", "eval") if isinstance(code, str) else code, globals_, locals_)


def _execfile(names: dict[str, Any], path: Any, *spaces: Any) -> None:
    globals_, locals_ = _spaces(names, spaces)
    builtins.exec(compiled(parse(Path(path), of_python2=True)), globals_, locals_)


GONE: dict[str, Any] = {
    **former_builtins(),
    "reload": reload2,
    "file": File,
    "execfile": functools.partial(_execfile, vars(builtins)),
}
CHANGED: dict[str, Any] = {
    "print": print2,
    "round": round2,
    "range": range2,
    "map": map2,
    "filter": filter2,
    "zip": zip2,
    "sorted": sorted2,
    "ord": ord2,
    "open": open2,
    "input": input2,
    "compile": compile2,
    "hex": hex2,
    "oct": oct2,
}
