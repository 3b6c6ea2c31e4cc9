"""What the steps on libcst trees share: the full names behind names, new imports, and notes with their lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider, QualifiedNameProvider, QualifiedNameSource

from symae.port.source_edit import Draft

# what a step puts in the place of a small statement
Small = cst.BaseSmallStatement | cst.FlattenSentinel[cst.BaseSmallStatement]

_EMPTY = cst.Module([])
_GONE = "_this_statement_is_gone"
_MODULES = {"tensor", "nnet", "signal", "pool", "downsample", "shared_randomstreams", "config"}


class Step(cst.CSTTransformer):
    """Transform a program in one step of porting, with full names and notes.

    Attributes
    ----------
    new_imports : dict from str to None
        Statements that the program needs now, such as ``import symae``, in their order.
    helpers : dict from str to None
        Functions that it needs now: their source.
    """

    METADATA_DEPENDENCIES = (QualifiedNameProvider, PositionProvider)

    def __init__(self, draft: Draft):
        super().__init__()
        self._draft = draft
        self.new_imports: dict[str, None] = {}
        self.helpers: dict[str, None] = {}
        self._assigned: dict[str, str] = {}
        self._around: list[cst.CSTNode] = []

    def note(self, node: cst.CSTNode, reason: str) -> None:
        """Say something about `node`, one of the tree before the step."""
        self._draft.note(self.get_metadata(PositionProvider, node).start.line, reason)

    def full_name(self, node: cst.CSTNode) -> str:
        """Return what an imported or built-in name stands for, such as "builtins.open"; "" for the program's own."""
        written = dotted(node)
        if not written:  # of a call or a subscript libcst would give the name of the function or the array
            return ""
        names: Any = self.get_metadata(QualifiedNameProvider, node, ()) or ()
        known = sorted(n.name for n in names if n.source is not QualifiedNameSource.LOCAL)
        if known:
            return known[0]
        first, dot, rest = written.partition(".")
        if first in self._assigned and any(n.name == written for n in names):
            return self._assigned[first] + dot + rest
        return ""

    def visit_Module(self, node: cst.Module) -> None:
        # T = theano.tensor
        for statement in node.body:
            for part in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
                if isinstance(part, cst.Assign) and len(part.targets) == 1 and isinstance(part.targets[0].target, cst.Name):
                    name = self.full_name(part.value)
                    if name.startswith("theano.") and name.count(".") <= 2 and name.rpartition(".")[2] in _MODULES:
                        self._assigned[part.targets[0].target.value] = name

    def parent(self, node: cst.CSTNode) -> cst.CSTNode:
        """Return the node that holds `node`, which is just being left or around what is."""
        for i in range(len(self._around) - 1, 0, -1):
            if self._around[i] is node:
                return self._around[i - 1]
        return self._around[-1]

    def on_visit(self, node: cst.CSTNode) -> bool:
        wanted = super().on_visit(node)
        self._around.append(node)
        return wanted

    def on_leave(self, original: Any, updated: Any) -> Any:
        self._around.pop()
        return super().on_leave(original, updated)

    # A statement that goes leaves its comments to what follows.

    def leave_SimpleStatementLine(
        self, original: cst.SimpleStatementLine, updated: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine | cst.FlattenSentinel[cst.SimpleStatementLine]:
        kept = [s for s in updated.body if not _is_gone(s)]
        if len(original.body) == 1 and len(kept) > 1:  # one import became several, each with a line of its own
            lines = [cst.SimpleStatementLine([s.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)]) for s in kept]
            lines[0] = lines[0].with_changes(leading_lines=updated.leading_lines)
            lines[-1] = lines[-1].with_changes(trailing_whitespace=updated.trailing_whitespace)
            return cst.FlattenSentinel(lines)
        if len(kept) in (0, len(updated.body)):
            return updated
        return updated.with_changes(body=[*kept[:-1], kept[-1].with_changes(semicolon=cst.MaybeSentinel.DEFAULT)])

    def leave_SimpleStatementSuite(
        self, original: cst.SimpleStatementSuite, updated: cst.SimpleStatementSuite
    ) -> cst.SimpleStatementSuite:
        kept = [s for s in updated.body if not _is_gone(s)]
        return updated if len(kept) == len(updated.body) else updated.with_changes(body=kept or [cst.Pass()])

    def leave_IndentedBlock(self, original: cst.IndentedBlock, updated: cst.IndentedBlock) -> cst.IndentedBlock:
        body, lines = _without_gone(updated.body)
        if len(body) == len(updated.body):
            return updated
        if not body:
            return updated.with_changes(body=[cst.SimpleStatementLine([cst.Pass()], leading_lines=lines)])
        return updated.with_changes(body=body, footer=[*lines, *updated.footer])

    def leave_Module(self, original: cst.Module, updated: cst.Module) -> cst.Module:
        body, lines = _without_gone(updated.body)
        if len(body) == len(updated.body):
            return updated
        return updated.with_changes(body=body, footer=[*lines, *updated.footer])

    def is_reference(self, node: cst.BaseExpression) -> bool:
        """Return True if a name or attribute is a value by itself, not the middle of a longer one, a keyword or an import."""
        parent = self.parent(node)
        return not isinstance(parent, cst.Attribute) and not (
            isinstance(parent, cst.ImportAlias | cst.ImportFrom | cst.AsName | cst.Param | cst.NameItem)
            or (isinstance(parent, cst.Arg) and parent.keyword is node)
        )


