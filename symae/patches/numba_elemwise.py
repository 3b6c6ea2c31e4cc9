"""What an elementwise loop does with each number is inlined into it, so that LLVM makes vectors of it."""

from __future__ import annotations

from typing import Any

from pytensor.scalar.basic import Composite
from pytensor.tensor.elemwise import Elemwise

from symae.patches.changes import Changes
from symae.patches.patch import Expected, Patch


def apply(_: Any, changes: Changes) -> None:
    from pytensor.link.numba.dispatch import elemwise

    @changes.convert_numba(Composite)
    def composite(stock: Any, op: Composite, **keywords: Any) -> tuple[Any, str | None]:
        function, key = stock(op, **keywords)
        return _inline(function), key

    stock_body = getattr(elemwise, "store_core_outputs", None)  # none in PyTensor 3.3
    if stock_body is None:
        return
    changes.replace(elemwise, "store_core_outputs", lambda *given, **named: _inline(stock_body(*given, **named)))
    for kind in loops(elemwise):

        @changes.convert_numba(kind)
        def loop(stock: Any, op: Any, **keywords: Any) -> tuple[Any, str | None]:
            return stock(op, **keywords)


def _inline(function: Any) -> Any:
    """Let Numba inline `function`, however long it is."""
    function.targetoptions["forceinline"] = True
    return function


def loops(elemwise: Any) -> list[type]:
    """Return the kinds of ops whose loops PyTensor's module `elemwise` makes."""
    named = (getattr(elemwise, name, None) for name in ("IndexedElemwise", "FusedElemwise"))  # before 3.2, and from then on
    return [Elemwise, *(kind for kind in named if kind is not None)]


PATCH = Patch(
    module="pytensor.link.numba.dispatch",
    replaces="PyTensor's Numba conversion of Composite, and elemwise.store_core_outputs where there is one",
    why="long elementwise expressions are computed number by number, up to ten times slower",
    upstream="not proposed: pass forceinline=True to numba_njit for the core function of Elemwise and for Composite; without "
    "it LLVM's inliner gives up on long bodies and the loop is not vectorised.",
    delete_when="PyTensor compiles core functions with forceinline",
    apply=apply,
    expects=(
        Expected("pytensor.link.numba.dispatch.basic", "numba_funcify_and_cache_key"),
        Expected("pytensor.link.numba.dispatch.elemwise", "Elemwise"),
    ),
)
