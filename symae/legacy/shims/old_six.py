"""six, which sources for both Pythons use."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING

from symae.legacy.shims import addresses, pickling
from symae.shims.six_module import MOVED, six, six_moves

if TYPE_CHECKING:
    from symae.legacy.session import Session

__all__ = ["MODULES"]


def _moves(session: Session) -> ModuleType:
    return six_moves(pickling.restricted(session), addresses.MODULES["urllib"](session))


def _moved(name: str) -> Callable[[Session], ModuleType]:
    return lambda session: importlib.import_module(name)


MODULES: dict[str, Callable[[Session], ModuleType]] = {
    **{f"six.moves.{name}": _moved(module) for name, module in MOVED.items()},
    "six": lambda session: six(_moves(session)),
    "six.moves": _moves,
    "six.moves.cPickle": lambda session: pickling.restricted(session),
    "six.moves.urllib": addresses.MODULES["urllib"],
    "six.moves.urllib.request": addresses.MODULES["urllib.request"],
    "six.moves.urllib.parse": addresses.MODULES["urlparse"],
}
