"""pickle and cPickle, reading only what `symae.legacy.pickles` admits."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from symae.legacy.pickles import found_by_name, load, loads
from symae.shims.restoring import module_of

if TYPE_CHECKING:
    from symae.legacy.session import Session

__all__ = ["MODULES", "restricted"]


def restricted(session: Session) -> ModuleType:
    """Make `pickle` with the names that cPickle had."""

    class Unpickler:
        """Read one pickle after the other from a file; subclasses may have ``find_class`` and ``persistent_load``."""

        def __init__(self, file: Any, **_: Any):
            self._file = file
            self.admitted: dict[int, Any] = {}

        def load(self) -> Any:
            return load(self._file, session.modules, self)

        def find_class(self, module: str, name: str) -> Any:
            found = found_by_name(module, name, session.modules)
            self.admitted[id(found)] = found
            return found

    def dump(value: Any, file: Any, protocol: Any = None, **more: Any) -> None:
        raw = file.buffer if isinstance(file, io.TextIOWrapper) else file
        if raw is not file:
            file.flush()
        pickle.dump(value, raw, _protocol(protocol), **more)

    class Pickler(pickle.Pickler):
        def __init__(self, file: Any, protocol: Any = None, **more: Any):
            super().__init__(file.buffer if isinstance(file, io.TextIOWrapper) else file, _protocol(protocol), **more)

    own = {
        "load": lambda file, **_: load(file, session.modules),
        "loads": lambda data, **_: loads(data, session.modules),
        "dump": dump,
        "dumps": lambda value, protocol=None, **_: pickle.dumps(value, _protocol(protocol)),
        "Unpickler": Unpickler,
        "Pickler": Pickler,
        "BadPickleGet": pickle.UnpicklingError,
        "UnpickleableError": pickle.PicklingError,
    }
    return module_of("pickle", {**{name: getattr(pickle, name) for name in pickle.__all__}, **own})


def _protocol(protocol: Any) -> int:
    """Return the protocol to use: Python 2's defaults cannot hold all that Python 3 has; -1 asks for the newest."""
    return pickle.HIGHEST_PROTOCOL if protocol is None or protocol < 0 else max(int(protocol), 2)


MODULES: dict[str, Callable[[Session], ModuleType]] = {"pickle": restricted, "cPickle": restricted, "_pickle": restricted}
