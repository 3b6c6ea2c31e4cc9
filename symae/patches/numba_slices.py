"""Numba knows that the rows of a minibatch lie one after the other."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from pytensor.tensor.subtensor import Subtensor
from pytensor.tensor.type import TensorType

from symae.patches.changes import Changes
from symae.patches.patch import NUMBA, Expected, Patch


def apply(dispatch: Any, changes: Changes) -> None:
    @changes.convert_numba(Subtensor)
    def subtensor(stock: Any, op: Subtensor, node: Any, **keywords: Any) -> tuple[Any, str | None]:
        slices = [entry for entry in op.idx_list if isinstance(entry, slice)]
        if not slices or any(entry.step is not None for entry in slices):
            made: tuple[Any, str | None] = stock(op, node=node, **keywords)
            return made
        names = [f"i{n}" for n in range(len(node.inputs) - 1)]
        given = iter(zip(names, node.inputs[1:], strict=True))

        def number(entry: Any) -> str:
            if entry is None:
                return ""
            name, variable = next(given)
            return f"{name}.item()" if isinstance(variable.type, TensorType) else name

        index = [f"{number(e.start)}:{number(e.stop)}" if isinstance(e, slice) else number(e) for e in op.idx_list]
        source = f"def subtensor({', '.join(['x', *names])}):\n    return np.asarray(x[{', '.join(index)}])\n"
        function = dispatch.basic.compile_numba_function_src(source, "subtensor", {"np": np})
        return dispatch.basic.numba_njit(function, boundscheck=True), hashlib.sha256(source.encode()).hexdigest()


PATCH = Patch(
    name="numba_slices",
    module="pytensor.link.numba.dispatch",
    replaces="PyTensor's Numba conversion of Subtensor, for slices without a step",
    why="loops over a minibatch are not made vectors of: its strides are unknown",
    upstream="not proposed: numba_funcify_Subtensor writes slice(start, stop, None), and Numba takes every slice with a step, "
    "if only None, for one that changes strides; slice(start, stop) keeps the array's C order.",
    tested=NUMBA,
    delete_when="PyTensor writes slices of two parts where there is no step",
    apply=apply,
    expects=(
        Expected("pytensor.link.numba.dispatch.basic", "compile_numba_function_src"),
        Expected("pytensor.link.numba.dispatch.basic", "numba_njit"),
    ),
)
