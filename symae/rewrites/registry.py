"""The table of symae's rewrites: each enters itself, by name, with its position and what a backend must be like to have it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pytensor.compile.mode import optdb
from pytensor.graph.rewriting.basic import NodeRewriter, dfs_rewriter

_Rewriter = TypeVar("_Rewriter")

# What a rewrite needs: one of these, which are also what a backend says of itself.
ALL = "all"
NATIVE = "native"  # symae's machine code, on arrays of NumPy, in whose memory results may take the place of operands
FUSED_KERNELS = "fused_kernels"  # kernels for those ops of symae that do the work of several of PyTensor's in one pass
FUNCTIONS_OF_NUMBERS = "functions_of_numbers"  # those of symae that are several of PyTensor's, with fewer exponentials
STATIC_SHAPES = "static_shapes"  # sizes are constants of the program
EAGER_BRANCHES = "eager_branches"  # computes both branches of a choice, but for `LazyIfElse`, of which it has a kernel
C_OPERANDS = "c_operands"  # computes in the type that C has for the operands, even where that of the result is wider
THEANO = "theano"  # none of a backend: `symae.theano` asks for these, on every one

_ENTRIES: dict[str, tuple[float, str]] = {}


def tag(need: str) -> str:
    """Return the rewrite database's tag of the rewrites that need `need`."""
    return f"symae_{need}"


def names() -> list[str]:
    """Return the names of all rewrites of symae, in the order they are applied."""
    return sorted(_ENTRIES, key=lambda name: _ENTRIES[name][0])


def need(name: str) -> str:
    """Return what the rewrite `name` needs of a backend."""
    return _ENTRIES[name][1]


def register(*, position: float, need: str = ALL, name: str | None = None) -> Callable[[_Rewriter], _Rewriter]:
    """Return a decorator that enters a rewriter of nodes or graphs, by `name` or its own.

    `position` is in PyTensor's order: canonicalize is 1, specialize 2, fusion 49, inplace 50.5. What puts symae's ops in place
    of PyTensor's comes between 48 and fusion: after all that looks for those, and before they are hidden in Composites.
    """

    def enter(rewriter: Any) -> Any:
        known = name or rewriter.__name__
        optdb.register(
            known, dfs_rewriter(rewriter) if isinstance(rewriter, NodeRewriter) else rewriter, tag(need), position=position
        )
        _ENTRIES[known] = (position, need)
        return rewriter

    return enter
