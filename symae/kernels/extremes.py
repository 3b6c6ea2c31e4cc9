"""The largest or smallest of many numbers on Numba, NaN if one is, in lanes that do not wait for one another."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numba
from pytensor.link.numba.cache import compile_numba_function_src

from symae.kernels.tuning import EXTREME_LANES, NUMBERS_FOR_LANES

SHORT = NUMBERS_FOR_LANES


@cache
def extreme(less: str) -> Callable[..., Any]:
    """Compile ``extreme(x)`` of a vector that is not empty: its largest entry where `less` is ``<``, its smallest for ``>``."""

    def keep(known: str, entry: str) -> str:
        return f"{known} = {entry} if ({entry} != {entry}) | ({known} {less} {entry}) else {known}"

    lanes = range(EXTREME_LANES)
    lines = [
        "def extreme(x):",
        f"    whole = x.size // {EXTREME_LANES} * {EXTREME_LANES} if x.size >= {SHORT} else 0",
        *(f"    lane{k} = x[0]" for k in lanes),
        f"    for i in range(0, whole, {EXTREME_LANES}):",
        *(f"        entry{k} = x[i + {k}]" for k in lanes),
        *(f"        {keep(f'lane{k}', f'entry{k}')}" for k in lanes),
        *(f"    {keep('lane0', f'lane{k}')}" for k in lanes[1:]),
        "    for i in range(whole, x.size):",
        "        entry0 = x[i]",
        f"        {keep('lane0', 'entry0')}",
        "    return lane0",
    ]
    source = "\n".join(lines) + "\n"
    return numba.njit(compile_numba_function_src(source, "extreme", {"__name__": __name__}))
