"""Types for annotations of what users call, which `typing.get_type_hints` can look up.

PyTensor's own `TensorLike` names NumPy's ``ArrayLike`` in a string that only type checkers resolve.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike
from pytensor.graph.basic import Variable

__all__ = ["TensorLike"]

if TYPE_CHECKING:
    from pytensor.tensor import TensorLike
else:
    # a variable, several of them, or what NumPy makes an array of
    TensorLike = Variable | Sequence[Variable] | ArrayLike
