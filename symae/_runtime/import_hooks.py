"""What is done when a module is imported, by whoever imports it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Hook = Callable[[ModuleType], Any]


class _Finder(MetaPathFinder):
    """Find modules as all others do, and call what waits for them once they are executed."""

    def __init__(self) -> None:
        self.waiting: dict[str, list[Hook]] = {}

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in self.waiting:
            return None
        specs = (finder.find_spec(name, path, target) for finder in sys.meta_path if finder is not self)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is None or spec.loader is None:
            return spec
        execute: Callable[[ModuleType], None] = spec.loader.exec_module

        def execute_and_call(module: ModuleType) -> None:
            execute(module)
            hooks = self.waiting.get(name, [])
            while hooks:
                hooks[0](module)
                del hooks[0]  # one that raises is called again when the module is imported again
            self.waiting.pop(name, None)

        spec.loader.exec_module = execute_and_call  # type: ignore[method-assign]
        return spec


_finder = _Finder()


def after_import(name: str, hook: Hook) -> None:
    """Call `hook` with the module of that name: now if it has been imported, otherwise once it is.

    What a hook raises is raised by the import, which has failed then. That hook and those after it stay, and are called when
    the module is imported again.
    """
    if name in sys.modules:
        hook(sys.modules[name])
        return
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    _finder.waiting.setdefault(name, []).append(hook)
