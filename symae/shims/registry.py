"""Modules that answer imports of a name, made when they are first asked for."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from types import ModuleType


class Registry:
    """Keep the modules that `make` makes."""

    def __init__(self) -> None:
        self._made: dict[str, ModuleType] = {}

    def make(self, name: str) -> ModuleType | None:
        """Make the module of that name; None for a name that is not to be answered."""
        raise NotImplementedError

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

    def gone_from(self, module: ModuleType, fromlist: Sequence[str]) -> dict[str, ModuleType]:
        """Return by name what ``from module import …`` asks for, a module of today lacks, and a module made here stands for."""
        found = {part: self._module(f"{module.__name__}.{part}") for part in fromlist if not hasattr(module, part)}
        return {part: child for part, child in found.items() if child is not None}

    def _module(self, name: str) -> ModuleType | None:
        if name not in self._made and (module := self.make(name)) is not None:
            self._made[name] = module
        return self._made.get(name)
