"""The log-likelihoods of labels under a softmax and their gradient are computed together, in one pass over the scores.

Before, with z = AdvancedIncSubtensor(0, g, rows, labels)::

    AdvancedSubtensor(LogSoftmax(a), rows, labels)      z - Sum{axis=1}(z) * Softmax(a)

After::

    LogLikelihoods(a, rows, labels, g)

On the left is what PyTensor makes of ``log(softmax(a))[arange(n), y]`` and of its gradient, as all classifiers write it: a
dozen nodes, two of which compute the same exponentials. The shape of the zeros is taken for that of a, as it is in each
gradient.
"""

from __future__ import annotations

from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import node_rewriter
from pytensor.graph.traversal import ancestors
from pytensor.scalar.basic import Mul, Sub
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Sum
from pytensor.tensor.special import LogSoftmax, Softmax
from pytensor.tensor.subtensor import AdvancedIncSubtensor, AdvancedSubtensor, indices_from_subtensor

from symae.ops.arguments import FLOATS
from symae.ops.log_likelihoods import LogLikelihoods
from symae.rewrites.entries_of_softmax import is_zero
from symae.rewrites.registry import FUSED_KERNELS, register

Indices = tuple[Variable, Variable]


@register(position=48.2, need=FUSED_KERNELS)
@node_rewriter([AdvancedSubtensor, Elemwise])
def log_likelihoods(fgraph: FunctionGraph, node: Apply) -> dict[Variable, Variable] | None:
    """Replace log-likelihoods, unless all logarithms are wanted, or a gradient, and with it the log-likelihoods."""
    if node.outputs[0].type.dtype not in FLOATS:
        return None
    return _of_labels(fgraph, node) if isinstance(node.op, AdvancedSubtensor) else _gradient(fgraph, node)


def _of_labels(fgraph: FunctionGraph, node: Apply) -> dict[Variable, Variable] | None:
    logarithms, indices = node.inputs[0], _indices(node)
    if indices is None or not _of_rows(logarithms, LogSoftmax) or len(fgraph.clients[logarithms]) > 1:
        return None
    return {node.outputs[0]: LogLikelihoods()(*logarithms.owner.inputs, *indices)}


def _gradient(fgraph: FunctionGraph, node: Apply) -> dict[Variable, Variable] | None:
    if not isinstance(node.op.scalar_op, Sub):
        return None
    z, product = node.inputs
    if product.owner is None or not isinstance(product.owner.op, Elemwise) or not isinstance(product.owner.op.scalar_op, Mul):
        return None
    softmax = next((v for v in product.owner.inputs if _of_rows(v, Softmax)), None)
    others = [v for v in product.owner.inputs if v is not softmax]
    if softmax is None or len(others) != 1 or not _is_sum_of_rows(others[0], z):
        return None
    spread = _spread(z)
    if spread is None or z.type.dtype != softmax.type.dtype or not _may_be_as_large(z, softmax):
        return None
    g, indices = spread
    (a,) = softmax.owner.inputs
    likelihoods, gradient = LogLikelihoods()(a, *indices, g, return_list=True)
    wanted = _wanted(fgraph, a, indices)
    # of exp(cost), say, g follows from the log-likelihoods: they have an op of their own then, or the graph would be a circle
    if not set(wanted).isdisjoint(ancestors([g])):
        wanted = []
    return {node.outputs[0]: gradient} | dict.fromkeys(wanted, likelihoods)


def _of_rows(v: Variable, op: type[Softmax | LogSoftmax]) -> bool:
    """Return True if `v` is a softmax, or its logarithm, of a matrix's rows."""
    return v.owner is not None and isinstance(v.owner.op, op) and v.type.ndim == 2 and v.owner.op.axis in (1, -1, (1,), (-1,))


def _may_be_as_large(z: Variable, softmax: Variable) -> bool:
    return all(None in sizes or sizes[0] == sizes[1] for sizes in zip(z.type.shape, softmax.type.shape, strict=True))


def _is_sum_of_rows(column: Variable, z: Variable) -> bool:
    """Return True if `column` has the sum of each of z's rows."""
    if column.owner is None or not isinstance(column.owner.op, DimShuffle) or tuple(column.owner.op.new_order) != (0, "x"):
        return False
    (sums,) = column.owner.inputs
    return sums.owner is not None and isinstance(sums.owner.op, Sum) and sums.owner.op.axis == (1,) and sums.owner.inputs == [z]


def _indices(node: Apply) -> Indices | None:
    """Return rows and columns of an op that indexes a matrix, if they are two vectors of whole numbers."""
    given = node.inputs[1:] if isinstance(node.op, AdvancedSubtensor) else node.inputs[2:]
    indices = indices_from_subtensor(given, node.op.idx_list)
    vectors = [i for i in indices if isinstance(i, Variable) and i.type.ndim == 1 and i.type.dtype.startswith(("int", "uint"))]
    return (vectors[0], vectors[1]) if len(indices) == len(vectors) == 2 else None


def _spread(z: Variable) -> tuple[Variable, Indices] | None:
    """Return the vector g and the indices, if z is a matrix of zeros to which g is added there."""
    op = None if z.owner is None else z.owner.op
    if not isinstance(op, AdvancedIncSubtensor) or op.set_instead_of_inc or op.ignore_duplicates or z.type.ndim != 2:
        return None
    zeros, g = z.owner.inputs[:2]
    indices = _indices(z.owner)
    if indices is None or g.type.ndim > 1 or g.type.dtype != z.type.dtype or not is_zero(zeros):
        return None
    return (g if g.type.ndim else g.dimshuffle("x")), indices


def _wanted(fgraph: FunctionGraph, a: Variable, indices: Indices) -> list[Variable]:
    """Return the log-likelihoods of these labels that the graph has, which may have been replaced before their gradient."""
    clients = [node for node, _ in fgraph.clients[a]]
    logarithms = [
        node.outputs[0] for node in clients if isinstance(node.op, LogSoftmax) and _of_rows(node.outputs[0], LogSoftmax)
    ]
    clients += [node for v in logarithms for node, _ in fgraph.clients[v]]
    return [
        node.outputs[0]
        for node in clients
        if (isinstance(node.op, AdvancedSubtensor) and _indices(node) == indices)
        or (isinstance(node.op, LogLikelihoods) and node.inputs[1:] == list(indices))
    ]
