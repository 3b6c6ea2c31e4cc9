"""Packages in which a file more is an entry more: rewrites, backends, patches, formats of data, tabs."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any


def modules(package: str, path: Iterable[str], apart: Iterable[str] = ()) -> dict[str, ModuleType]:
    """Import all modules of `package`, which lies at `path`, but those in `apart`; return them in alphabetical order."""
    found = [module.name for module in pkgutil.iter_modules(path) if module.name not in apart]
    return {name: importlib.import_module(f"{package}.{name}") for name in found}


def entries(package: str, path: Iterable[str], name: str, apart: Iterable[str] = ("base",)) -> dict[str, Any]:
    """Return what each module of `package`, which lies at `path`, has under `name`, by the module, in alphabetical order.

    Modules in `apart` are no entries; any other has to have it.
    """
    return {module: getattr(found, name) for module, found in modules(package, path, apart).items()}


def united(what: str, *mappings: Mapping[str, Any]) -> dict[str, Any]:
    """Return all mappings as one, or raise ValueError for a name that is in two: one would replace the other in silence."""
    found: dict[str, Any] = {}
    for mapping in mappings:
        if common := found.keys() & mapping.keys():
            raise ValueError(f"{what}: found {', '.join(sorted(common))} twice, expected each name once")
        found |= mapping
    return found
