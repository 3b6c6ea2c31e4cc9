"""The gradient of log(softmax(x)[i, y]), of the logarithm of chosen entries, without a division by what may be 0.

Before::

    Mul(AdvancedIncSubtensor(0, g / AdvancedSubtensor(p, i, y), i, y), p)

After::

    AdvancedIncSubtensor(0, g, i, y)

with p the softmax. An entry of it may be too small for its dtype, and 1 / 0 * 0 is NaN. PyTensor makes the value of that
logarithm from x, as it does with both where the logarithm is taken before the entries are chosen.
"""

from __future__ import annotations

import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import node_rewriter
from pytensor.tensor.basic import get_underlying_scalar_constant_value
from pytensor.tensor.exceptions import NotScalarConstantError
from pytensor.tensor.math import mul, true_div
from pytensor.tensor.special import Softmax
from pytensor.tensor.subtensor import AdvancedIncSubtensor, AdvancedSubtensor

from symae.rewrites.registry import register


# before canonicalize, which writes the quotient in another way
@register(position=0.9)
@node_rewriter([mul])
def entries_of_softmax(fgraph: FunctionGraph, node: Apply) -> list[Variable] | None:
    """Cancel a softmax with its own entries in a denominator."""
    for k, p in enumerate(node.inputs):
        if p.owner is None or not isinstance(p.owner.op, Softmax):
            continue
        others = [*node.inputs[:k], *node.inputs[k + 1 :]]
        for i, other in enumerate(others):
            product = _times(other, p)
            if product is not None:
                rest = [*others[:i], *others[i + 1 :], product]
                result = pt.mul(*rest) if len(rest) > 1 else product
                return [result] if result.type.dtype == node.outputs[0].type.dtype else None
    return None


def _times(spread: Variable, p: Variable) -> Variable | None:
    """Return `spread` * `p`, where it can be had by leaving out a division by entries of `p`."""
    if spread.owner is None or not isinstance(spread.owner.op, AdvancedIncSubtensor) or not is_zero(spread.owner.inputs[0]):
        return None
    zeros, quotient, *indices = spread.owner.inputs
    if quotient.owner is None or quotient.owner.op != true_div:
        return None
    numerator, entries = quotient.owner.inputs
    if entries.owner is None or not isinstance(entries.owner.op, AdvancedSubtensor) or entries.owner.inputs != [p, *indices]:
        return None
    return spread.owner.op(zeros, numerator, *indices)


def is_zero(x: Variable) -> bool:
    """Return True if all of x is known to be 0."""
    try:
        return bool(get_underlying_scalar_constant_value(x) == 0)
    except NotScalarConstantError:
        return False
