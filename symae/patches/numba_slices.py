"""Numba knows that the rows of a minibatch lie one after the other."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from pytensor.tensor.subtensor import Subtensor

from symae.patches.changes import Changes
from symae.patches.numba_indexing import basic_index
from symae.patches.patch import NUMBA_NJIT, NUMBA_SOURCE, Patch


def apply(dispatch: Any, changes: Changes) -> None:
    @changes.convert_numba(Subtensor)
    def subtensor(stock: Any, op: Subtensor, node: Any, **keywords: Any) -> tuple[Any, str | None]:
        slices = [entry for entry in op.idx_list if isinstance(entry, slice)]
        if not slices or any(entry.step is not None for entry in slices):
            return stock(op, node=node, **keywords)
        names = ["x", *(f"i{n}" for n in range(len(node.inputs) - 1))]
        source = f"def subtensor({', '.join(names)}):\n    return np.asarray(x[{basic_index(op, node, names)}])\n"
        function = dispatch.basic.compile_numba_function_src(source, "subtensor", {"np": np})
        return dispatch.basic.numba_njit(function, boundscheck=True), hashlib.sha256(source.encode()).hexdigest()


PATCH = Patch(
    module="pytensor.link.numba.dispatch",
    replaces="PyTensor's Numba conversion of Subtensor, for slices without a step",
    why="loops over a minibatch are not made vectors of: its strides are unknown",
    upstream="not proposed: numba_funcify_Subtensor writes slice(start, stop, None), and Numba takes every slice with a step, "
    "if only None, for one that changes strides; slice(start, stop) keeps the array's C order.",
    delete_when="PyTensor writes slices of two parts where there is no step",
    apply=apply,
    expects=(NUMBA_SOURCE, NUMBA_NJIT),
)
