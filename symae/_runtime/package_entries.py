"""Packages in which a file more is an entry more: backends, patches, formats of data, tabs."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from typing import Any

__all__ = ["entries"]


def entries(package: str, path: Iterable[str], name: str, apart: Iterable[str] = ("base",)) -> dict[str, Any]:
    """Return what each module of `package`, which lies at `path`, has under `name`, by the module, in alphabetical order.

    Modules in `apart` are no entries; any other has to have it.
    """
    modules = [module.name for module in pkgutil.iter_modules(path) if module.name not in apart]
    return {module: getattr(importlib.import_module(f"{package}.{module}"), name) for module in modules}
