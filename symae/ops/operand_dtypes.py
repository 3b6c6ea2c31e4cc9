"""Which operands of a function of numbers have to be converted to the dtype of its result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pytensor.scalar.basic import Cast, Composite, Switch


def widened(op: Any, given: Sequence[str], made: Sequence[str]) -> list[str | None]:
    """Return for each operand of a function of numbers the dtype to convert it to first; None if it is right as it is.

    JAX and PyTorch compute the cosine of an int32, int32 / int32 and float32 * int64 in float32, which are float64 in a graph:
    eight of its digits would be right, and a number beyond 1e38 infinite. What an array's numbers are added up or multiplied
    by, a function with one operand here, is computed in the array's dtype there, too.
    """
    result = made[0] if len(set(made)) == 1 else ""
    if not result.startswith("float") or isinstance(op, Cast | Composite):
        return [None] * len(given)
    narrower = [d != "bool" and d != result and np.result_type(d, result) == result for d in given]
    first = isinstance(op, Switch)  # its condition is not an operand
    return [result if narrow and not (first and i == 0) else None for i, narrow in enumerate(narrower)]
