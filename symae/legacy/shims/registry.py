"""Which name is answered by what."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

from symae.legacy.shims import (
    addresses,
    drawing,
    images,
    old_numpy,
    old_pillow,
    old_scipy,
    old_six,
    pickling,
    renamed,
    standard,
    tutorial,
)

if TYPE_CHECKING:
    from symae.legacy.session import Session

__all__ = ["Standins"]

Maker = Callable[["Session"], ModuleType]


class Standins:
    """Make the stand-ins of one run.

    Attributes
    ----------
    names : dict
        Names that every module of the script has besides the built-in ones: `DATA` and `html` of Sage.
    """

    def __init__(self, session: Session):
        self._session = session
        self._made: dict[str, ModuleType] = {}
        self.names = tutorial.sage_names(session)
        self._makers: dict[str, Maker] = {
            **pickling.MODULES,
            **addresses.MODULES,
            **old_six.MODULES,
            **standard.MODULES,
            **old_scipy.MODULES,
            **images.MODULES,
        }
        if importlib.util.find_spec("matplotlib") is None:
            self._makers |= drawing.MODULES
        self._tutorial: dict[str, Maker] = tutorial.MODULES

    def find(self, name: str, fromlist: Sequence[str]) -> ModuleType | None:
        """Return what ``import name`` gives: the module itself with a `fromlist`, else the one that its first part names."""
        module = self._module(name)
        if module is None:
            return None
        if fromlist:
            for part in fromlist:
                if not hasattr(module, part) and (child := self._module(f"{name}.{part}")) is not None:
                    setattr(module, part, child)
            return module
        top, _, rest = name.partition(".")
        first = module
        if rest:
            first = self._module(top) or importlib.import_module(top)
            parent, path = first, top
            for part in rest.split("."):
                path = f"{path}.{part}"
                child = self._module(path)
                if child is not None and getattr(parent, part, None) is not child:
                    setattr(parent, part, child)
                parent = getattr(parent, part)
        return first

    def _module(self, name: str) -> ModuleType | None:
        if name in self._made:
            return self._made[name]
        module = None
        if name in self._makers:
            module = self._makers[name](self._session)
        elif name in renamed.MODULES:
            module = importlib.import_module(renamed.MODULES[name])
        elif name in self._tutorial and importlib.util.find_spec(name) is None:
            module = self._tutorial[name](self._session)
        elif name.partition(".")[0] in ("matplotlib", "mpl_toolkits") and "matplotlib" in self._makers:
            module = drawing.anything(self._session, name)
        if module is not None:
            self._made[name] = module
        return module

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Restore names that libraries dropped as long as the block lasts."""
        with ExitStack() as stack:
            for part in (standard, old_numpy, old_scipy, images, old_pillow, drawing):
                stack.enter_context(part.restored(self._session))
            yield
