"""C: each node is compiled by the C++ compiler, and PyTensor's virtual machine calls one after the other."""

from __future__ import annotations

import pytensor
from pytensor.compile.mode import CVM

from symae.compile.backends.base import Backend
from symae.rewrites.registry import C_OPERANDS, FUNCTIONS_OF_NUMBERS, NATIVE


def _lacking() -> tuple[str, str] | None:
    return None if pytensor.config.cxx else ("no C++ compiler", "g++ or clang++ on the PATH")


BACKEND = Backend(
    name="c",
    title="C",
    compiler="the C++ compiler",
    mode=CVM,
    needs=(NATIVE, FUNCTIONS_OF_NUMBERS, C_OPERANDS),
    program="g++",
    lacking=_lacking,
    one_program=False,
    compiles_ahead=True,
    # said when PyTensor looks for a BLAS; the patch c_blas gives it SciPy's
    held_back=("PyTensor could not link to a BLAS installation",),
)
