"""Modules import what lies below them: a picture of symae that every import has to fit into."""

from __future__ import annotations

import ast
import itertools
from functools import cache
from pathlib import Path

import pytest

import symae

ROOT = Path(symae.__file__).parent

# From the bottom to the top; those of one line do not import one another. "" is the package itself: what `import symae` gives.
LEVELS = [
    ["errors"],
    ["_runtime", "typing"],
    ["optimizers"],
    ["python2", "shims"],
    ["geometry"],
    ["datasets"],
    ["images"],
    ["kernels", "report"],
    ["ops"],
    ["nn", "rewrites", "patches", "random"],
    ["compile"],
    ["training", "threads"],
    ["theano"],
    ["models"],
    ["runs", "keras", "sklearn", "port", "legacy"],
    ["inspector"],
    ["export"],
    [""],
    ["cli"],
    ["__main__"],
]
LEVEL = {name: number for number, names in enumerate(LEVELS) for name in names}


def _module_name(file: Path) -> str:
    parts = file.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_module_name(file): file for file in sorted(ROOT.rglob("*.py"))}


def _top(module: str) -> str:
    return module.partition(".")[2].partition(".")[0]


def _targets(node: ast.AST) -> list[str]:
    """Return the modules of symae that a node imports, whether it names the module or something in it."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        full = [f"{node.module}.{alias.name}" for alias in node.names]
        names = [name if name in MODULES else str(node.module) for name in full]
    elif isinstance(node, ast.Call) and (text := _imported_by_a_string(node)):
        names = [text]
    else:
        return []
    return [name for name in names if name.partition(".")[0] == "symae"]


def _imported_by_a_string(node: ast.Call) -> str | None:
    """Return the text of ``import_module("text")`` or ``__import__("text")``, of an f-string its beginning."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name not in ("import_module", "__import__") or not node.args:
        return None
    argument = node.args[0]
    first = argument.values[0] if isinstance(argument, ast.JoinedStr) and argument.values else argument
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


@cache
def _imports() -> dict[str, list[tuple[str, int]]]:
    """For each module the modules of symae that it imports, with lines; within functions and for type checkers too."""
    found = {}
    for module, file in MODULES.items():
        nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        found[module] = [(target, node.lineno) for node in nodes for target in _targets(node)]
    return found


def test_every_module_has_a_level():
    assert {_top(module) for module in MODULES} == set(LEVEL)


def test_imports_lead_downwards_only():
    upwards = [
        f"{MODULES[module]}:{line}: {module} imports {target}"
        for module, targets in _imports().items()
        for target, line in targets
        if LEVEL[_top(target)] >= LEVEL[_top(module)] and _top(target) != _top(module)
    ]
    assert upwards == []


def test_no_modules_import_one_another():
    """A package may hand out what its own modules have."""
    graph = {
        module: {
            target for target, _ in targets if target in MODULES and target != module and not target.startswith(f"{module}.")
        }
        for module, targets in _imports().items()
    }
    assert _circles(graph) == []


def test_imports_are_written_with_their_whole_name():
    relative = [
        f"{file}:{node.lineno}"
        for file in MODULES.values()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_symaes_own_modules_are_imported_by_statements_not_by_strings():
    found = [
        f"{file}:{node.lineno}"
        for file in MODULES.values()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and (_imported_by_a_string(node) or "").startswith("symae")
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "targets"),
    [
        ("from symae.ops import arguments", ["symae.ops.arguments"]),
        ("from symae.errors import InputError", ["symae.errors"]),
        ("import symae.models.base as b, numpy", ["symae.models.base"]),
        ("import_module('symae.cli')", ["symae.cli"]),
        ("importlib.import_module(f'symae.{name}')", ["symae."]),
        ("if TYPE_CHECKING:\n    from symae.models import Autoencoder", ["symae.models"]),
        ("def f():\n    from symae import datasets", ["symae.datasets"]),
    ],
)
def test_whatever_way_it_is_imported_a_module_is_seen(line, targets):
    assert [target for node in ast.walk(ast.parse(line)) for target in _targets(node)] == targets


def test_circles_are_found():
    assert _circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}) == [["a", "b", "c"]]


def _circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the strongly connected parts of more than one node, by Tarjan's algorithm."""
    numbers, lowest, stack, circles = {}, {}, [], []
    counter = itertools.count()

    def visit(node):
        numbers[node] = lowest[node] = next(counter)
        stack.append(node)
        for target in sorted(graph[node]):
            if target not in numbers:
                visit(target)
                lowest[node] = min(lowest[node], lowest[target])
            elif target in stack:
                lowest[node] = min(lowest[node], numbers[target])
        if lowest[node] == numbers[node]:
            part = [stack.pop()]
            while part[-1] != node:
                part.append(stack.pop())
            if len(part) > 1:
                circles.append(sorted(part))

    for node in graph:
        if node not in numbers:
            visit(node)
    return circles
