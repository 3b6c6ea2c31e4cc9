"""Operations made of graphs can be pickled after they have been differentiated."""

from __future__ import annotations

from typing import Any

from symae.patches.changes import Changes
from symae.patches.patch import Expected, Patch


def apply(builders: Any, changes: Changes) -> None:
    def __getstate__(self: Any) -> dict[str, Any]:
        # functions within a function, which pickle refuses; they are made again when they are asked for
        return vars(self) | {"_lop_op_cache": {}, "_rop_op_cache": None}

    changes.replace(builders.OpFromGraph, "__getstate__", __getstate__)


_OWNER = "pytensor.compile.builders:OpFromGraph"

PATCH = Patch(
    module="pytensor.compile.builders",
    replaces="what is pickled and copied of pytensor.compile.builders.OpFromGraph",
    why="a graph in which such an operation is, once its gradient has been taken, cannot be pickled",
    upstream="not proposed: OpFromGraph.__getstate__ could leave out _lop_op_cache and _rop_op_cache, as its rebuild does.",
    delete_when="tests/patches/test_graph_making.py passes with SYMAE_PATCHES=-pickled_derivatives",
    apply=apply,
    expects=(Expected(_OWNER, "_build_and_cache_lop_op"), Expected(_OWNER, "_build_and_cache_rop_op")),
)
