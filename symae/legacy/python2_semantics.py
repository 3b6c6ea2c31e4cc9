"""What Python 2 meant where Python 3 says the same and means another thing: passes over a syntax tree.

The calls that a pass puts in have names that no script has; `symae.legacy.python2_operations` defines them.
"""

from __future__ import annotations

import ast
from types import CodeType
from typing import Any

from symae._runtime.quiet import without_warnings
from symae.python2.convert import Source

__all__ = ["compiled", "with_its_semantics"]

DIVIDED, DIVIDED_IN_PLACE, STR, FORMATTED, FORMAT, SORT, DECODE = (
    f"__symae_{name}__" for name in ("divided", "divided_in_place", "str", "formatted", "format", "sort", "decode")
)
QUOTIENT, QUOTIENT_IN_PLACE = "__symae_quotient__", "__symae_quotient_in_place__"
WHOLE, SHAPED = "__symae_whole__", "__symae_shaped__"
SHAPES = {"reshape", "zeros", "ones", "empty"}
BASE, KEY = "_symae_base", "_symae_key"


def compiled(source: Source) -> CodeType:
    """Compile `source`, with the semantics it had and the lines of the original file."""
    with without_warnings(""):
        return compile(with_its_semantics(source), str(source.path), "exec", dont_inherit=True)


def with_its_semantics(source: Source) -> ast.Module:
    """Return the tree of `source` with its divisions, and what else Python 2 meant otherwise, spelled out."""
    tree: Any = _Numpy1().visit(source.tree)
    if source.python_version == "python2":
        tree = _Python2().visit(tree)
    if not source.future_division and source.python_version != "python3":
        tree = _Division(source.python_version == "python2").visit(tree)
    return ast.fix_missing_locations(tree)


def _call(name: str, node: ast.expr, *arguments: ast.expr, keywords: list[ast.keyword] | None = None) -> ast.Call:
    function = ast.copy_location(ast.Name(name, ast.Load()), node)
    return ast.copy_location(ast.Call(function, list(arguments), keywords or []), node)


class _Division(ast.NodeTransformer):
    """Replace ``/`` and ``/=`` by calls, unless one side is written as a float: then they are what they are now."""

    def __init__(self, floors: bool):
        self.divided = DIVIDED if floors else QUOTIENT
        self.divided_in_place = DIVIDED_IN_PLACE if floors else QUOTIENT_IN_PLACE

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div) or _is_float(node.left) or _is_float(node.right):
            return node
        return _call(self.divided, node, node.left, node.right)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div) or _is_float(node.value):
            return node
        target, before = node.target, []
        if isinstance(target, ast.Attribute | ast.Subscript):  # what stands before the dot is looked up once
            before.append(_assigned(BASE, target.value))
            target.value = ast.copy_location(ast.Name(BASE, ast.Load()), target)
        if isinstance(target, ast.Subscript):
            before.append(_assigned(KEY, _without_slices(target.slice)))
            target.slice = ast.copy_location(ast.Name(KEY, ast.Load()), target)
        quotient = _call(self.divided_in_place, node.value, _loaded(target), node.value)
        return [ast.copy_location(statement, node) for statement in (*before, ast.Assign([target], quotient))]


def _assigned(name: str, value: ast.expr) -> ast.Assign:
    return ast.copy_location(ast.Assign([ast.copy_location(ast.Name(name, ast.Store()), value)], value), value)


def _loaded(target: Any) -> ast.expr:
    fields = {name: value for name, value in ast.iter_fields(target) if name != "ctx"}
    return ast.copy_location(type(target)(**fields, ctx=ast.Load()), target)


def _without_slices(key: ast.expr) -> ast.expr:
    """Return an index as an expression: ``1:n`` as ``slice(1, n, None)``."""
    if isinstance(key, ast.Slice):
        ends = [part or ast.copy_location(ast.Constant(None), key) for part in (key.lower, key.upper, key.step)]
        return _call("slice", key, *ends)
    if isinstance(key, ast.Tuple):
        return ast.copy_location(ast.Tuple([_without_slices(part) for part in key.elts], ast.Load()), key)
    return key


def _is_float(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return isinstance(node, ast.Constant) and isinstance(node.value, float)


class _Python2(ast.NodeTransformer):
    """Replace what Python 2 did otherwise: floats of twelve digits in text, ``list.sort(cmp)``, ``str.decode``, ``__div__``."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.Mod) and _is_text(node.left):
            return _call(FORMATTED, node, node.left, node.right)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        function = node.func
        if isinstance(function, ast.Name) and function.id == "str" and len(node.args) == 1 and not node.keywords:
            return _call(STR, node, *node.args)
        if not isinstance(function, ast.Attribute):
            return node
        if function.attr == "format" and _is_text(function.value):
            return _call(FORMAT, node, function.value, *node.args, keywords=node.keywords)
        if function.attr == "sort" and (node.args or any(keyword.arg == "cmp" for keyword in node.keywords)):
            return _call(SORT, node, function.value, *node.args, keywords=node.keywords)
        if function.attr == "decode":
            return _call(DECODE, node, function.value, *node.args, keywords=node.keywords)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        self.generic_visit(node)
        defined = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
        for old, new in (("__div__", "__truediv__"), ("__rdiv__", "__rtruediv__"), ("__idiv__", "__itruediv__")):
            if old in defined and new not in defined:
                value = ast.copy_location(ast.Name(old, ast.Load()), node.body[-1])
                node.body.append(_assigned(new, value))
        return node


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _is_text(node.left) or _is_text(node.right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == FORMATTED:
        return True
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


class _Numpy1(ast.NodeTransformer):
    """Replace ``array(x, copy=False)``: NumPy 2 refuses where a copy is needed, and calls what was meant None.

    Until NumPy 1.12 floats were ends of slices and sizes of shapes: ``x[:sqrt(n)]``, ``x.reshape((sqrt(n), sqrt(n)))``.
    """

    def visit_Slice(self, node: ast.Slice) -> ast.Slice:
        self.generic_visit(node)
        for field in ("lower", "upper", "step"):
            part = getattr(node, field)
            if part is not None and not isinstance(getattr(getattr(part, "operand", part), "value", None), int):
                setattr(node, field, _call(WHOLE, part, part))
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        name = getattr(node.func, "attr", getattr(node.func, "id", None))
        if name in SHAPES:
            return _call(SHAPED, node, node.func, *node.args, keywords=node.keywords)
        for keyword in node.keywords:
            if name == "array" and keyword.arg == "copy" and getattr(keyword.value, "value", None) is False:
                keyword.value = ast.copy_location(ast.Constant(None), keyword.value)
        return node
