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
    standard,
    tutorial,
)
from symae.shims import gone_modules, h5py_names, renamed
from symae.shims.former import FormerModules
from symae.shims.registry import Registry
from symae.shims.restoring import module_of

if TYPE_CHECKING:
    from symae.legacy.session import Session

__all__ = ["Standins"]

Maker = Callable[["Session"], ModuleType]


class Standins(Registry):
    """Make the stand-ins of one run.

    Attributes
    ----------
    names : dict
        Names that every module of the script has besides the built-in ones: `DATA` and `html` of Sage.
    """

    def __init__(self, session: Session):
        super().__init__()
        self._session = session
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
        self._former = FormerModules()

    def make(self, name: str) -> ModuleType | None:
        if name in self._makers:
            return self._makers[name](self._session)
        if name in renamed.MODULES:
            return importlib.import_module(renamed.MODULES[name])
        if name in self._tutorial and importlib.util.find_spec(name) is None:
            return self._tutorial[name](self._session)
        if name == "sklearn.cross_validation" or (name in gone_modules.MODULES and importlib.util.find_spec(name) is None):
            return gone_modules.MODULES[name]()
        if name.partition(".")[0] in ("matplotlib", "mpl_toolkits") and "matplotlib" in self._makers:
            return drawing.anything(self._session, name)
        return None

    def as_it_was(self, module: ModuleType, fromlist: Sequence[str]) -> ModuleType:
        """Return a library's module as the script knew it: other libraries do not see the names that it has lost."""
        if module.__name__ == "h5py":
            return module_of("h5py", {**vars(module), **h5py_names.replaced_names(ascii_is_bytes=False)})
        gone = self.gone_from(module, fromlist)
        is_former = module.__name__.startswith(("scipy", "numpy.testing", "pkg_resources"))
        return self._former.as_it_was(module, gone) if is_former or gone else module

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Restore names that libraries dropped as long as the block lasts."""
        with ExitStack() as stack:
            for part in (standard, old_numpy, images, old_pillow, drawing):
                stack.enter_context(part.restored(self._session))
            yield
