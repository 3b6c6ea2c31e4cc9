"""Functions with the rewrites of the Numba backend, run by NumPy: what they make of a graph is seen without machine code."""

from __future__ import annotations

from typing import Any

import pytest
from pytensor.compile.mode import NUMBA, Mode
from pytensor.link.numba.linker import NumbaLinker

from symae import function
from symae.compile.backends import BY_NAME


@pytest.fixture(scope="session")
def rewritten() -> Any:
    """Compile as for the Numba backend, but for the machine code; `exclude` names rewrites that are left out."""

    def compiled(inputs: Any, outputs: Any = None, exclude: tuple[str, ...] = (), **settings: Any) -> Any:
        rewrites = NUMBA.provided_optimizer.including(*BY_NAME["numba"].tags)
        mode = Mode("py", rewrites.excluding(*NumbaLinker.incompatible_rewrites, *exclude))
        return function(inputs, outputs, mode=mode, **settings)

    return compiled


@pytest.fixture(scope="session")
def ops_of() -> Any:
    """Return a compiled function's ops of a kind; of elementwise ones, with those that are fused, the functions of numbers."""

    def found(compiled: Any, kind: type) -> list[Any]:
        graphs, ops = [compiled.maker.fgraph], []
        while graphs:
            for node in graphs.pop().toposort():
                scalar = getattr(node.op, "scalar_op", None)
                ops += [node.op, scalar]
                graphs += [op.fgraph for op in (node.op, scalar) if getattr(op, "fgraph", None) is not None]
        return [op for op in ops if isinstance(op, kind)]

    return found
