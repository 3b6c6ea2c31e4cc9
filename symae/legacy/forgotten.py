"""What a pickled graph keeps of how it was compiled: read, and forgotten, because it is compiled again.

PyTensor's loops hold the mode that they were made in, with its linker, and once they have run the compiled function of their
step.
"""

from __future__ import annotations

import functools
from typing import Any

from pytensor.compile.mode import Mode, get_default_mode

__all__ = ["forgotten", "without_its_function"]

COMPILED = ("pytensor.compile.executor", "pytensor.compile.maker", "pytensor.compile.aliasing", "symae.compile.locked_function")


class Forgotten:
    """Stand for a linker or a compiled function; take whatever it is made with, and keep nothing."""

    __slots__ = ()

    def __new__(cls, *_: Any, **__: Any) -> Forgotten:
        return super().__new__(cls)

    def __setstate__(self, state: Any) -> None:
        pass


def forgotten(module: str, name: str) -> Any:
    """Return what a pickle gets for a name of which nothing is needed, or None for other names."""
    if module in COMPILED or (module.startswith(("pytensor.link.", "symae.")) and name.endswith("Linker")):
        return Forgotten
    if (module, name) == ("pytensor.compile.mode", "Mode"):
        return _mode()
    return None


@functools.cache
def _mode() -> type:
    def set_state(mode: Any, state: tuple[Any, Any]) -> None:
        mode.__class__ = Mode
        linker, optimizer = state
        mode.__setstate__((get_default_mode().linker if isinstance(linker, Forgotten) else linker, optimizer))

    return type("LoadingMode", (Mode,), {"__setstate__": set_state})


@functools.cache
def without_its_function(cls: Any) -> type:
    """Return `cls`, of operations with a graph of their own, as one that leaves the compiled function and the mode behind."""

    def set_state(op: Any, state: dict[str, Any]) -> None:
        op.__class__ = cls
        kept = {name: value for name, value in state.items() if not isinstance(value, Forgotten)}
        if "mode" in kept:
            kept["mode"] = None  # that of the function around it
        if hasattr(cls, "__setstate__"):
            op.__setstate__(kept)
        else:
            vars(op).update(kept)

    return type(f"Loading{cls.__name__}", (cls,), {"__setstate__": set_state})
