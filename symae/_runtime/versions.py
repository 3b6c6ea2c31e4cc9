"""What a run ran on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

# pyproject.toml has it from here
SYMAE = "0.1.0"

PACKAGES = ("pytensor", "numpy", "scipy")


def versions(more: Iterable[str] = ()) -> dict[str, str]:
    """Return the versions of Python, symae, its packages and those of `more`, the kind of machine and its cores.

    Nothing is imported for it: versions come from the packages' metadata. What is not installed is left out. Cores are those
    that this process may use.
    """
    found = {"python": platform.python_version(), "symae": SYMAE}
    for package in (*PACKAGES, *more):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return {**found, "machine": f"{platform.system()} {platform.machine()}", "cores": str(_cores())}


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
