"""``theano.scan_module.scan_op``: the Op of a loop, which has the attributes by which Theano's was read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytensor.graph.basic import Variable
from pytensor.graph.replace import clone_replace
from pytensor.scan.op import Scan

from symae.theano._impl.absent import getter
from symae.theano._impl.variables import behind, mark

__all__ = ["Scan"]

__getattr__ = getter(__name__, pytensor=["pytensor.scan.op"])


def _step(op: Any) -> tuple[list[Variable], list[Variable]]:
    """Return the inputs and outputs of the step, the same each time: copies with Theano's operators, of PyTensor's graph."""
    if "_for_scripts" not in vars(op):
        graph = op.fgraph.unfreeze() if hasattr(op.fgraph, "unfreeze") else op.fgraph
        inputs = [v.type() for v in graph.inputs]
        outputs = clone_replace(graph.outputs, dict(zip(graph.inputs, inputs, strict=True)))
        mark(behind([*inputs, *outputs]))
        op._for_scripts = inputs, outputs
    return op._for_scripts


_READ: dict[str, Callable[[Any], Any]] = {
    "inputs": lambda op: list(_step(op)[0]),
    "outputs": lambda op: list(_step(op)[1]),
    "var_mappings": lambda op: op.get_oinp_iinp_iout_oout_mappings(),
}
# PyTensor makes these Ops, also when it rewrites loops, so that a class of our own would be lost.
for _name, _read in _READ.items():
    setattr(Scan, _name, property(_read))
