"""What a module of `symae.theano` says to those who ask it for a name that it does not have."""

from __future__ import annotations

import difflib
import dis
import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

__all__ = ["AbsentAttributeError", "AbsentImportError", "absent", "getter", "is_also"]

_GPU = "there is no GPU in symae.theano: leave the GPU's branch of the program, the CPU's computes the same"


class AbsentAttributeError(AttributeError):
    """Raised for a name that is not in a module of `symae.theano`."""


class AbsentImportError(ImportError):
    """Raised for such a name after ``from module import``, where Python would replace an AttributeError's message."""


def absent(where: str, name: str, instead: str) -> AbsentAttributeError | AbsentImportError:
    """Make the error for `name`, which Theano's module `where` had or never had; it says what to use `instead`."""
    text = f"{where}.{name} is not in symae.theano: {instead}"
    return AbsentImportError(text, name=where) if _asked_by_import() else AbsentAttributeError(text)


def is_also(module: str, *names: str) -> None:
    """Let the package of that name be its own submodules of these `names`: Theano's files, whose contents it has all."""
    for name in names:
        sys.modules[f"{module}.{name}"] = sys.modules[module]
        setattr(sys.modules[module], name, sys.modules[module])


def getter(
    module: str,
    *,
    submodules: Iterable[str] = (),
    elsewhere: Mapping[str, str] | None = None,
    instead: Mapping[str, str] | None = None,
    pytensor: Iterable[str] = (),
    ops: str | None = None,
) -> Callable[[str], Any]:
    """Make a ``__getattr__`` for the module of that name.

    Parameters
    ----------
    module : str
        Its ``__name__``.
    submodules : iterable of str
        Its modules that are imported when they are asked for.
    elsewhere : dict from name to "module" or "module:name"
        Things that live in other modules of this package, by their path below ``symae.theano``; imported when asked for.
        Nothing before the colon is ``symae.theano`` itself.
    instead : dict from name to str
        What to use instead of names that are not there.
    pytensor : iterable of str
        Modules of PyTensor in which to look for other names, for the message.
    ops : str, optional
        The module's key in `symae.theano.tensor.op_classes`, whose classes it has.
    """
    package, theano = "symae.theano", module.replace("symae.theano", "theano", 1)
    submodules, elsewhere, instead, pytensor = frozenset(submodules), elsewhere or {}, instead or {}, tuple(pytensor)

    def __getattr__(name: str) -> Any:
        if name in submodules:
            return importlib.import_module(f"{module}.{name}")
        if name in elsewhere:
            source, _, attribute = elsewhere[name].partition(":")
            value = getattr(importlib.import_module(f"{package}.{source}" if source else package), attribute or name)
            setattr(sys.modules[module], name, value)
            return value
        if name.startswith("__"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        if ops is not None and name[:1] != "_":
            classes: Mapping[str, Any] = importlib.import_module(f"{package}.tensor.op_classes").OPS[ops]
            if name in classes:
                setattr(sys.modules[module], name, classes[name])
                return classes[name]
        raise absent(theano, name, instead.get(name) or _in_pytensor(name, pytensor) or _close_to(name, module, submodules))

    return __getattr__


def _in_pytensor(name: str, modules: Iterable[str]) -> str | None:
    if "gpu" in name.lower() or "cuda" in name.lower():
        return _GPU
    for module in modules:
        try:
            found = hasattr(importlib.import_module(module), name)
        except ModuleNotFoundError:  # PyTensor 3.3 has no blas_c; a module may raise nothing but an AttributeError
            continue
        if found:
            return f"use {module}.{name} of PyTensor"
    return None


def _close_to(name: str, module: str, submodules: Iterable[str]) -> str:
    names = [known for known in (*dir(sys.modules[module]), *submodules) if known[:1] != "_"]
    close = ", ".join(difflib.get_close_matches(name, names, cutoff=0.75))
    return f"nothing is known here that takes its place{close and '; names close to it: '}{close}"


def _asked_by_import() -> bool:
    """Return True if the frame that asked a module's ``__getattr__`` is executing a ``from … import``."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back  # type: ignore[assignment]
    code = frame.f_code.co_code if frame is not None else b""
    return frame is not None and 0 <= frame.f_lasti < len(code) and dis.opname[code[frame.f_lasti]] == "IMPORT_FROM"
