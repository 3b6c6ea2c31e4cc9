"""Python 2's division made explicit: ``//`` where both sides are whole numbers for certain, a note where nobody can know."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from symae.port.integer_inference import Kind, Kinds
from symae.port.scopes import Program, Scope, dotted
from symae.port.source_edit import Draft
from symae.port.to_python3 import parse

UNKNOWN = "Python 2 rounded this quotient down if both sides are whole numbers: write // if they are"
NAMED = "/ became //, because the names say that both sides are whole numbers: look whether they are"
AMBIGUOUS = "a quotient of whole numbers: if this was written for Python 2, it wants // (--python 2 writes it)"

# These took whole numbers only, or cut what they were given: a quotient in them was a whole one.
_SIZES = {"range", "xrange", "zeros", "ones", "empty", "reshape", "eye", "identity", "randint", "randn", "rand", "permutation"}


def make_division_explicit(draft: Draft, python2: bool) -> None:
    """Write ``//`` for ``/`` in `draft`, a program in Python 3's syntax, where Python 2 rounded down.

    If it was not `python2`, or had ``from __future__ import division``, a quotient of whole numbers is changed only where
    Python 3 refuses a float, and one that gets there by way of a name has a note.
    """
    tree = parse(draft.text)
    if isinstance(tree, SyntaxError):
        return
    program = Program(tree)
    kinds = Kinds(program, python2)
    whole_use = _names_of_sizes(program, tree)
    lines = draft.text.split("\n")
    changes: list[tuple[int, int]] = []
    for node in ast.walk(tree):
        match node:
            case ast.BinOp(left, ast.Div(), right):
                sign = "/"
            case ast.AugAssign(ast.Name() | ast.Attribute() | ast.Subscript() as left, ast.Div(), right):
                sign = "/="
            case _:
                continue
        sides = kinds.of(left), kinds.of(right)
        if Kind.REAL in sides or _is_path(left, right):
            continue
        at_once, by_name = _used_as_size(node, program, whole_use) if isinstance(node, ast.BinOp) else (False, False)
        used = at_once or by_name
        line, column = _find(lines, left, right, sign)
        if not python2:
            if at_once and sides[0].whole and sides[1].whole:
                changes.append((line, column))  # Python 3 refuses a float there, so the program was Python 2's
            elif by_name and sides[0].whole and sides[1].whole:
                draft.note(line + 1, AMBIGUOUS)
            continue
        if used or (sides[0].whole and sides[1].whole):
            changes.append((line, column))
            if not used and Kind.NAMED in sides:
                draft.note(line + 1, NAMED)
        elif not _truncated(node, program):
            draft.note(line + 1, UNKNOWN)
    for line, column in sorted(changes, reverse=True):
        lines[line] = lines[line][:column] + "/" + lines[line][column:]
    draft.replace("\n".join(lines))


def _find(lines: list[str], left: ast.expr, right: ast.expr, sign: str) -> tuple[int, int]:
    """Find the operator between its operands: beside it there are only brackets, comments and ends of lines."""
    assert left.end_lineno is not None
    assert left.end_col_offset is not None
    line = left.end_lineno - 1
    column = len(lines[line].encode()[: left.end_col_offset].decode())
    while True:
        found = lines[line].partition("#")[0] if "#" in lines[line][column:] else lines[line]
        at = found.find(sign, column)
        if at >= 0 or line >= right.lineno - 1:
            return line, at
        line, column = line + 1, 0


def _names_of_sizes(program: Program, tree: ast.Module) -> set[tuple[int, str]]:
    """Return names, by their scope, and attributes, by -1, that are used as a size somewhere."""
    found = set()
    for node in ast.walk(tree):
        for used in _sizes(node):
            name = dotted(used)
            home = program.scope(used).find(name) if isinstance(used, ast.Name) else None
            if home is not None:
                found.add((id(home), name))
            elif isinstance(used, ast.Attribute):
                found.add((-1, used.attr))
    return found


def _sizes(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions in `node` that stand where only whole numbers can."""
    if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in _SIZES:
        for argument in (*node.args, *(k.value for k in node.keywords if k.arg in ("shape", "size"))):
            yield from argument.elts if isinstance(argument, ast.Tuple | ast.List) else (argument,)
    if isinstance(node, ast.Slice):
        yield from (part for part in (node.lower, node.upper, node.step) if part is not None)


def _used_as_size(node: ast.BinOp, program: Program, names: set[tuple[int, str]]) -> tuple[bool, bool]:
    """Tell whether the quotient, perhaps after more arithmetic, is a size at once, and whether it is later by its name."""
    inner: ast.AST = node
    outer = program.parent_of[id(inner)]
    while isinstance(outer, ast.BinOp) and isinstance(outer.op, ast.Add | ast.Sub | ast.Mult | ast.FloorDiv):
        inner, outer = outer, program.parent_of[id(outer)]
    if isinstance(outer, ast.Tuple | ast.List | ast.keyword):
        outer = program.parent_of[id(outer)]
    if any(inner is size for size in _sizes(outer)):
        return True, False
    if not isinstance(outer, ast.Assign) or outer.value is not inner:
        return False, False
    return False, any(_key(target, program.scope(target)) in names for target in outer.targets if _is_name(target))


def _is_name(target: ast.expr) -> bool:
    return isinstance(target, ast.Name | ast.Attribute)


def _key(target: ast.expr, scope: Scope) -> tuple[int, str]:
    if isinstance(target, ast.Attribute):
        return -1, target.attr
    name = dotted(target)
    return id(scope.find(name)), name


def _truncated(node: ast.AST, program: Program) -> bool:
    """Return True if the quotient goes right into int(…) or a floor, where it hardly matters."""
    outer = program.parent_of[id(node)]
    return isinstance(outer, ast.Call) and dotted(outer.func).rpartition(".")[2] in ("int", "floor")


def _is_path(left: ast.expr, right: ast.expr) -> bool:
    """Return True if a side is a text: ``folder / "file"`` of pathlib is not a quotient."""
    return any(isinstance(side, ast.Constant | ast.JoinedStr) and not _is_number(side) for side in (left, right))


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float | complex)
