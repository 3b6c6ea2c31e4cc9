"""Where the names of a program get their values: what `symae.port.integer_inference` asks to tell whole numbers from others."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class WholeNumber:
    """Stand for a value that is one of 0, 1, 2 …: that of a loop over a range, or a length."""


@dataclass(frozen=True)
class Item:
    """Stand for the value of an expression or, where that is a tuple, of one entry of it."""

    value: ast.expr
    scope: Scope
    index: int | None = None


@dataclass(frozen=True)
class Element:
    """Stand for what a loop over an expression hands out."""

    value: ast.expr
    scope: Scope


@dataclass(eq=False)
class Function:
    """Describe a function of the program: its parameters, with defaults, and what it returns."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    in_class: str | None = None
    returns: list[Item] = field(default_factory=list)


@dataclass(frozen=True)
class Call:
    """Describe a call of a function of the program, seen from its parameters."""

    node: ast.Call
    scope: Scope


Origin = WholeNumber | Item | Element | Function | None


@dataclass(eq=False)
class Scope:
    """Describe a module, class or function: what its names are assigned; None stands for something that is not known."""

    parent: Scope | None
    owner: Function | None = None
    is_class: bool = False
    names: dict[str, list[Origin]] = field(default_factory=lambda: defaultdict(list))

    def find(self, name: str) -> Scope | None:
        """Return the scope that a name is of, from here."""
        scope: Scope | None = self
        while scope is not None and (name not in scope.names or (scope.is_class and scope is not self)):
            scope = scope.parent
        return scope


class Program:
    """Collect a program's scopes, imports, functions, attributes and calls.

    `scope_of` and `parent_of` are by the id of a node. `modules` are what the imported names stand for: ``{"np": "numpy",
    "shared": "theano.shared"}``. `attributes` are what is assigned to an attribute of that name of anything, `calls` by the
    function's last name.
    """

    def __init__(self, tree: ast.Module):
        self.scope_of: dict[int, Scope] = {}
        self.parent_of: dict[int, ast.AST] = {}
        self.modules: dict[str, str] = {}
        self.attributes: dict[str, list[Origin]] = defaultdict(list)
        self.calls: dict[str, list[Call]] = defaultdict(list)
        self.top = Scope(None)
        for node in ast.walk(tree):
            for child in ast.iter_child_nodes(node):
                self.parent_of[id(child)] = node
        for statement in tree.body:
            self._visit(statement, self.top, None)

    def scope(self, node: ast.AST) -> Scope:
        """Return the scope that an expression is in."""
        return self.scope_of.get(id(node), self.top)  # annotations are not looked at

    def dotted(self, node: ast.expr) -> str:
        """Return the full name of ``np.random.rand``: "numpy.random.rand"; "" for what is not a name."""
        first, dot, rest = dotted(node).partition(".")
        return self.modules.get(first, first) + dot + rest

    def _visit(self, node: ast.AST, scope: Scope, in_class: str | None) -> None:
        self.scope_of[id(node)] = scope
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            self._function(node, scope, in_class)
            return
        if isinstance(node, ast.ClassDef):
            scope.names[node.name].append(None)
            inner = Scope(scope, is_class=True)
            for child in ast.iter_child_nodes(node):
                self._visit(child, inner, node.name)
            return
        if isinstance(node, ast.Import | ast.ImportFrom):
            self._import(node, scope)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._assign(target, Item(node.value, scope), scope)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            self._assign(node.target, Item(node.value, scope), scope)
        elif isinstance(node, ast.AugAssign):
            both = ast.BinOp(node.target, node.op, node.value)
            self._assign(node.target, Item(both, scope), scope)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            self._assign(node.target, Element(node.iter, scope), scope)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._assign(node.optional_vars, None, scope)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            scope.names[node.name].append(None)
        elif isinstance(node, ast.Global):
            for name in node.names:
                scope.names[name] = self.top.names[name]
        elif isinstance(node, ast.Return) and scope.owner is not None and node.value is not None:
            scope.owner.returns.append(Item(node.value, scope))
        elif isinstance(node, ast.Call):
            self.calls[dotted(node.func).rpartition(".")[2]].append(Call(node, scope))
        for child in ast.iter_child_nodes(node):
            self._visit(child, scope, in_class)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope, in_class: str | None) -> None:
        function = Function(node, scope, in_class if scope.is_class else None)
        inner = Scope(scope, owner=function)
        if not isinstance(node, ast.Lambda):
            scope.names[node.name].append(function)
        outside = [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
        if not isinstance(node, ast.Lambda):
            outside += node.decorator_list
        for expression in outside:
            self._visit(expression, scope, in_class)
        for argument in _arguments(node.args):
            inner.names[argument.arg].append(function)
        for child in node.body if isinstance(node.body, list) else [node.body]:
            self._visit(child, inner, None)
        if isinstance(node, ast.Lambda):
            function.returns.append(Item(node.body, inner))

    def _import(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        for alias in node.names:
            source = f"{node.module or ''}." if isinstance(node, ast.ImportFrom) else ""
            name = alias.asname or (alias.name if source else alias.name.partition(".")[0])
            self.modules[name] = source + alias.name if alias.asname or source else name

    def _assign(self, target: ast.AST, value: Origin, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            scope.names[target.id].append(value)
        elif isinstance(target, ast.Attribute):
            self.attributes[target.attr].append(value)
        elif isinstance(target, ast.Starred):
            self._assign(target.value, None, scope)
        elif isinstance(target, ast.Tuple | ast.List):
            for index, part in enumerate(target.elts):
                self._assign(part, _entry(value, index), scope)


def _entry(value: Origin, index: int) -> Origin:
    if isinstance(value, Item) and value.index is None:
        return Item(value.value, value.scope, index)
    if isinstance(value, Element):  # for i, x in enumerate(…)
        call = value.value
        if index == 0 and isinstance(call, ast.Call) and dotted(call.func) == "enumerate":
            return WholeNumber()
    return None


def dotted(node: ast.AST) -> str:
    """Return ``a.b.c`` as a text; "" for anything but names and attributes of names."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def _arguments(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (a for a in (arguments.vararg, arguments.kwarg) if a is not None)
