"""Labels of a softmax's cross-entropy, looked at before they are used: Theano refuses what NumPy would count from the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Variable

from symae.errors import LabelCountError, LabelError
from symae.ops.indexing import bounds
from symae.ops.traced import Arrays, TracedOp


class CheckedLabels(TracedOp):
    """Compute (labels (n,), rows, classes) -> the labels: for each row one in [0, classes), anything else is an error."""

    __props__ = ()
    view_map: ClassVar = {0: [0]}
    connected = 0

    def make_node(self, labels: Any, rows: Any, classes: Any) -> Apply:
        labels = pt.as_tensor(labels)
        sizes = [pt.cast(pt.as_tensor(size), "int64") for size in (rows, classes)]
        return Apply(self, [labels, *sizes], [labels.type()])

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [shapes[0]]

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        return [DisconnectedType()() for _ in inputs]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        labels, rows, classes = inputs
        if len(labels) != rows:
            raise LabelCountError(int(rows), len(labels))
        outside = labels[(labels < 0) | (labels >= classes)]
        if outside.size:
            raise LabelError(int(outside[0]), int(classes))
        output_storage[0][0] = labels

    def numba(self, node: Apply) -> Callable[..., Any]:
        from symae.kernels.index_checks import checked_labels

        return checked_labels

    def traced(self, xp: Arrays, node: Apply, *inputs: Any) -> Any:
        labels, rows, classes = inputs[0], int(inputs[1]), int(inputs[2])
        if labels.shape[0] != rows:
            raise LabelCountError(rows, labels.shape[0])
        if rows:
            least, most = labels.min(), labels.max()
            _, largest = bounds(node.inputs[0].type.dtype, classes)
            inside = (least >= 0) if largest is None else (least >= 0) & (most <= largest)

            def error(least: np.ndarray, most: np.ndarray) -> LabelError:
                return LabelError(int(least if least < 0 else most), classes)

            xp.check(inside, error, least, most)
        return labels


def checked_labels(labels: Variable, scores: Variable) -> Variable:
    """Return `labels` (n,), which have to be numbers of the columns of `scores` (n, k)."""
    return CheckedLabels()(labels, scores.shape[0], scores.shape[1])
