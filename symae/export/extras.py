"""Packages that only exports need."""

from __future__ import annotations

import importlib
from typing import Any

from symae.errors import BackendError


def needed(module: str, extra: str, where: str) -> Any:
    """Import `module`, or raise BackendError, which says which extra brings it; `where` is what needs it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise BackendError(where, f"no {package}", f'it installed: pip install "symae[{extra}]"') from error
