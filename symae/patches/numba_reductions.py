"""Sums, products and the like of arrays in C order are compiled for that order alone.

PyTensor's function asks at each call whether the array is contiguous, and else sorts the strides and has a nest of loops for
each way in which they may lie. Of an array that is known to be contiguous Numba compiles all of that too, before LLVM leaves it
out.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from symae.patches.changes import Changes
from symae.patches.patch import NUMBA_NJIT, Expected, Patch


def apply(dispatch: Any, changes: Changes) -> None:
    from pytensor.link.numba.dispatch import elemwise

    from symae.kernels.by_layout import by_layout

    make, compiled = elemwise.create_multiaxis_reducer, dispatch.basic.numba_njit

    def create_multiaxis_reducer(*given: Any, **named: Any) -> Callable[..., Any]:
        general = make(*given, **named)
        layouts, short = _contiguous(general)
        if short is None:
            return general
        # each is compiled when it is called
        whole, part = compiled(general, boundscheck=False), compiled(short, boundscheck=False)

        reduce = by_layout(dict.fromkeys(layouts, part), whole)

        def reduction(x: Any) -> Any:
            return reduce(x)

        reduction.__name__ = general.__name__
        return reduction

    changes.replace(elemwise, "create_multiaxis_reducer", create_multiaxis_reducer)


def _contiguous(function: Callable[..., Any]) -> tuple[tuple[str, ...], Callable[..., Any] | None]:
    """Return the layouts for which `function` has a branch of its own, by its source, and what there is without the others."""
    (definition,) = ast.parse(function.__source__).body  # type: ignore[attr-defined]
    assert isinstance(definition, ast.FunctionDef)
    for place, statement in enumerate(definition.body):
        layouts = _LAYOUTS.get(ast.unparse(statement.test)) if isinstance(statement, ast.If) else None
        if layouts is not None and isinstance(statement, ast.If):
            definition.body[place:] = [*statement.body, *definition.body[place + 1 :]]
            made: dict[str, Any] = {}
            code = compile(ast.fix_missing_locations(ast.Module([definition], [])), "<string>", "exec")
            exec(code, function.__globals__, made)
            return layouts, made[definition.name]
    return (), None


_ELEMWISE = "pytensor.link.numba.dispatch.elemwise"
_LAYOUTS = {"x.flags.c_contiguous": ("C",), "x.flags.c_contiguous or x.flags.f_contiguous": ("C", "F")}

PATCH = Patch(
    module="pytensor.link.numba.dispatch",
    replaces=f"{_ELEMWISE}.create_multiaxis_reducer",
    why="each sum takes half a second to compile, for orders of the array that it does not have",
    upstream="not proposed: create_multiaxis_reducer could make two functions, and an overload choose by the type's layout.",
    delete_when="PyTensor compiles reductions of C-ordered arrays without the branches for other orders",
    apply=apply,
    expects=(
        NUMBA_NJIT,
        Expected(
            "pytensor.link.numba.dispatch.elemwise", "create_multiaxis_reducer", ("scalar_op", "axes", "ndim"), others=True
        ),
    ),
)
