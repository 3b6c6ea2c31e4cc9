"""From the text of a legacy source to a syntax tree that Python 3 runs with the meaning it had.

fissix rewrites what only Python 2 can parse; the rest of Python 2 is no matter of syntax: `symae.legacy.meaning` has the passes
over the tree and `symae.legacy.builtins2` the functions. Line numbers of the tree are those of the original text.
"""

from __future__ import annotations

import ast
import bisect
import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from symae.errors import BackendError, InputError
from symae.legacy.source import read_source, untabbed

__all__ = ["Dialect", "Source", "parse", "parse_text"]

# "either": nothing in the source tells. Division of whole numbers is then true, and whole where a whole number is asked for.
Dialect = Literal["python2", "python3", "either"]

# Only what is syntax, or can be told from it. Names, modules and the meaning of built-in functions are there at run time.
FIXERS = [
    *("dict", "except", "exec", "funcattrs", "has_key", "methodattrs", "metaclass", "ne", "next", "nonzero"),
    *("numliterals", "paren", "print", "raise", "repr", "sys_exc", "throw", "tuple_params", "unicode"),
    "xreadlines",
]

GONE_NAMES = {"xrange", "raw_input", "unicode", "long", "basestring", "unichr", "cmp", "execfile", "reduce", "reload", "apply"}
GONE_MODULES = {
    *("cPickle", "cStringIO", "StringIO", "Queue", "ConfigParser", "urllib2", "urlparse", "httplib", "cookielib", "commands"),
    *("Tkinter", "tkFileDialog", "HTMLParser", "__builtin__", "copy_reg", "Image", "thread", "sets", "md5", "exceptions"),
}
GONE_ATTRIBUTES = {"iteritems", "itervalues", "iterkeys", "has_key", "maxint", "izip", "imap", "ifilter", "getcwdu"}


@dataclass(frozen=True)
class Source:
    """A source that was read: its text, its tree for Python 3 and which Python it is for."""

    path: Path
    text: str
    tree: ast.Module
    dialect: Dialect
    future_division: bool


def parse(path: Path, of_python2: bool = False) -> Source:
    """Read and parse the file at `path`; `of_python2` is what to take it for where nothing in it tells.

    Raises
    ------
    MissingFileError, InputError
        As for `read_source`; and InputError for a syntax error in both Pythons, with its line.
    BackendError
        The source is Python 2, and fissix is not installed.
    """
    return parse_text(read_source(path), path, of_python2)


def parse_text(text: str, path: Path, of_python2: bool = False) -> Source:
    """The same for a `text`; `path` is what errors and tracebacks call it."""
    try:
        tree = _tree(text, path)
    except (SyntaxError, RecursionError) as error:
        return _converted(text, path, error)
    future = _future(tree)
    dialect = _dialect(tree, future)
    if dialect == "python2" or (dialect == "either" and of_python2):
        return _converted(text, path, None)
    return Source(path, text, tree, dialect, "division" in future)


def _tree(text: str, path: Path) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "\d" in a string and "x is 1", which nobody minded then
        return ast.parse(text, str(path))


def _converted(text: str, path: Path, error: Exception | None) -> Source:
    """The tree of a source for Python 2; `error` is what Python 3 said about it."""
    try:
        tools = _tools()
    except ImportError as missing:
        place = f"{path}, line {getattr(error, 'lineno', 1)}"
        raise BackendError(place, "Python 2, and no fissix to convert it", "pip install 'symae[port]'") from missing
    text_2 = untabbed(text)
    try:
        converted = tools.refactor_string(text_2, str(path))
    except Exception as problem:  # fissix's own errors, of its tokenizer, its parser and its fixers
        # The one that got further was of the source's own language.
        line = max(_line_of(problem) or 1, getattr(error, "lineno", None) or 1)
        raise _syntax_error(path, text, line, error) from None
    original = _line_map(converted)
    try:
        tree = _tree(str(converted), path)
    except SyntaxError as problem:
        raise _syntax_error(path, text, original(problem.lineno or 1), problem) from None
    node: Any
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            # Columns are of the converted text: no marks beneath the original line are better than wrong ones.
            node.lineno, node.end_lineno = original(node.lineno), original(node.end_lineno or node.lineno)
            node.col_offset = node.end_col_offset = 0
    return Source(path, text, tree, "python2", "division" in _future(tree))


@functools.cache
def _tools() -> Any:
    from fissix import refactor

    return refactor.RefactoringTool([f"fissix.fixes.fix_{name}" for name in FIXERS])


def _line_map(converted: Any) -> Callable[[int], int]:
    """A function from a line of the converted text to its line in the original: fixers add lines and take some away."""
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


def _line_of(problem: Exception) -> int | None:
    """Where fissix stopped: its parser's context, or the place that its tokenizer appends."""
    for part in (getattr(problem, "context", None), *problem.args):
        if isinstance(part, tuple) and part:
            place = part[1] if len(part) > 1 and isinstance(part[1], tuple) else part
            if place and isinstance(place[0], int):
                return int(place[0])
    return getattr(problem, "lineno", None)


def _syntax_error(path: Path, text: str, line: int | None, error: Exception | None) -> InputError:
    lines = text.split("\n")
    line = min(line or 1, max(len(lines) - 1, 1))
    words = lines[line - 1].strip()
    why = error.msg if isinstance(error, SyntaxError) and (error.lineno == line or line == len(lines)) else "invalid syntax"
    return InputError(
        f"{path}, line {line}",
        f"a syntax error ({why})" + (f" in {words[:80]!r}" if words else " at the end of the file"),
        "what Python 2 or Python 3 can parse",
    )


def _future(tree: ast.Module) -> set[str]:
    return {
        name.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
        for name in node.names
    }


def _dialect(tree: ast.Module, future: set[str]) -> Dialect:
    """Which Python a source is for that Python 3 can parse.

    Names that Python 2 alone has tell, unless the source gives them a meaning itself, as sources for both Pythons do.
    """
    if any(_is_python3(node, future) for node in ast.walk(tree)):
        return "python3"
    bound = _bound(tree)
    guarded = {id(node) for block in ast.walk(tree) if isinstance(block, ast.Try | ast.If) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in GONE_NAMES - bound:
            return "python2"
        if id(node) in guarded:
            continue  # try: import cPickle, except ImportError: import pickle
        if isinstance(node, ast.Import) and any(name.name.split(".")[0] in GONE_MODULES for name in node.names):
            return "python2"
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] in GONE_MODULES:
            return "python2"
        if isinstance(node, ast.Attribute) and node.attr in GONE_ATTRIBUTES:
            return "python2"
    return "either"


def _bound(tree: ast.Module) -> set[str]:
    """All names that the source gives a meaning to, wherever."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[0])
    return names


def _is_python3(node: ast.AST, future: set[str]) -> bool:
    """Whether Python 2 could not parse this."""
    if isinstance(node, ast.FunctionDef):
        arguments = node.args
        return bool(
            arguments.kwonlyargs or node.returns or any(a.annotation for a in [*arguments.args, *arguments.posonlyargs])
        )
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "super":
            return not node.args
        return node.func.id == "print" and bool(node.keywords) and "print_function" not in future
    if isinstance(node, ast.Raise):
        return node.cause is not None
    if isinstance(node, ast.Assign):
        return any(isinstance(part, ast.Starred) for target in node.targets for part in ast.walk(target))
    kinds = ast.JoinedStr | ast.Nonlocal | ast.AsyncFunctionDef | ast.YieldFrom | ast.MatMult | ast.AnnAssign | ast.NamedExpr
    return isinstance(node, kinds)
