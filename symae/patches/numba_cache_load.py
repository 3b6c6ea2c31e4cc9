"""Machine code from the disk is loaded without what only compiling needs.

Before Numba loads a function that its cache holds it imports all that it could compile functions from, and registers it: a
tenth of a second and 20 MB. Machine code needs nothing of that, only the runtime that counts references and the symbols that it
was linked with; what compiles brings the rest in by itself. So PyTensor's functions, and those of symae that are kept beside
them, are loaded without.
"""

from __future__ import annotations

from typing import Any

from symae.patches.changes import Changes
from symae.patches.patch import Expected, Patch


def apply(_: Any, changes: Changes) -> None:
    from numba.core import caching
    from numba.core.runtime import rtsys
    from pytensor.link.numba.cache import NumbaPyTensorCacheLocator

    load_prepared = caching.Cache.load_overload

    def load_overload(self: Any, sig: Any, target_context: Any) -> Any:
        if not isinstance(getattr(self._impl, "locator", None), NumbaPyTensorCacheLocator):
            return load_prepared(self, sig, target_context)
        import numba.cpython.hashing  # noqa: F401  (names symbols for LLVM, which ends the process where it misses one)

        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            try:
                return self._load_overload(sig, target_context)
            except (ImportError, AttributeError):  # written by a symae or PyTensor whose modules lay elsewhere
                self.flush()
                return None

    changes.replace(caching.Cache, "load_overload", load_overload)


PATCH = Patch(
    module="pytensor.link.numba.dispatch.basic",
    replaces="numba.core.caching.Cache.load_overload",
    why="a function whose machine code is on the disk starts a tenth of a second later",
    upstream="not proposed: Cache.load_overload calls target_context.refresh(), which imports and registers all that could be "
    "compiled from; to load an object file rtsys.initialize and the symbols are enough.",
    delete_when="Cache.load_overload no longer refreshes the context before a hit",
    apply=apply,
    expects=(
        Expected("numba.core.caching:Cache", "load_overload", ("self", "sig", "target_context"), sources=("49a98e578d710b9b",)),
        Expected("numba.core.caching:Cache", "_load_overload", ("self", "sig", "target_context")),
        Expected("numba.core.caching:Cache", "_guard_against_spurious_io_errors"),
        Expected("pytensor.link.numba.cache", "NumbaPyTensorCacheLocator"),
        Expected("numba.core.runtime", "rtsys"),
    ),
)
