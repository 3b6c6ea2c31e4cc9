"""``install()``: ``import theano`` gives `symae.theano` then, in all modules of this process, until ``uninstall()``."""

from __future__ import annotations

import multiprocessing.spawn
import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder
from typing import Any

from symae._runtime.import_alias import AliasFinder
from symae.errors import InputError
from symae.shims.old_packages import OldPackages
from symae.theano._impl.configuration import read_flags
from symae.theano._impl.libraries import is_of_its_time

__all__ = [
    "builtins_of",
    "how_to_mend",
    "install",
    "load_ipython_extension",
    "move_to_front",
    "uninstall",
    "unload_ipython_extension",
]

_packages: set[str] = set()


def install(legacy_packages: Iterable[str] | str = ()) -> None:
    """Answer ``import theano`` by `symae.theano`, in this process and in those that `multiprocessing` starts from it.

    No package called theano is installed, and `uninstall` undoes it. Calling it again adds packages.

    Libraries on Theano of 2010 to 2018, those of `symae.theano._impl.libraries`, find the names that Python 2, NumPy, SciPy and
    six had in their time. In IPython ``%load_ext symae.theano`` is the same.

    Parameters
    ----------
    legacy_packages : iterable of str, or str
        Top-level packages and modules, beside these libraries, that need such names; a text is the name of one.

    Raises
    ------
    InputError
        Another Theano has been imported, or `legacy_packages` are no names.
    """
    imported = sys.modules.get("theano")
    if imported is not None and imported is not sys.modules["symae.theano"]:
        where = getattr(imported, "__file__", None) or "somewhere"
        raise InputError("symae.theano.install()", f"theano imported from {where}", "a call before the first import theano")
    _packages.update(_names(legacy_packages))
    if _theano in sys.meta_path:
        return
    real = PathFinder.find_spec("theano")
    if real is not None and real.origin is not None:  # a folder of that name is not a package
        print(f"symae: import theano gives symae.theano, not {real.origin}, until uninstall()", file=sys.stderr)
    sys.meta_path[:0] = [_theano, _old]
    multiprocessing.spawn.get_preparation_data = _preparation_data


def _names(packages: object) -> set[str]:
    """Return the names of packages, of which one may stand alone as a text."""
    names = {packages} if isinstance(packages, str) else set(packages) if isinstance(packages, Iterable) else packages
    if not isinstance(names, set) or not all(isinstance(name, str) for name in names):
        raise InputError("symae.theano.install()", repr(packages), "names of packages and modules, as texts")
    return names


def uninstall() -> None:
    """Undo `install`; what has been imported as theano meanwhile is forgotten, and old libraries that were imported stay."""
    for finder in (_theano, _old):
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)
    _theano.forget()
    _packages.clear()
    multiprocessing.spawn.get_preparation_data = _get_preparation_data


def load_ipython_extension(ipython: Any) -> None:
    """Install, for ``%load_ext symae.theano``."""
    install()


def unload_ipython_extension(ipython: Any) -> None:
    """Uninstall, for ``%unload_ext symae.theano``."""
    uninstall()


def move_to_front() -> None:
    """Find theano and old libraries before the finders that others have put first since `install`."""
    uninstalled = [finder for finder in sys.meta_path if finder not in (_theano, _old)]
    sys.meta_path[:] = [_theano, _old, *uninstalled]


def builtins_of(name: str) -> dict[str, Any]:
    """Return what a module of that name needs among its globals before it is executed."""
    return {"__builtins__": _old.builtins()} if name in _packages else {}


def how_to_mend(error: BaseException) -> str | None:
    """Return which option gives the module that failed with `error` what it asked for in vain; None if none does."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None and trace.tb_next.tb_frame.f_code.co_name != "__getattr__":
        trace = trace.tb_next  # to the module that asked, and not to NumPy's that answers
    package = str(trace.tb_frame.f_globals.get("__name__")).partition(".")[0] if trace is not None else ""
    return f"--legacy-packages {package} gives it to {package}, as it was" if _old.would_mend(error) else None


class _InChild:
    """Install in a child that `multiprocessing` spawns, when it reads what it is to do, before its main module is imported."""

    def __reduce__(self) -> Any:
        code = "import sys; sys.path[:] = path; import symae.theano; symae.theano.install(packages)"
        return exec, (code, {"path": list(sys.path), "packages": sorted(_packages)})


def _preparation_data(name: str) -> dict[str, Any]:
    return {**_get_preparation_data(name), "symae.theano": _InChild()}


_get_preparation_data = multiprocessing.spawn.get_preparation_data
_theano = AliasFinder("theano", "symae.theano", before=read_flags)
_old = OldPackages(lambda name: name in _packages or is_of_its_time(name))