def run_step(draft: Draft, step: Step, add: bool = True) -> None:
    """Take `step` on the draft, and, if `add`, put in the imports and functions that it asks for."""
    wrapper = MetadataWrapper(cst.parse_module(draft.text), unsafe_skip_copy=True)
    module = wrapper.visit(step)
    if add:
        module = _with_additions(module, list(step.new_imports), list(step.helpers))
    draft.replace(module.code)


def text_of(node: cst.CSTNode) -> str:
    """Return the source of `node`, with its comments."""
    return _EMPTY.code_for_node(node)


def dotted(node: cst.CSTNode) -> str:
    """Return ``a.b.c`` as a text; "" for anything but names and attributes of names."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr.value}" if before else ""
    return ""


def attribute(name: str) -> cst.BaseExpression:
    """Make the expression ``a.b.c``."""
    return cst.parse_expression(name)


def argument(value: Any, keyword: str | None = None) -> cst.Arg:
    """Make an argument, of an expression or of its text."""
    expression = cst.parse_expression(value) if isinstance(value, str) else value
    equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    if keyword is None:
        return cst.Arg(expression)
    return cst.Arg(expression, keyword=cst.Name(keyword), equal=equal)


def replaced_arguments(old: Sequence[cst.Arg], new: Sequence[cst.Arg]) -> list[cst.Arg]:
    """Return `new`, with the commas, and so the line breaks, of `old`."""
    commas = [a.comma for a in old if isinstance(a.comma, cst.Comma)]
    plain = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    trailing = bool(old) and isinstance(old[-1].comma, cst.Comma)
    result = []
    for i, arg in enumerate(new):
        last = i == len(new) - 1
        comma = cst.MaybeSentinel.DEFAULT if last and not trailing else commas[i] if i < len(commas) else plain
        after = old[-1].whitespace_after_arg if last and old else cst.SimpleWhitespace("")
        result.append(arg.with_changes(comma=comma, whitespace_after_arg=after))
    return result


def as_name(name: str) -> cst.AsName:
    """Make the ``as name`` of an import."""
    return cst.AsName(cst.Name(name), cst.SimpleWhitespace(" "), cst.SimpleWhitespace(" "))


def imported(node: cst.ImportFrom) -> str:
    """Return the module of a ``from … import``, "" for a relative one."""
    return "" if node.relative or node.module is None else text_of(node.module)


def used_names(node: cst.CSTNode) -> set[str]:
    """Return all names in a program, or a part of it, outside of its imports."""
    finder = _Names()
    node.visit(finder)
    return finder.names


class _Names(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def visit_Name(self, node: cst.Name) -> None:
        self.names.add(node.value)

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        node.value.visit(self)  # the attribute's own name is not a variable
        return False

    def visit_Import(self, node: cst.Import) -> bool:
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        return False


def gone() -> cst.BaseSmallStatement:
    """Return what a step's method returns for a statement that goes."""
    return cst.Expr(cst.Name(_GONE))


