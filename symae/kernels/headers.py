"""C++ headers beside the kernels of Numba, as text."""

from __future__ import annotations

from pathlib import Path


def header(name: str) -> str:
    """Return the text of a header, named from this folder on: ``"conv/convolution.h"``."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
