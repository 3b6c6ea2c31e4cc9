"""Names that NumPy dropped between 1.7 and 2."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from symae.legacy.pickles import load, loads
from symae.shims.numpy_names import former_names, fromstring, random_names
from symae.shims.restoring import names_restored

if TYPE_CHECKING:
    from symae.legacy.session import Session

__all__ = ["restored"]


np_load = np.load


def _load(session: Session) -> Callable[..., Any]:
    def loading(file: Any, *rest: Any, **more: Any) -> Any:
        """Load arrays; those of objects are pickles, and are read as such."""
        more.setdefault("encoding", "latin1")
        more["allow_pickle"] = False
        try:
            return np_load(file, *rest, **more)
        except ValueError as error:
            if "pickle" not in str(error).lower():
                raise
        stream = open(file, "rb") if isinstance(file, str | bytes) or hasattr(file, "__fspath__") else file  # noqa: SIM115, PTH123
        stream.seek(0)
        if stream.read(6) == b"\x93NUMPY":
            shape, _, dtype = _header(stream)
            values = load(stream, session.modules)
            return np.asarray(values, dtype).reshape(shape)
        stream.seek(0)
        return load(stream, session.modules)

    return loading


def _header(stream: Any) -> Any:
    version = tuple(stream.read(2))
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(stream)


@contextmanager
def restored(session: Session) -> Iterator[None]:
    """Restore names, and write arrays as they were written when the script was."""
    legacy = "1.13" if session.python_version == "python2" else "1.21"
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning, SyntaxWarning, ResourceWarning):
            warnings.simplefilter("ignore", category)
        stack.enter_context(names_restored(np, former_names()))
        stack.enter_context(names_restored(np, {"loads": lambda data, **_: loads(data, session.modules)}))
        stack.enter_context(names_restored(np, {"fromstring": fromstring, "load": _load(session)}, replacing=True))
        stack.enter_context(names_restored(np.random, random_names()))
        stack.enter_context(np.printoptions(legacy=legacy))  # type: ignore[arg-type]
        yield