def _is_gone(statement: cst.CSTNode) -> bool:
    return isinstance(statement, cst.Expr) and isinstance(statement.value, cst.Name) and statement.value.value == _GONE


def _without_gone(body: Sequence[Any]) -> tuple[list[Any], list[cst.EmptyLine]]:
    """Return the statements that stay, with the comments before those that go, and comments with no next statement."""
    kept: list[Any] = []
    comments: list[cst.EmptyLine] = []
    for statement in body:
        if isinstance(statement, cst.SimpleStatementLine) and all(map(_is_gone, statement.body)):
            if any(line.comment is not None for line in statement.leading_lines):
                comments += statement.leading_lines
            continue
        if comments and hasattr(statement, "leading_lines"):
            statement = statement.with_changes(leading_lines=[*comments, *statement.leading_lines])
            comments = []
        kept.append(statement)
    return kept, comments


def _with_additions(module: cst.Module, imports: list[str], helpers: list[str]) -> cst.Module:
    """Add imports after the first import of what is ported, and functions after the last one before they are used."""
    present = {text_of(s).strip() for s in module.body if _is_import(s)}
    missing = [s for s in imports if s not in present]
    if any(s.startswith("import symae.") for s in (*missing, *present)):  # which imports symae itself too
        missing = [s for s in missing if s != "import symae"]
    if not missing and not helpers:
        return module
    body = list(module.body)
    at = next((i for i, s in enumerate(body) if _is_import(s) and _mentions_port(s)), None)
    if at is None:
        at = next((i for i, s in enumerate(body) if _is_import(s) and "__future__" not in text_of(s)), _before_first(body) - 1)
    new: list[Any] = [cst.parse_statement(s) for s in missing]
    body[at + 1 : at + 1] = new
    names = {source[4 : source.index("(")] for source in helpers}
    first = next((i for i, s in enumerate(body) if names & used_names(s)), len(body))
    last = max((i for i, s in enumerate(body[:first]) if _is_import(s)), default=_before_first(body) - 1)
    definitions: list[Any] = []
    for source in helpers:
        definition = cst.parse_statement(source)
        definitions.append(definition.with_changes(leading_lines=[cst.EmptyLine(indent=False)] * 2))
    if definitions and last + 1 < len(body):
        following: Any = body[last + 1]
        blank = [line for line in following.leading_lines if line.comment is None]
        needed = max(0, 2 - len(blank))
        body[last + 1] = following.with_changes(
            leading_lines=[*[cst.EmptyLine(indent=False)] * needed, *following.leading_lines]
        )
    body[last + 1 : last + 1] = definitions
    return module.with_changes(body=body)


def _is_import(statement: cst.CSTNode) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[0], cst.Import | cst.ImportFrom)


def _mentions_port(statement: cst.CSTNode) -> bool:
    return any(name in text_of(statement) for name in ("symae", "pytensor"))


def _before_first(body: Sequence[cst.CSTNode]) -> int:
    """Return where a first import can stand: after the docstring and what comes from the future."""
    at = 0
    for i, statement in enumerate(body):
        text = text_of(statement).lstrip()
        if text.startswith("from __future__") or (i == 0 and text.startswith(('"', "'", "r'", 'r"'))):
            at = i + 1
    return at
