"""One of several functions of an array on Numba, by how it lies in memory: those that are not chosen are not compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from numba.extending import overload


def by_layout(known: Mapping[str, Any], other: Any) -> Callable[[Any], Any]:
    """Return a function for machine code alone: ``known["C"]`` of arrays in C order, and so on, `other` of the rest.

    Numba knows it for the rest of the process.
    """

    def call(x: Any) -> Any:
        raise NotImplementedError

    @overload(call, strict=False)
    def _(x: Any) -> Callable[[Any], Any]:
        function = known.get(getattr(x, "layout", ""), other)
        return lambda x: function(x)

    return call
