"""From the text of a legacy source to a syntax tree that Python 3 runs with the semantics it had.

fissix rewrites what only Python 2 can parse; the rest of Python 2 is not a matter of syntax: `symae.legacy.python2_semantics`
has the passes over the tree and `symae.legacy.python2_builtins` the functions. Line numbers of the tree are the original ones.
"""

from __future__ import annotations

import ast
import bisect
import functools
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from symae._runtime.quiet import without_warnings
from symae.errors import BackendError, InputError
from symae.python2.source import read_source, untabbed
from symae.python2.version_detection import PythonVersion, future_imports, python_version_of

# Only what is syntax, or can be seen from it. Names, modules and the semantics of built-in functions are there at run time.
FIXERS = [
    *("dict", "except", "exec", "funcattrs", "has_key", "methodattrs", "metaclass", "ne", "next", "nonzero"),
    *("numliterals", "paren", "print", "raise", "repr", "sys_exc", "throw", "tuple_params", "xreadlines"),
]
NEXT_FIXER = "symae.python2.fix_next_items"
OWN_FIXERS = ["symae.python2.fix_octal_longs", "symae.python2.fix_unicode_texts", NEXT_FIXER]
# What fixers write by what it gets to be called.
MADE = {name: f"__symae_{name}__" for name in ("iter", "list", "next", "repr")}


class SourceError(InputError, SyntaxError):
    """Raised for a source that neither Python can parse; a script that expects a `SyntaxError` catches it."""

    def __init__(self, where: str, found: str, expected: str):
        super().__init__(where, found, expected)
        self.msg = str(self)

    __str__ = Exception.__str__


@dataclass(frozen=True)
class Source:
    """Hold a source that was read: its text, its tree for Python 3 and which Python it is for."""

    path: Path
    text: str
    tree: ast.Module
    python_version: PythonVersion
    future_division: bool


def parse(path: Path, of_python2: bool = False) -> Source:
    """Read and parse the file at `path`; `of_python2` is what to take it for where nothing in it tells.

    Raises what `read_source` does, SourceError for a syntax error in both Pythons, with its line, and BackendError where the
    source is Python 2 and fissix is not installed.
    """
    return parse_text(read_source(path), path, of_python2)


def parse_text(text: str, path: Path, of_python2: bool = False) -> Source:
    """Parse `text` as `parse_source` does a file; errors and tracebacks call it `path`."""
    try:
        tree = tree_of(text, path)
    except (SyntaxError, RecursionError) as error:
        return _converted(text, path, error)
    python_version = python_version_of(tree)
    if python_version == "python2" or (python_version == "either" and of_python2):
        return _converted(text, path, None)
    return Source(path, text, tree, python_version, "division" in future_imports(tree))


def tree_of(text: str, path: PathLike[str] | str = "<program>") -> ast.Module:
    """Return the tree of a Python 3 program, as ``ast.parse`` does, without warnings about its old habits."""
    with without_warnings(""):  # "\d" in a string and "x is 1", which nobody minded then
        return ast.parse(text, str(path))


def _converted(text: str, path: Path, error: Exception | None) -> Source:
    """Return the tree of a source for Python 2; `error` is what Python 3 said about it."""
    try:
        tools = _tools()
    except ImportError as missing:
        where = f"{path}, line {getattr(error, 'lineno', 1)}"
        raise BackendError(where, "Python 2, and no fissix to convert it", "pip install 'symae[port]'") from missing
    text_2 = untabbed(text)
    try:
        converted = tools.refactor_string(text_2, str(path))
    except Exception as problem:  # fissix's own errors, of its tokenizer, its parser and its fixers
        # The one that got further was of the source's own language.
        line = max(line_of(problem) or 1, getattr(error, "lineno", None) or 1)
        raise _syntax_error(path, text, line, error) from None
    original = _line_map(converted)
    _name_apart(converted, text_2.split("\n"))
    try:
        tree = tree_of(str(converted), path)
    except SyntaxError as problem:
        raise _syntax_error(path, text, original(problem.lineno or 1), problem) from None
    node: Any
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            # Columns are of the converted text: no marks beneath the original line are better than wrong ones.
            node.lineno, node.end_lineno = original(node.lineno), original(node.end_lineno or node.lineno)
            node.col_offset = node.end_col_offset = 0
    return Source(path, text, tree, "python2", "division" in future_imports(tree))


@functools.cache
def _tools() -> Any:
    from fissix import refactor

    return refactor.RefactoringTool([*OWN_FIXERS, *(f"fissix.fixes.fix_{name}" for name in FIXERS)])


def _name_apart(converted: Any, lines: list[str]) -> None:
    """Give built-in functions that fixers call names of their own: a script may have a variable called `list`, or `str`."""
    for leaf in converted.leaves():
        if leaf.value in MADE and not (leaf.lineno and lines[leaf.lineno - 1].startswith(leaf.value, leaf.column)):
            leaf.value = MADE[leaf.value]


def _line_map(converted: Any) -> Callable[[int], int]:
    """Return a function from a line of the converted text to its line in the original: fixers add lines and take some away."""
    origins: dict[int, int] = {}
    line = 1
    for leaf in converted.leaves():
        line += leaf.prefix.count("\n")
        if leaf.lineno and leaf.value:  # what a fixer made has no line
            for k in range(1 if leaf.value.isspace() else leaf.value.count("\n") + 1):
                origins.setdefault(line + k, leaf.lineno + k)
        line += leaf.value.count("\n")
    known = sorted(origins)
    return lambda number: origins[known[max(bisect.bisect_right(known, number) - 1, 0)]] if known else number


def line_of(problem: Exception) -> int | None:
    """Return the line where fissix stopped: from its parser's context, or the position that its tokenizer appends."""
    for part in (getattr(problem, "context", None), *problem.args):
        if isinstance(part, tuple) and part:
            position = part[1] if len(part) > 1 and isinstance(part[1], tuple) else part
            if position and isinstance(position[0], int):
                return int(position[0])
    return getattr(problem, "lineno", None)


def _syntax_error(path: Path, text: str, line: int | None, error: Exception | None) -> SourceError:
    lines = text.split("\n")
    line = min(line or 1, max(len(lines) - 1, 1))
    words = lines[line - 1].strip()
    why = error.msg if isinstance(error, SyntaxError) and (error.lineno == line or line == len(lines)) else "invalid syntax"
    refusal = SourceError(
        f"{path}, line {line}",
        f"a syntax error ({why})" + (f" in {words[:80]!r}" if words else " at the end of the file"),
        "what Python 2 or Python 3 can parse",
    )
    refusal.filename, refusal.lineno, refusal.text = str(path), line, lines[line - 1]
    return refusal
