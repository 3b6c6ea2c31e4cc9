"""A call with many arguments, or a tuple of many, is for Numba what it is for one who reads it.

Python's compiler makes a list of more than 30 arguments, or of a tuple's more than 30 items, and a tuple of the list. Numba
before 0.68 reads that as a sum of tuples of one item, and each of the sums is typed, held and let go: a training step that
returns a hundred arrays becomes 70 MB of LLVM's text. Since then it is one tuple, but a call's arguments are still put into one
and taken out of it again.
"""

from __future__ import annotations

import operator
from collections import Counter, defaultdict
from typing import Any

from symae.patches.changes import Changes
from symae.patches.numba_deferred_codegen import compiling_whole_programs
from symae.patches.patch import Expected, Patch

MOST = 30  # what Python's compiler puts on the stack: STACK_USE_GUIDELINE of its compile.c


def apply(_: Any, changes: Changes) -> None:
    from numba.core import interpreter, ir

    stock = interpreter.peep_hole_list_to_tuple

    def peep_hole_list_to_tuple(func_ir: Any) -> Any:
        func_ir = stock(func_ir)
        if compiling_whole_programs():
            _drop(func_ir, ir, [name for block in func_ir.blocks.values() for name in _joined(func_ir, block, ir)])
        return func_ir

    changes.replace(interpreter, "peep_hole_list_to_tuple", peep_hole_list_to_tuple)


def _joined(func_ir: Any, block: Any, ir: Any) -> list[str]:
    """Make single tuples of sums of more than `MOST`, and calls with arguments of those that had a tuple; return the parts."""
    items: dict[str, list[Any]] = {}
    readers: defaultdict[str, set[str]] = defaultdict(set)
    parts: list[str] = []
    found = False
    for statement in block.body:
        if not isinstance(statement, ir.Assign):
            continue
        name, value = statement.target.name, statement.value
        made = _items(value, items, ir)
        if made is not None and any(item.name == name for item in made):
            made = None  # of what the variable was before
        for other in [other for other in readers.pop(name, ()) if other in items]:
            del items[other]  # it was made of what this variable was before
        items.pop(name, None)
        if made is not None:
            items[name] = made
            parts.append(name)
            for item in made:
                readers[item.name].add(name)
            if len(made) > MOST and not _is(value, "build_tuple", ir):
                found = True
                statement.value = ir.Expr.build_tuple(made, value.loc)
                func_ir._definitions[name] = [statement.value]
        elif _is(value, "call", ir) and value.vararg is not None and not value.kws and value.varkwarg is None:
            given = items.get(value.vararg.name, ())
            if len(given) > MOST:
                found = True
                value.args, value.vararg = [*value.args, *given], None
    return parts if found else []


def _items(value: Any, known: dict[str, list[Any]], ir: Any) -> list[Any] | None:
    """Return the variables that a tuple is made of; None for anything else."""
    if isinstance(value, ir.Var):
        return known.get(value.name)
    if _is(value, "build_tuple", ir):
        return list(value.items)
    if _is(value, "binop", ir) and value.fn is operator.add and value.lhs.name in known and value.rhs.name in known:
        return known[value.lhs.name] + known[value.rhs.name]
    return None


def _drop(func_ir: Any, ir: Any, parts: list[str]) -> None:
    """Remove what made those of `parts` that nothing reads any more."""
    if not parts:
        return
    used = Counter(name for block in func_ir.blocks.values() for statement in block.body for name in _read(statement, ir))
    names = {name for name in parts if name.startswith("$")}
    for block in func_ir.blocks.values():
        kept = []
        for statement in reversed(block.body):
            if isinstance(statement, ir.Assign) and statement.target.name in names and not used[statement.target.name]:
                used.subtract(_read(statement, ir))
                func_ir._definitions.pop(statement.target.name, None)
            else:
                kept.append(statement)
        block.body[:] = kept[::-1]


def _read(statement: Any, ir: Any) -> list[str]:
    """Return the names of the variables that a statement reads."""
    value = statement.value if isinstance(statement, ir.Assign) else statement
    if isinstance(value, ir.Var):
        return [value.name]
    return [v.name for v in value.list_vars()] if isinstance(value, ir.Inst) else []


def _is(value: Any, operation: str, ir: Any) -> bool:
    return isinstance(value, ir.Expr) and value.op == operation


PATCH = Patch(
    module="pytensor.link.numba.dispatch.basic",
    replaces="numba.core.interpreter.peep_hole_list_to_tuple",
    why="a function that returns more than 30 arrays, as a training step of a deep network, takes twice as long to compile",
    upstream="not proposed: where the tuple of a CALL_FUNCTION_EX is built of known variables, the call can have them as its "
    "arguments, as peep_hole_call_function_ex_to_call_function_kw does where there are keywords. That sums are one tuple is in "
    "Numba 0.68.",
    delete_when="Numba gives calls of more than 30 arguments these arguments",
    apply=apply,
    expects=(
        Expected("numba.core.interpreter", "peep_hole_list_to_tuple", ("func_ir",)),
        Expected("numba.core.ir:Expr", "build_tuple", ("cls", "items", "loc")),
        Expected("numba.core.ir:Expr", "list_vars", ("self",)),
    ),
)
