"""PyTensor's C code has SciPy's BLAS where it is linked to none, as when it is installed from wheels.

All functions that are compiled by C in this process have it, those of other programs' modes too.
"""

from __future__ import annotations

import hashlib
import importlib
import shlex
from pathlib import Path
from typing import Any

from pytensor import config

from symae import kernels
from symae.patches.changes import Changes
from symae.patches.patch import Expected, Patch

# The functions that `scipy_blas.h` calls, and how the signature of each that SciPy gives to Cython begins after its result.
_SIZE = "(int *, "
_FUNCTIONS = {"gemm": "(char *, char *, int *, ", "gemv": "(char *, int *, ", "ger": _SIZE, "axpy": _SIZE, "dot": _SIZE}


def apply(cmodule: Any, changes: Changes) -> None:
    setting = config._config_var_dict["blas__ldflags"]
    stock = setting._default

    def flags() -> str:
        found: str = stock() if callable(stock) else stock
        return found or (_flags() if config.cxx and fits() else "")

    changes.replace(setting, "_default", flags)
    if setting.is_default and vars(setting).get("val") == "":
        del setting.val  # it was looked for before


def fits() -> bool:
    """Return True if SciPy has what the C code calls, with sizes of int."""
    try:
        table = importlib.import_module("scipy.linalg.cython_blas").__pyx_capi__
    except (ImportError, AttributeError):
        return False
    return all(begin in repr(table.get(letter + name)) for letter in "sd" for name, begin in _FUNCTIONS.items())


def _flags() -> str:
    """Return the compiler's flags; the cache of compiled code looks at these, and not at what is included."""
    name = "scipy_blas.h"
    digest = hashlib.sha256(kernels.header(name).encode()).hexdigest()[:16]
    # one word: PyTensor takes words whose second letter is l, L or I for names of libraries and folders
    return shlex.join([f"-include{Path(kernels.__file__).parent / name}", f"-DSYMAE_SCIPY_BLAS={digest}"])


PATCH = Patch(
    module="pytensor.link.c.cmodule",
    replaces="the default of the setting blas__ldflags, where PyTensor finds no BLAS",
    why="products go through NumPy, and those of vectors too: a step of a dense layer takes 2.5 times as long",
    upstream="not proposed: blas_header_text could declare pointers that are taken from scipy.linalg.cython_blas, which is "
    "there wherever PyTensor is, instead of the NumPy version of gemm.",
    delete_when="PyTensor from wheels calls a BLAS from C: Dot22 and CGemv have C code where config.blas__ldflags is empty",
    apply=apply,
    expects=(
        Expected("pytensor.link.c.cmodule", "default_blas_ldflags", ()),
        Expected("pytensor.configparser:ConfigParam", "default"),
    ),
)
