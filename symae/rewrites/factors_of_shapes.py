"""Factors that follow from shapes are known before what is summed, so that they join the large pass that they belong to.

Before::

    pass = Composite{cross-entropy, sigmoid - x}(x, z)          two arrays
    mean, share = Composite{-i0 / cast(i1), 1 / cast(i1)}(Sum(pass.0), n)
    gradient = Mul(pass.1, share)                               one more pass

After::

    share, count = Composite{1 / cast(i0), cast(i0)}(n)
    pass = Composite{cross-entropy, (sigmoid - x) * share}(x, z, share)
    mean = Composite{-i0 / i1}(Sum(pass.0), count)

PyTensor's fusion joins what two numbers have in common. If one needs a sum, and the other is a factor of the arrays from which
that sum is made, these then need each other, and the factor gets a pass of its own. Here the common part is taken by its value.
"""

from __future__ import annotations

from typing import Any

from pytensor.graph.basic import Constant, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import GraphRewriter
from pytensor.tensor.basic import ScalarFromTensor, TensorFromScalar, scalar_from_tensor, tensor_from_scalar
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.shape import Shape_i

from symae.rewrites.registry import FUSED_KERNELS, register

_OF_NUMBERS = (Elemwise, ScalarFromTensor, TensorFromScalar)


class FactorsOfShapes(GraphRewriter):
    """Part numbers that follow from shapes and from inputs from those that follow from arrays."""

    def apply(self, fgraph: FunctionGraph) -> Any:
        early: set[Variable] = {v for v in fgraph.inputs if _is_number(v)}
        nodes = fgraph.toposort()
        for node in nodes:
            known = all(v in early or isinstance(v, Constant) for v in node.inputs)
            if isinstance(node.op, Shape_i) or (known and isinstance(node.op, _OF_NUMBERS)):
                early.update(v for v in node.outputs if _is_number(v))
        if not any(isinstance(node.op, DimShuffle) and _by_elemwise(node.inputs[0], early) for node in nodes):
            return
        parted: dict[Variable, Variable] = {}
        for node in nodes:
            if isinstance(node.op, Elemwise) and _is_number(node.outputs[0]) and node.outputs[0] not in early:
                for position, v in enumerate(node.inputs):
                    if _by_elemwise(v, early):
                        if v not in parted:
                            parted[v] = tensor_from_scalar(scalar_from_tensor(v))
                        fgraph.change_node_input(node, position, parted[v], reason="factors_of_shapes")


def _is_number(v: Variable) -> bool:
    return getattr(v.type, "ndim", 0) == 0


def _by_elemwise(v: Variable, early: set[Variable]) -> bool:
    return v in early and v.owner is not None and isinstance(v.owner.op, Elemwise)


register(position=48.9, need=FUSED_KERNELS, name="factors_of_shapes")(FactorsOfShapes())
