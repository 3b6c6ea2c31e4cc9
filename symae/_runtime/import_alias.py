"""One package that is imported under another's name."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class AliasFinder(MetaPathFinder):
    """Answer imports of `alias` and its modules by those of `package`: the same modules, under two names.

    `before` is called before the alias itself is imported.
    """

    def __init__(self, alias: str, package: str, before: Callable[[], None] = lambda: None):
        self.alias, self.package, self._before = alias, package, before

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module of `alias`, None for any other.

        Raises
        ------
        ModuleNotFoundError
            `package` has no such module; where it says what to use instead, the message does.
        """
        if fullname.partition(".")[0] != self.alias:
            return None
        if fullname == self.alias:
            self._before()
        name = self.package + fullname.removeprefix(self.alias)
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            parent = sys.modules.get(name.rpartition(".")[0])
            try:
                getattr(parent, name.rpartition(".")[2])  # what is missing says what to use instead
            except AttributeError as missing:
                raise ModuleNotFoundError(f"No module named {fullname!r}: {missing}", name=fullname) from None
            raise ModuleNotFoundError(f"No module named {fullname!r} in {self.package}", name=fullname) from None
        return ModuleSpec(fullname, _AliasLoader(module), is_package=hasattr(module, "__path__"))

    def forget(self) -> None:
        """Forget the modules that have been imported as those of `alias`."""
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] == self.alias and getattr(module, "__name__", name) != name:
                del sys.modules[name]


class _AliasLoader(Loader):
    """Give a module another name."""

    def __init__(self, module: ModuleType):
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # the import machinery has put the other one there
