"""Porting one text, from whatever Python it is to Python 3 with symae."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from os import PathLike

from symae.errors import BackendError, InputError
from symae.port.source_edit import Draft, Note
from symae.port.to_python3 import parse
from symae.python2.source import decode, encode
from symae.python2.version_detection import future_imports


@dataclass(frozen=True)
class Ported:
    """Hold a ported program."""

    text: str
    notes: list[Note]  # what needs a human's eye, in the order of the lines


def port(
    text: str,
    *,
    modern: bool = False,
    python: int | None = None,
    where: str | PathLike[str] = "<program>",
    neighbours: Collection[str] = (),
) -> Ported:
    """Port the source `text`, which has ``\\n`` at the ends of its lines.

    `modern` is True for today's PyTensor and symae, False for `symae.theano`, which keeps Theano's semantics. Which Python the
    program is in, 2 or 3, is found out unless given. `where` is its name, for messages, `neighbours` are the other modules of
    its package, if it is in one. A program in neither Python is an InputError, with the line and what stands there;
    BackendError says that fissix or libcst is not installed.

    Examples
    --------
    >>> port("import theano\\nprint theano.config.floatX\\n").text
    'import symae.theano as theano\\nprint(theano.config.floatX)\\n'
    """
    try:
        import fissix  # noqa: F401
        import libcst
    except ImportError as error:
        raise BackendError("symae port", f"no {error.name}", 'it installed: pip install "symae[port]"') from None
    from symae.port.division import make_division_explicit
    from symae.port.library_renames import Libraries
    from symae.port.rewriting import run_step, used_names
    from symae.port.theano_names import TheanoNames
    from symae.port.to_pytensor import Modern
    from symae.port.to_pytensor_imports import ModernImports
    from symae.port.to_python3 import to_python3
    from symae.port.to_python3_names import Python2Names

    draft = Draft(text)
    true_division = _divides_truly(text)
    python2 = to_python3(draft, where, python)
    make_division_explicit(draft, python2 and not true_division)
    try:
        if python2:
            run_step(draft, Python2Names(draft))
        run_step(draft, Libraries(draft, python2, neighbours))
        if modern:
            before = used_names(libcst.parse_module(draft.text))
            uses = Modern(draft)
            run_step(draft, uses, add=False)
            run_step(draft, ModernImports(draft, uses.new_imports, uses.helpers, before))
        else:
            run_step(draft, TheanoNames(draft))
    except (libcst.ParserSyntaxError, RecursionError) as error:
        found = f"line {error.raw_line}" if isinstance(error, libcst.ParserSyntaxError) else "expressions nested too deeply"
        raise InputError(where, found, "a program that libcst can read") from None
    after = parse(draft.text)
    if isinstance(after, SyntaxError):
        expected = "a report of this at symae's issues"
        raise InputError(f"{where}, line {after.lineno}", "a line that symae port spoiled", expected)
    return Ported(draft.text, draft.notes())


def port_bytes(
    data: bytes,
    where: str | PathLike[str],
    *,
    modern: bool = False,
    python: int | None = None,
    neighbours: Collection[str] = (),
) -> tuple[bytes, list[Note]]:
    """Port the bytes of a file, in whose encoding and with whose line ends the result is; what is not text is an InputError."""
    stored = decode(data, where)
    ported = port(stored.text, modern=modern, python=python, where=where, neighbours=neighbours)
    notes = ported.notes
    if stored.taken_for:
        reason = f"bytes that are not UTF-8 and do not say what they are were taken for {stored.taken_for}; they are UTF-8 now"
        notes = [Note(1, 1, reason), *notes]
    return (data if ported.text == stored.text and not stored.taken_for else encode(ported.text, stored)), notes


def _divides_truly(text: str) -> bool:
    """Return True if the program imports division from the future, also where only Python 2 can read it."""
    tree = parse(text)
    if isinstance(tree, SyntaxError):
        lines = [line.partition("#")[0] for line in text.split("\n")]
        return any(line.lstrip().startswith("from __future__ import") and "division" in line for line in lines)
    return "division" in future_imports(tree)
