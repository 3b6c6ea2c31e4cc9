"""Functions with the rewrites of the Numba backend, run by NumPy: what they make of a graph is seen without machine code."""

from __future__ import annotations

from typing import Any

import pytest
from pytensor.compile.mode import NUMBA, Mode
from pytensor.link.numba.linker import NumbaLinker

from symae import function
from symae.rewrites import tag


@pytest.fixture(scope="session")
def rewritten() -> Any:
    """`function`, for the Numba backend but for the machine code; `exclude` names rewrites that are left out."""

    def compiled(inputs: Any, outputs: Any = None, exclude: tuple[str, ...] = (), **settings: Any) -> Any:
        rewrites = NUMBA.provided_optimizer.including(tag("numba"))
        mode = Mode("py", rewrites.excluding(*NumbaLinker.incompatible_rewrites, *exclude))
        return function(inputs, outputs, mode=mode, **settings)

    return compiled


@pytest.fixture(scope="session")
def ops_of() -> Any:
    """The ops of a compiled function of a kind; of elementwise ones, with those that are fused, the functions of numbers."""

    def found(compiled: Any, kind: type) -> list[Any]:
        ops = []
        for node in compiled.maker.fgraph.toposort():
            scalar = getattr(node.op, "scalar_op", None)
            inner = getattr(scalar, "fgraph", None)
            ops += [node.op, scalar, *(n.op for n in inner.toposort())] if inner is not None else [node.op, scalar]
        return [op for op in ops if isinstance(op, kind)]

    return found
