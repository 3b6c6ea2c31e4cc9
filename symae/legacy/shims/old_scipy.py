"""scipy.misc, and names that moved within SciPy."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from symae.shims.restoring import module_of, names_restored
from symae.shims.scipy_names import FORMER, from_numpy, misc_names, moved, toimage

if TYPE_CHECKING:
    from symae.legacy.session import Session

__all__ = ["MODULES", "restored"]


def _misc(session: Session) -> ModuleType:
    own = {"imshow": lambda arr: session.record.figure(toimage(arr)), "__path__": []}
    module = module_of("scipy.misc", {**misc_names(), **own})
    module.pilutil = module  # type: ignore[attr-defined]
    return module


def _scipy(session: Session) -> ModuleType:
    """Make scipy with the names of NumPy that it had."""
    import scipy

    names = {name: value for name, value in from_numpy().items() if not hasattr(scipy, name)}
    module = module_of("scipy", {**names, "misc": _misc(session), "__path__": scipy.__path__})

    def other(name: str) -> Any:
        value = getattr(scipy, name)
        for old, found in moved(f"scipy.{name}").items():
            if not hasattr(value, old):
                setattr(value, old, found)
        return value

    module.__getattr__ = other  # type: ignore[method-assign]
    return module


MODULES: dict[str, Callable[[Session], ModuleType]] = {"scipy.misc": _misc, "scipy.misc.pilutil": _misc, "scipy": _scipy}


@contextmanager
def restored(session: Session) -> Iterator[None]:
    """Restore names of SciPy's modules that are loaded already."""
    with ExitStack() as stack:
        for module in FORMER:
            if module in sys.modules:
                stack.enter_context(names_restored(sys.modules[module], moved(module)))
        yield
