"""A file more is an entry more, and none takes the place of another."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import symae
from symae._runtime.package_entries import entries, united


def test_each_module_of_a_package_is_an_entry(tmp_path, monkeypatch):
    package = tmp_path / "shelf"
    package.mkdir()
    for name in ("__init__", "base", "second", "first"):
        (package / f"{name}.py").write_text(f"ENTRY = {name!r}\n" if name != "base" else "")
    monkeypatch.syspath_prepend(tmp_path)
    shelf = importlib.import_module("shelf")
    assert list(entries("shelf", shelf.__path__, "ENTRY").items()) == [("first", "first"), ("second", "second")]


def test_what_stands_in_two_of_them_is_refused():
    assert united("letters", {"a": 1}, {}, {"b": 2}) == {"a": 1, "b": 2}
    with pytest.raises(ValueError, match="letters: found a, b twice, expected each name once"):
        united("letters", {"a": 1, "b": 1, "c": 1}, {"b": 2, "a": 2})


@pytest.mark.parametrize(
    ("entry", "more", "error"),
    [
        ("inspector/tabs/graph", "inspector/tabs/unit", "files of the page: found unit.js twice"),
        ("datasets/formats/npz", "datasets/formats/other", "endings of data files: found .npz twice"),
    ],
)
def test_a_file_more_whose_name_is_taken_is_no_entry_more(tmp_path, entry, more, error):
    shutil.copytree(Path(symae.__file__).parent, tmp_path / "symae", ignore=shutil.ignore_patterns("__pycache__"))
    text = (tmp_path / "symae" / f"{entry}.py").read_text(encoding="utf-8")
    (tmp_path / "symae" / f"{more}.py").write_text(text.replace('{"graph"', '{"other"'), encoding="utf-8")
    command = [sys.executable, "-c", "import symae.inspector.assets"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert error in done.stderr
