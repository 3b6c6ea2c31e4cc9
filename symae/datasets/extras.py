"""Packages that only some formats need."""

from __future__ import annotations

import importlib
from os import PathLike
from typing import Any

from symae.errors import BackendError


def needed(module: str, where: str | PathLike[str]) -> Any:
    """Import `module`, or raise BackendError, which says how it is installed; `where` is the file that needs it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise BackendError(where, f"no {package}, which reads it", 'it installed: pip install "symae[data]"') from error
