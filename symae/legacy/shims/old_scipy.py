"""scipy.misc, which shows pictures in the run's report."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING

from symae.shims.former import FormerModule, FormerModules
from symae.shims.restoring import module_of
from symae.shims.scipy_names import from_numpy, misc_names, toimage

if TYPE_CHECKING:
    from symae.legacy.session import Session

__all__ = ["MODULES"]


def _misc(session: Session) -> ModuleType:
    if session.misc is None:
        own = {"imshow": lambda arr: session.record.figure(toimage(arr)), "__path__": []}
        session.misc = module_of("scipy.misc", {**misc_names(), **own})
        session.misc.pilutil = session.misc  # type: ignore[attr-defined]
    return session.misc


def _scipy(session: Session) -> ModuleType:
    """Make scipy with the names that it had, NumPy's among them; its modules have theirs."""
    import scipy

    return FormerModule(scipy, {**from_numpy(), "misc": _misc(session)}, FormerModules())


MODULES: dict[str, Callable[[Session], ModuleType]] = {"scipy.misc": _misc, "scipy.misc.pilutil": _misc, "scipy": _scipy}
