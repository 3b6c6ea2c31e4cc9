"""All backends: each is a file in this folder with a `Backend` called ``BACKEND``, and a file more is a backend more.

What has to be done for each, or lists them, takes them from here. The default comes first, then those that compile ahead, then
those that compute in double precision.
"""

from __future__ import annotations

from typing import Any

from symae._runtime.import_hooks import after_import
from symae._runtime.package_entries import entries, united
from symae.compile.backends.base import Backend

__all__ = ["BACKENDS", "BY_NAME", "DEFAULT", "PACKAGES", "linked_by"]

# PyTensor's default too
DEFAULT = "numba"


def _order(backend: Backend) -> tuple[Any, ...]:
    return backend.name != DEFAULT, not backend.compiles_ahead, "float64" not in backend.floats, backend.name


_FOUND: list[Backend] = sorted(entries(__name__, __path__, "BACKEND").values(), key=_order)
BY_NAME: dict[str, Backend] = united("backends", *({backend.name: backend} for backend in _FOUND))
BACKENDS = tuple(BY_NAME)
# of the backends, installed or not
PACKAGES = tuple(backend.module for backend in BY_NAME.values() if backend.module)

for _backend in BY_NAME.values():
    for _override in _backend.overrides:
        after_import(str(_backend.dispatch), _override)


def linked_by(linker: Any) -> Backend | None:
    """Return the backend whose functions come from `linker`."""
    return next((backend for backend in BY_NAME.values() if backend.links(linker)), None)
