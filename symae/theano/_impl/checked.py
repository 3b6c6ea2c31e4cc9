"""An Op that checks conditions when the graph runs, and does so too where only a gradient is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytensor.graph.basic import Variable
from pytensor.raise_op import CheckAndRaise

__all__ = ["CheckedBothWays"]


class CheckedBothWays(CheckAndRaise):
    """Return the first input and its gradient; both raise an error if one of the other inputs is false.

    PyTensor's own hands gradients on unchecked, so that a function of nothing else would compute numbers of what is an error.
    """

    def pullback(
        self, input: Sequence[Variable], outputs: Sequence[Variable], output_gradients: Sequence[Variable]
    ) -> list[Any]:
        _, *disconnected = super().pullback(input, outputs, output_gradients)
        return [self(output_gradients[0], *input[1:]), *disconnected]
