"""The labels of a log-likelihood have to be numbers of classes, one for each row, as in Theano's softmax cross-entropy.

Before::

    AdvancedSubtensor(Log(Softmax(x)), ARange(Shape_i(y)), y)

After::

    AdvancedSubtensor(Log(Softmax(x)), ARange(Shape_i(y)), CheckedLabels(y, n, k))

and so for the logarithm of a softmax's entries. Theano makes one op of these expressions, which refuses labels below 0 and
more or fewer labels than rows, all of which NumPy's indexing would take.
"""

from __future__ import annotations

from typing import Any

from pytensor.graph.basic import Apply, Variable
from pytensor.graph.rewriting.basic import node_rewriter
from pytensor.scalar.basic import Log
from pytensor.tensor.basic import ARange
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.special import LogSoftmax, Softmax
from pytensor.tensor.subtensor import AdvancedSubtensor, indices_from_subtensor

from symae.ops.labels import CheckedLabels, checked_labels
from symae.rewrites.registry import THEANO, register


# after entries_of_softmax, which compares the indices of a value with those of its gradient
@register(position=0.95, need=THEANO)
@node_rewriter([AdvancedSubtensor])
def softmax_labels(fgraph: Any, node: Apply) -> list[Variable] | None:
    """Check the labels of ``log(softmax(x))[arange(n), y]`` and ``log(softmax(x)[arange(n), y])``."""
    scores = node.inputs[0]
    indices = indices_from_subtensor(node.inputs[1:], node.op.idx_list)
    if len(indices) != 2 or any(isinstance(index, slice) for index in indices) or scores.type.ndim != 2:
        return None
    rows, labels = indices
    if rows.owner is None or not isinstance(rows.owner.op, ARange) or labels.type.ndim != 1:
        return None
    if not str(labels.type.dtype).startswith(("int", "uint")) or _is(labels, CheckedLabels):
        return None
    of_logarithms = _is(scores, LogSoftmax) or (_is_log(scores.owner) and _is(scores.owner.inputs[0], Softmax))
    logarithm_of = _is(scores, Softmax) and any(_is_log(client) for client, _ in fgraph.clients[node.outputs[0]])
    if not of_logarithms and not logarithm_of:
        return None
    return [node.op(scores, rows, checked_labels(labels, scores))]


def _is(x: Variable, op: type) -> bool:
    return x.owner is not None and isinstance(x.owner.op, op)


def _is_log(node: Any) -> bool:
    return node is not None and isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, Log)
