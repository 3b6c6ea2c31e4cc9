"""One of several functions of an array on Numba, by how it lies in memory: those that are not chosen are not compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.extending import overload


def by_layout(x: Any, of_c: Any, of_f: Any, of_any: Any) -> Any:
    """Call the function for arrays in C order, for those in Fortran's, or for others; for machine code only."""
    raise NotImplementedError


@overload(by_layout, strict=False)
def _chosen(x: Any, of_c: Any, of_f: Any, of_any: Any) -> Callable[..., Any]:
    layout = getattr(x, "layout", None)
    if layout == "C":
        return lambda x, of_c, of_f, of_any: of_c(x)
    if layout == "F":
        return lambda x, of_c, of_f, of_any: of_f(x)
    return lambda x, of_c, of_f, of_any: of_any(x)
