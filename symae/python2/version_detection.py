"""Which Python a source is for, as its syntax tree tells."""

from __future__ import annotations

import ast
import codecs
import re
from typing import Literal

# "either": nothing in the source tells. Division of whole numbers is then true, and whole where a whole number is asked for.
PythonVersion = Literal["python2", "python3", "either"]

GONE_NAMES = {
    *("xrange", "raw_input", "unicode", "long", "basestring", "unichr", "cmp", "execfile", "reduce", "reload", "apply", "file"),
}
GONE_MODULES = {
    *("cPickle", "cStringIO", "StringIO", "Queue", "ConfigParser", "urllib2", "urlparse", "httplib", "cookielib", "commands"),
    *("Tkinter", "tkFileDialog", "HTMLParser", "__builtin__", "copy_reg", "Image", "thread", "sets", "md5", "exceptions"),
}
GONE_ATTRIBUTES = {"iteritems", "itervalues", "iterkeys", "has_key", "maxint", "getcwdu"}
PYTHON3_MODULES = {"symae", "pytensor"}  # what imports these has been ported, whatever else is left in it
GONE_CODECS = {"hex", "base64", "zlib", "bz2", "uu", "quopri", "rot13"}  # of texts, and string_escape, which is nowhere now
GONE_ITERATORS = {"izip", "imap", "ifilter", "izip_longest", "ifilterfalse"}  # of itertools


def future_imports(tree: ast.Module) -> set[str]:
    """Return the names that the program imports from ``__future__``."""
    return {
        name.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
        for name in node.names
    }


def python_version_of(tree: ast.Module) -> PythonVersion:
    """Tell for which Python a source is that Python 3 can parse; "either" where nothing tells.

    Names that Python 2 alone has tell, unless the source gives them a meaning itself, as sources for both Pythons do.
    """
    future = future_imports(tree)
    if any(_is_python3(node, future) for node in ast.walk(tree)):
        return "python3"
    bound = _bound(tree)
    guarded = {id(node) for block in ast.walk(tree) if _is_for_both(block) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in GONE_NAMES - bound:
            return "python2"
        if id(node) in guarded:
            continue  # try: import cPickle, except ImportError: import pickle
        if isinstance(node, ast.Import) and any(name.name.split(".")[0] in GONE_MODULES for name in node.names):
            return "python2"
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] in GONE_MODULES:
            return "python2"
        if isinstance(node, ast.ImportFrom) and node.module == "itertools" and {n.name for n in node.names} & GONE_ITERATORS:
            return "python2"
        if isinstance(node, ast.Attribute) and (node.attr in GONE_ATTRIBUTES or _is_gone_iterator(node)):
            return "python2"
        if isinstance(node, ast.Call) and _is_gone_codec(node):
            return "python2"
    return "either"


def _is_for_both(block: ast.AST) -> bool:
    """Return True for what sources for both Pythons write around what one of them lacks."""
    if not isinstance(block, ast.If | ast.IfExp):
        return isinstance(block, ast.Try)
    names = {node.attr if isinstance(node, ast.Attribute) else node.id for node in ast.walk(block.test) if
             isinstance(node, ast.Attribute | ast.Name)}  # fmt: skip
    return any(re.search("version|py(thon)?_?[23]|^hasattr$", name, re.IGNORECASE) for name in names)


def _is_gone_iterator(node: ast.Attribute) -> bool:
    return node.attr in GONE_ITERATORS and isinstance(node.value, ast.Name) and node.value.id == "itertools"


def _is_gone_codec(node: ast.Call) -> bool:
    """Return True for ``x.encode("hex")`` and its like."""
    is_method = isinstance(node.func, ast.Attribute) and node.func.attr in ("encode", "decode") and len(node.args) == 1
    name = node.args[0].value if is_method and isinstance(node.args[0], ast.Constant) else None
    return isinstance(name, str) and byte_codec(name) is not None


def byte_codec(encoding: str) -> str | None:
    """Return the name of a codec that Python 2's strings had and texts do not have, or None."""
    if encoding.lower().replace("-", "_") == "string_escape":
        return "string_escape"
    try:
        name = codecs.lookup(encoding).name.replace("-", "")
    except (LookupError, ValueError):
        return None
    return name if name in GONE_CODECS else None


def _bound(tree: ast.Module) -> set[str]:
    """Return all names that the source gives a meaning to, wherever."""
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
    """Return True if Python 2 could not parse `node`, or import it."""
    if isinstance(node, ast.FunctionDef):
        arguments = node.args
        return bool(
            arguments.kwonlyargs or node.returns or any(a.annotation for a in [*arguments.args, *arguments.posonlyargs])
        )
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "super":
            return not node.args
        return node.func.id == "print" and bool(node.keywords) and "print_function" not in future
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [name.name for name in node.names]
        return any(name.partition(".")[0] in PYTHON3_MODULES for name in names)
    if isinstance(node, ast.Raise):
        return node.cause is not None
    if isinstance(node, ast.Assign):
        return any(isinstance(part, ast.Starred) for target in node.targets for part in ast.walk(target))
    kinds = ast.JoinedStr | ast.Nonlocal | ast.AsyncFunctionDef | ast.YieldFrom | ast.MatMult | ast.AnnAssign | ast.NamedExpr
    return isinstance(node, kinds)
