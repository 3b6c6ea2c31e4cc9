"""Machine-level pieces that several ops share; each is imported by the kernel methods of ops, because it needs its backend."""

from __future__ import annotations

from pathlib import Path

__all__ = ["header"]


def header(name: str) -> str:
    """Return the text of a C++ header beside the kernels, named from this folder on: ``"conv/convolution.h"``."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
