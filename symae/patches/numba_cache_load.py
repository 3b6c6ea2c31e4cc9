"""Machine code from the disk is loaded without what only compiling needs.

Before Numba loads a function that its cache holds it imports all that it could compile functions from, and registers it: a
tenth of a second and 20 MB. Machine code needs nothing of that, only the runtime that counts references and the symbols that it
was linked with; what compiles brings the rest in by itself. So PyTensor's functions, and those of symae that are kept beside
them, are loaded without.

Connects itself when PyTensor loads Numba's dispatch. A Numba that is built otherwise than those known here is left as it is.
"""

from __future__ import annotations

import inspect
from typing import Any

from symae._runtime.import_hooks import after_import

__all__: list[str] = []


def _connect(_: Any) -> None:
    from numba.core import caching
    from numba.core.runtime import rtsys
    from pytensor.link.numba.cache import NumbaPyTensorCacheLocator

    known = {"load_overload": ["self", "sig", "target_context"], "_load_overload": ["self", "sig", "target_context"]}
    for name, parameters in known.items():
        found = vars(caching.Cache).get(name)
        if found is None or list(inspect.signature(found).parameters) != parameters:
            return
    load_prepared = caching.Cache.load_overload

    def load_overload(self: Any, sig: Any, target_context: Any) -> Any:
        if not isinstance(getattr(self._impl, "locator", None), NumbaPyTensorCacheLocator):
            return load_prepared(self, sig, target_context)
        import numba.cpython.hashing  # noqa: F401  (names symbols for LLVM, which ends the process where it misses one)

        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            try:
                return self._load_overload(sig, target_context)
            except (ImportError, AttributeError):
                return None  # written by a symae or PyTensor whose modules lay elsewhere: it is compiled again

    caching.Cache.load_overload = load_overload


after_import("pytensor.link.numba.dispatch.basic", _connect)
