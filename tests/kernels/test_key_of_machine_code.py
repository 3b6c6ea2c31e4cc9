"""Machine code on the disk is of the sources as they are."""

from __future__ import annotations

import ast
from pathlib import Path

import symae.kernels

# what kernels may import without being compiled from it: errors, the process, thresholds are values
APART = {"errors", "_runtime"}
DIGESTED = {"geometry", "kernels", "patches"}


def test_all_that_kernels_are_made_of_is_in_the_key():
    imported = {
        (node.module or "").split(".")[1]
        for file in Path(symae.kernels.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("symae.")
    }
    assert imported - APART <= DIGESTED


def test_the_key_reads_these_folders(monkeypatch):
    from symae.ops import base

    read = []
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path) or b"")
    base._digest.__wrapped__(())
    package = Path(symae.kernels.__file__).parents[1]
    assert {path.relative_to(package).parts[0] for path in read} == DIGESTED
