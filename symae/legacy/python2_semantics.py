"""What Python 2 meant where Python 3 says the same and means another thing: passes over a syntax tree.

The calls that a pass puts in have names that no script has; `symae.legacy.python2_operations` defines them.
"""

from __future__ import annotations

import ast
from types import CodeType
from typing import Any

from symae._runtime.quiet import without_warnings
from symae.legacy.python2_classes import SPECIAL
from symae.python2.convert import Source
from symae.shims.lenient_syntax import BASE, KEY, Lenient, assigned, call, loaded, unsliced

__all__ = ["compiled", "with_its_semantics"]

FORMATTED = {"__symae_formatted__", "__symae_formatted_unicode__"}


def compiled(source: Source) -> CodeType:
    """Compile `source`, with the semantics it had and the lines of the original file."""
    with without_warnings(""):
        return compile(with_its_semantics(source), str(source.path), "exec", dont_inherit=True)


def with_its_semantics(source: Source) -> ast.Module:
    """Return the tree of `source` with its divisions, and what else Python 2 and its NumPy meant otherwise, spelled out."""
    tree: Any = source.tree
    if source.python_version == "python2":
        tree = _Python2().visit(tree)
    if source.python_version != "python3":
        tree = _Classes().visit(tree)
    if not source.future_division and source.python_version != "python3":
        tree = _Division(source.python_version == "python2").visit(tree)
    return ast.fix_missing_locations(Lenient().visit(tree))


class _Division(ast.NodeTransformer):
    """Replace ``/`` and ``/=`` by calls, unless one side is written as a float: then they are what they are now."""

    def __init__(self, floors: bool):
        self.divided = "divided" if floors else "quotient"
        self.divided_in_place = "divided_in_place" if floors else "quotient_in_place"

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div) or _is_float(node.left) or _is_float(node.right):
            return node
        return call(self.divided, node, node.left, node.right)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div) or _is_float(node.value):
            return node
        target, before = node.target, []
        if isinstance(target, ast.Attribute | ast.Subscript):  # what stands before the dot is looked up once
            before.append(assigned(BASE, target.value))
            target.value = ast.copy_location(ast.Name(BASE, ast.Load()), target)
        if isinstance(target, ast.Subscript):
            before.append(assigned(KEY, unsliced(target.slice)))
            target.slice = ast.copy_location(ast.Name(KEY, ast.Load()), target)
        quotient = call(self.divided_in_place, node.value, loaded(target), node.value)
        return [ast.copy_location(statement, node) for statement in (*before, ast.Assign([target], quotient))]


def _is_float(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return isinstance(node, ast.Constant) and isinstance(node.value, float)


class _Python2(ast.NodeTransformer):
    """Replace what Python 2 did otherwise: floats of twelve digits in text, ``list.sort(cmp)``, ``str.decode`` …"""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.Mod) and _is_text(node.left):
            is_unicode = getattr(node.left, "kind", None) == "u"
            return call("formatted_unicode" if is_unicode else "formatted", node, node.left, node.right)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        function = node.func
        if isinstance(function, ast.Name) and function.id == "str" and len(node.args) == 1 and not node.keywords:
            return call("str", node, *node.args)
        if isinstance(function, ast.Name) and function.id == "unicode" and node.args:
            return call("unicode", node, *node.args, keywords=node.keywords)
        if not isinstance(function, ast.Attribute):
            return node
        if function.attr == "format" and _is_text(function.value):
            return call("format", node, function.value, *node.args, keywords=node.keywords)
        if function.attr == "sort" and (node.args or any(keyword.arg == "cmp" for keyword in node.keywords)):
            return call("sort", node, function.value, *node.args, keywords=node.keywords)
        if function.attr in ("decode", "encode"):
            return call(function.attr, node, function.value, *node.args, keywords=node.keywords)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        is_read = node.attr == "message" and isinstance(node.ctx, ast.Load)
        return call("message", node, node.value) if is_read else node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        self.generic_visit(node)
        return _Caught(node.name).generic_visit(node) if node.name else node  # type: ignore[return-value]


class _Caught(ast.NodeTransformer):
    """Let an exception that was caught as `name` be a sequence of its arguments."""

    def __init__(self, name: str):
        self.name = name

    def _parts(self, node: ast.expr) -> ast.expr:
        return call("parts", node, node) if isinstance(node, ast.Name) and node.id == self.name else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        node.value = self._parts(node.value)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        self.generic_visit(node)
        if isinstance(node.targets[0], ast.Tuple | ast.List):
            node.value = self._parts(node.value)
        return node


class _Classes(ast.NodeTransformer):
    """Let Python 3 call the special methods that Python 2 called."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        if node.attr in ("__getslice__", "__setslice__", "__delslice__") and isinstance(node.ctx, ast.Load):
            return call("slicing", node, node.value, ast.Constant(node.attr))
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        self.generic_visit(node)
        defined = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
        defined |= {t.id for part in node.body if isinstance(part, ast.Assign) for t in part.targets if isinstance(t, ast.Name)}
        if "__eq__" in defined and "__hash__" not in defined:
            node.decorator_list.append(_operation("hashable", node))
        if SPECIAL & defined:
            node.decorator_list.append(_operation("adapted", node))
        for old, new in (("__div__", "__truediv__"), ("__rdiv__", "__rtruediv__"), ("__idiv__", "__itruediv__")):
            if old in defined and new not in defined:
                value = ast.copy_location(ast.Name(old, ast.Load()), node.body[-1])
                node.body.append(assigned(new, value))
        return node


def _operation(name: str, node: ast.AST) -> ast.Name:
    return ast.Name(f"__symae_{name}__", ast.Load(), **{k: getattr(node, k) for k in ("lineno", "col_offset")})


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _is_text(node.left) or _is_text(node.right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORMATTED:
        return True
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
