"""Machine code on the disk is of the sources as they are."""

from __future__ import annotations

import ast
import os
import runpy
import time
from pathlib import Path

import numba

import symae.kernels
from symae.kernels import fingerprint, kept_code, tuning
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
    read = []
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path) or b"")
    fingerprint.sources.__wrapped__()
    package = Path(symae.kernels.__file__).parents[1]
    assert {path.relative_to(package).parts[0] for path in read} == DIGESTED


def test_what_is_kept_apart_is_of_the_sources_and_patches_that_graphs_are_of(monkeypatch):
    before = kept_code.kept_file("symae_x")
    assert before == kept_code.kept_file("symae_x")
    with monkeypatch.context() as other:
        other.setattr(fingerprint, "APPLIED", fingerprint.APPLIED | {"another_patch"})
        assert kept_code.kept_file("symae_x") != before
    with monkeypatch.context() as other:
        other.setattr(fingerprint, "sources", lambda files=(): "an edited patch")
        assert kept_code.kept_file("symae_x") != before
    assert before == kept_code.kept_file("symae_x")


def test_machine_code_for_other_numbers_of_threads_is_kept_beside(monkeypatch):
    """It says into how many parts work is divided: which sums are rounded, and how many threads are used."""
    before = fingerprint.fingerprint()
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", numba.config.NUMBA_NUM_THREADS + 1)
    assert fingerprint.fingerprint() != before


def test_what_another_release_has_left_is_removed_after_a_month_in_which_nobody_read_it(tmp_path):
    kept = kept_code.kept_file("symae_x").name
    names = {"symae_x-old.o": 40, "symae_y-recent.o": 20, "symae_z-read.o": 40, kept: 40, "pytensor-old.nbc": 40}
    for name, days in names.items():
        (tmp_path / name).write_bytes(b"damaged")
        os.utime(tmp_path / name, (time.time() - days * 86400,) * 2)
    kept_code.read_kept(tmp_path / "symae_z-read.o")
    (tmp_path / "symae_gone-old.o").symlink_to("nowhere")
    kept_code.keep(tmp_path / "symae_new.o", b"code")
    assert kept_code.read_kept(tmp_path / "symae_new.o") == b"code"
    assert {file.name for file in tmp_path.iterdir()} == names.keys() - {"symae_x-old.o"} | {"symae_new.o", "symae_gone-old.o"}


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
