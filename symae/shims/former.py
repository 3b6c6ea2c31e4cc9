"""Modules as libraries of 2010 to 2018 knew them: today's, with the names that they have lost since."""

from __future__ import annotations

import importlib
import pickle
import types
import urllib
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from symae.shims import gone_modules, h5py_names, numpy_names, renamed, scipy_names, six_module, standard_names
from symae.shims.registry import Registry
from symae.shims.restoring import module_of

NONE: Mapping[str, Any] = types.MappingProxyType({})


class FormerModule(ModuleType):
    """Represent `module` with more `names`, and others in place of its own; all else that is set here is set in the module."""

    def __init__(self, module: ModuleType, names: Mapping[str, Any], modules: FormerModules, others: Mapping[str, Any] = NONE):
        super().__init__(module.__name__, module.__doc__)
        lost = {name: value for name, value in names.items() if name not in vars(module)}
        own = {**lost, **others}
        vars(self).update(own, __spec__=module.__spec__, _module=module, _modules=modules, _own=frozenset(own))

    def __getattr__(self, name: str) -> Any:
        value = getattr(vars(self)["_module"], name)
        return vars(self)["_modules"].as_it_was(value) if isinstance(value, ModuleType) else value

    def __setattr__(self, name: str, value: Any) -> None:
        if name in vars(self)["_own"]:
            vars(self)[name] = value
        else:
            setattr(vars(self)["_module"], name, value)

    def __delattr__(self, name: str) -> None:
        if name in vars(self)["_own"]:
            super().__delattr__(name)
        else:
            delattr(vars(self)["_module"], name)

    def __dir__(self) -> list[str]:
        return sorted({*dir(vars(self)["_module"]), *vars(self)})


class FormerModules(Registry):
    """Answer what old libraries import: modules as they were, and modules that are gone."""

    def __init__(self) -> None:
        super().__init__()
        self._lost = _lost_names()
        self._former: dict[str, FormerModule] = {}

    def as_it_was(self, module: ModuleType, gone: Mapping[str, ModuleType] = NONE) -> ModuleType:
        """Return `module` with the names that it has lost and the modules in it that are `gone`, itself if there are none."""
        if gone:
            return FormerModule(self.as_it_was(module), gone, self)
        name = module.__name__
        if isinstance(module, FormerModule) or (name not in self._lost and name not in _REPLACED):
            return module
        if name not in self._former:
            lost, replaced = self._lost.get(name, dict), _REPLACED.get(name, dict)
            self._former[name] = FormerModule(module, lost(), self, replaced())
        return self._former[name]

    def make(self, name: str) -> ModuleType | None:
        """Make what stands for a module that is gone, or not installed."""
        if name in _GONE:
            return _GONE[name]()
        if name in renamed.MODULES:
            return importlib.import_module(renamed.MODULES[name])
        return None


def _lost_names() -> dict[str, Callable[[], Mapping[str, Any]]]:
    """Return by module what finds out which names it has lost."""
    tables: dict[str, Callable[[], Mapping[str, Any]]] = {
        "numpy": numpy_names.former_names,
        "numpy.random": numpy_names.random_names,
        "numpy.testing": gone_modules.testing_names,
        "scipy": lambda: {**scipy_names.from_numpy(), "misc": _misc()},
    }
    for module in scipy_names.FORMER:
        tables[module] = lambda module=module: scipy_names.moved(module)  # type: ignore[misc]
    tables["scipy.misc"] = scipy_names.misc_names
    for standard, names in standard_names.former_names().items():
        tables[standard.__name__] = lambda names=names: names  # type: ignore[misc]
    return tables


def _misc() -> ModuleType:
    module = module_of("scipy.misc", {**scipy_names.misc_names(), "__path__": []})
    module.pilutil = module  # type: ignore[attr-defined]
    return module


def _six() -> ModuleType:
    return six_module.six(_moves())


def _moves() -> ModuleType:
    return six_module.six_moves(pickle, urllib)


def _imp() -> ModuleType:
    return module_of("imp", {"reload": importlib.reload, "new_module": types.ModuleType})


def _yaml() -> dict[str, Any]:
    """Return `load` of PyYAML until its version 6, which does without a `Loader`."""
    yaml = importlib.import_module("yaml")

    return {"load": lambda stream, Loader=yaml.FullLoader: yaml.load(stream, Loader)}


# By module: names that it has and that meant something else.
_REPLACED: dict[str, Callable[[], Mapping[str, Any]]] = {
    "h5py": h5py_names.replaced_names,
    "pkg_resources": gone_modules.replaced_names,
    "yaml": _yaml,
}


def _same(name: str) -> Callable[[], ModuleType]:
    return lambda: importlib.import_module(name)


_GONE: dict[str, Callable[[], ModuleType]] = {
    "six": _six,
    "six.moves": _moves,
    **{f"six.moves.{name}": _same(module) for name, module in six_module.MOVED.items()},
    **{f"six.moves.urllib{part}": _same(f"urllib{part}") for part in ("", ".request", ".parse", ".error")},
    "six.moves.cPickle": _same("pickle"),
    "cPickle": _same("pickle"),
    "StringIO": _same("io"),
    "cStringIO": _same("io"),
    "ConfigParser": _same("configparser"),
    "imp": _imp,
    "scipy.misc": _misc,
    "scipy.misc.pilutil": _misc,
    **gone_modules.MODULES,
}
