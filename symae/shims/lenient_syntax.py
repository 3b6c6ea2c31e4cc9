"""A pass over the syntax tree of a source of 2010 to 2018 that puts in the calls of `symae.shims.lenient_numpy`."""

from __future__ import annotations

import ast
from typing import Any

from symae.shims.lenient_numpy import IN_PLACE, REPAIRED

__all__ = ["BASE", "KEY", "Lenient", "assigned", "call", "loaded", "unsliced"]

NUMBERS = {"float", "int", "long", "complex"}
BASE, KEY = "_symae_base", "_symae_key"


class Lenient(ast.NodeTransformer):
    """Let NumPy take what it took; operations on numbers and names that are written out stay as they are.

    Keywords that have another name today get that: ``array(x, copy=False)`` meant ``copy=None``, ``normed`` is ``density``.
    """

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        function, name = node.func, getattr(node.func, "attr", getattr(node.func, "id", None))
        for keyword in node.keywords:
            if name == "array" and keyword.arg == "copy" and getattr(keyword.value, "value", None) is False:
                keyword.value = ast.copy_location(ast.Constant(None), keyword.value)
            if keyword.arg == "normed" and str(name).startswith("hist"):
                keyword.arg = "density"
        if isinstance(function, ast.Name) and name in NUMBERS and len(node.args) == 1 and not node.keywords:
            is_plain = isinstance(node.args[0], ast.Constant | ast.Starred)
            return node if is_plain else call("converted", node, function, *node.args)
        if name in REPAIRED and (node.args or node.keywords):
            return call("called", node, function, *node.args, keywords=node.keywords)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        if _is_plain(node.slice):
            return node
        if isinstance(node.ctx, ast.Load):
            return call("get", node, node.value, unsliced(node.slice))
        for part in node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]:
            _cut(part)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        self.generic_visit(node)
        target = node.targets[0]
        if len(node.targets) > 1 or not isinstance(target, ast.Subscript):
            return node
        put = call("put", node.value, node.value, target.value, unsliced(target.slice))
        return ast.copy_location(ast.Expr(put), node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        self.generic_visit(node)
        name = type(node.op).__name__
        if name not in IN_PLACE or not isinstance(node.target, ast.Name) or _is_whole(node.value):
            return node
        value = call("in_place", node.value, ast.Constant(name), loaded(node.target), node.value)
        return ast.copy_location(ast.Assign([node.target], value), node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.Sub) and not any(isinstance(side, ast.Constant) for side in (node.left, node.right)):
            return call("minus", node, node.left, node.right)
        if isinstance(node.op, ast.Mod) and isinstance(getattr(node.left, "value", None), str):
            return call("filled", node, node.left, node.right)
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        is_number = isinstance(node.operand, ast.Constant) or not isinstance(node.op, ast.USub)
        return node if is_number else call("negative", node, node.operand)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        names = {ast.Eq: "equal", ast.NotEq: "different"}
        name = names.get(type(node.ops[0]))
        sides = [node.left, *node.comparators]
        if name is None or len(sides) > 2 or any(isinstance(side, ast.Constant) for side in sides):
            return node
        return call(name, node, *sides)


def call(name: str, node: ast.expr, *arguments: ast.expr, keywords: list[ast.keyword] | None = None) -> ast.Call:
    """Return a call, in the place of `node`, of a function whose name no source has."""
    function = ast.copy_location(ast.Name(f"__symae_{name}__", ast.Load()), node)
    return ast.copy_location(ast.Call(function, list(arguments), keywords or []), node)


def assigned(name: str, value: ast.expr) -> ast.Assign:
    """Return ``name = value``."""
    return ast.copy_location(ast.Assign([ast.copy_location(ast.Name(name, ast.Store()), value)], value), value)


def loaded(target: Any) -> ast.expr:
    """Return what is assigned to as an expression."""
    fields = {name: value for name, value in ast.iter_fields(target) if name != "ctx"}
    return ast.copy_location(type(target)(**fields, ctx=ast.Load()), target)


def unsliced(key: ast.expr) -> ast.expr:
    """Return an index as an expression, ``1:n`` as a call that makes a slice."""
    if isinstance(key, ast.Slice):
        ends = [part or ast.copy_location(ast.Constant(None), key) for part in (key.lower, key.upper, key.step)]
        return call("slice", key, *ends)
    if isinstance(key, ast.Tuple):
        return ast.copy_location(ast.Tuple([unsliced(part) for part in key.elts], ast.Load()), key)
    return key


def _is_whole(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | str)


def _is_plain(key: ast.expr | None) -> bool:
    """Return True for an index that means the same today: whole numbers, texts and slices that are written out."""
    if isinstance(key, ast.Tuple):
        return all(map(_is_plain, key.elts))
    if isinstance(key, ast.Slice):
        return all(map(_is_plain, (key.lower, key.upper, key.step)))
    if isinstance(key, ast.UnaryOp):
        key = key.operand
    return key is None or (isinstance(key, ast.Constant) and not isinstance(key.value, float))


def _cut(key: ast.expr) -> None:
    """Let the ends of a slice that is assigned to or deleted be floats."""
    for field in ("lower", "upper", "step") if isinstance(key, ast.Slice) else ():
        if not _is_plain(part := getattr(key, field)):
            setattr(key, field, call("whole", part, part))
