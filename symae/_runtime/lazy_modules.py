"""Modules that are found now and executed when something of them is used for the first time."""

from __future__ import annotations

import contextlib
import importlib.util
import sys


def load_when_used(name: str) -> None:
    """Let the module of that name, within a package, be there without executing it; nothing is done where it is there already.

    It is for modules that others import and hardly ever use. `importlib.util.LazyLoader` executes it at the first look at one
    of its attributes, and an error of it is raised there.
    """
    package, _, own = name.rpartition(".")
    if name in sys.modules or package not in sys.modules:
        return
    spec = None
    with contextlib.suppress(ImportError, ValueError):
        spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return
    loader = importlib.util.LazyLoader(spec.loader)
    spec.loader = loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    setattr(sys.modules[package], own, module)
