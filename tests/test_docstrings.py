"""Examples in docstrings run as they stand, and print what stands below them."""

from __future__ import annotations

import doctest
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytensor
import pytest

import symae

ROOT = Path(symae.__file__).parent
OPTIONAL = {"symae.port.pipeline": "libcst"}
OF_JAX = {"symae.compile.pure", "symae.models.base"}
COMPILED = {"symae.compile.functions", "symae.random"}  # quick to compile, so in the mode that users have


def modules_with_examples() -> Iterator[str]:
    for path in sorted(ROOT.rglob("*.py")):
        if ">>> " in path.read_text():
            yield ".".join(("symae", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")


@pytest.mark.parametrize("name", list(modules_with_examples()))
def test_examples_of_docstrings_are_true(name, tmp_path, monkeypatch, request):
    if name in OPTIONAL:
        pytest.importorskip(OPTIONAL[name], reason=f"{OPTIONAL[name]} is not installed")
    if name in OF_JAX:
        request.getfixturevalue("jax_in_double")  # a test in float32 may have been the first to load JAX
    monkeypatch.chdir(tmp_path)
    with pytensor.config.change_flags(mode="Mode" if name in COMPILED else "FAST_COMPILE"):
        failed, attempted = doctest.testmod(importlib.import_module(name))
    assert (failed, attempted > 0) == (0, True)


def test_no_example_is_skipped():
    assert [path.name for path in ROOT.rglob("*.py") if "doctest: +SKIP" in path.read_text()] == []


def test_apostrophes_are_ascii():
    texts = (path for path in ROOT.rglob("*.py") if set("‘’“”") & set(path.read_text(encoding="utf-8")))
    assert [str(path.relative_to(ROOT)) for path in texts] == []
