"""Machine code on the disk is of the sources as they are."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path

import symae.kernels
from symae.kernels import tuning
from symae.kernels.random import mrg

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


def test_what_mrg_keeps_for_itself_is_of_its_source_and_of_what_is_tuned(tmp_path, monkeypatch):
    from pytensor.link.numba.cache import CACHED_SRC_FUNCTIONS, NumbaPyTensorCacheLocator

    names = ("choice", "multinomial", "normals", "normals_elementwise", "truncated", "uniforms", "uniforms_elementwise")

    def keys(path):
        functions = runpy.run_path(str(path))
        found = [functions[name] for name in names]
        assert all(isinstance(entry._cache._impl.locator, NumbaPyTensorCacheLocator) for entry in found)
        return {CACHED_SRC_FUNCTIONS[entry.py_func] for entry in found}

    before = keys(mrg.__file__)
    assert len(before) == len(names)
    assert before == keys(mrg.__file__)
    other = tmp_path / "mrg.py"
    other.write_text(Path(mrg.__file__).read_text(encoding="utf-8").replace("mod 2^31", "modulo 2^31"), encoding="utf-8")
    assert not before & keys(other)
    monkeypatch.setattr(tuning, "MRG_BLOCK", 128)
    assert not before & keys(mrg.__file__)
