"""Patches say what they replace and what they need; one that does not fit is left out, said once, and nothing is half done."""

from __future__ import annotations

import ast
import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import symae.patches
from symae.errors import BackendError, InputError
from symae.kernels import fingerprint
from symae.patches import PATCHES, Expected, Patch, PatchStatus, Registry


@pytest.fixture
def module(monkeypatch):
    """Return a module whose private parts are patched in these tests; it pretends to be a backend's."""
    module = ModuleType("pytensor.link.testing.dispatch")
    module.private = lambda x: x
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def patch(name, apply, **more):
    words = dict.fromkeys(("replaces", "why", "upstream", "delete_when"), "words")
    return Patch(name=name, module="pytensor.link.testing.dispatch", apply=apply, tested="numpy 1.0", **words | more)


def negate(module, changes):
    before = module.private
    changes.replace(module, "private", lambda x: -before(x))


def double(module, changes):
    before = module.private
    changes.replace(module, "private", lambda x: 2 * before(x) + 1)


def connected(*patches, chosen=""):
    registry = Registry(patches, chosen)
    registry.connect()
    return registry


def test_a_patch_that_fits_is_applied(module):
    registry = connected(patch("negate", negate, expects=(Expected(module.__name__, "private", ("x",)),)))
    assert registry.status() == (PatchStatus("negate", "applied"),)
    assert module.private(3) == -3


@pytest.mark.parametrize("given", [["negate", "double"], ["double", "negate"]])
def test_they_are_applied_in_the_order_that_they_say(module, given):
    named = {"negate": patch("negate", negate, after=("double",)), "double": patch("double", double)}
    connected(*(named[name] for name in given))
    assert module.private(3) == -7


def test_those_that_wait_for_one_another_are_a_mistake():
    circle = [patch("negate", negate, after=("double",)), patch("double", double, after=("negate",))]
    with pytest.raises(ValueError, match="cycle"):
        Registry(circle)


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (Expected("pytensor.link.testing.dispatch", "gone"), "no gone in pytensor.link.testing.dispatch"),
        (Expected("pytensor.link.nowhere", "private"), "no module pytensor.link.nowhere"),
        (Expected("pytensor.link.testing.dispatch:Gone", "private"), "no Gone in pytensor.link.testing.dispatch"),
        (Expected("pytensor.link.testing.dispatch", "private", ("x", "y")), r"private\(x\), not \(x, y\)"),
        (Expected("pytensor.link.testing.dispatch", "private", ("y",), others=True), r"private\(x\), not \(y\)"),
        (Expected("pytensor.link.testing.dispatch", "private", sources=("0000",)), "another private .* than was copied"),
    ],
)
def test_one_that_does_not_fit_is_left_out_and_said_once(module, caplog, expected, found):
    registry = connected(patch("negate", negate, expects=(expected,)), patch("double", double))
    first, second = registry.status()
    assert (first, second.state) == (PatchStatus("double", "applied"), "skipped")
    assert module.private(3) == 7
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("symae.patches", logging.WARNING)
    assert record.getMessage().startswith("patch negate is left out, because there is ")
    assert re.search(found, second.reason)


def test_of_one_that_fails_half_way_nothing_stays(module, caplog):
    def fail(module, changes):
        negate(module, changes)
        double(module, changes)
        raise AttributeError("moved")

    before = module.private
    registry = connected(patch("fail", fail))
    assert module.private is before
    assert registry.status() == (PatchStatus("fail", "skipped", "AttributeError: moved"),)
    assert len(caplog.records) == 1


def test_conversions_are_put_back_too(module):
    from functools import singledispatch

    @singledispatch
    def convert(op):
        return "stock"

    def fail(module, changes):
        changes.convert(convert, int, float)(lambda op: "symae's")
        assert convert(1) == convert(1.0) == "symae's"
        raise AttributeError("moved")

    connected(patch("fail", fail))
    assert convert(1) == convert(1.0) == "stock"


def test_one_that_guards_memory_is_asked_for_with_both_versions(module):
    gone = Expected(module.__name__, "gone")
    registry = connected(patch("negate", negate, expects=(gone,), required=True))
    registry.refuse_missing("numba")
    with pytest.raises(BackendError) as told:
        registry.refuse_missing("testing")
    import numpy

    assert str(told.value) == (
        f"patch negate: found no gone in {module.__name__} in numpy {numpy.__version__}, expected what symae was tested with: "
        "numpy 1.0; or SYMAE_PATCHES=-negate to go on unguarded"
    )


@pytest.mark.parametrize(("chosen", "result"), [("off", 3), ("-negate", 7), (" -negate, -double ", 3), ("on", -7), ("", -7)])
def test_patches_are_switched_off_by_name(module, chosen, result):
    registry = connected(patch("double", double), patch("negate", negate), chosen=chosen)
    assert module.private(3) == result
    for state in registry.status():
        assert state.state == ("switched off" if chosen == "off" or f"-{state.name}" in chosen else "applied")


@pytest.mark.parametrize("chosen", ["negate", "-other", "-negate -double", "no"])
def test_a_name_that_is_not_known_is_refused(module, chosen):
    with pytest.raises(InputError, match=r"SYMAE_PATCHES: found .*, expected off, or the names of patches.*: double, negate$"):
        connected(patch("double", double), patch("negate", negate), chosen=chosen)


def test_the_summary_names_what_is_not_as_usual(module):
    registry = connected(
        patch("a", negate),
        patch("b", negate, expects=(Expected(module.__name__, "gone"),)),
        patch("c", negate),
        chosen="-c",
    )
    assert registry.summary() == (f"1 applied; 0 waiting; skipped: b (no gone in {module.__name__}); switched off: c")


def test_what_has_become_of_patches_is_data_that_is_printed_as_a_table(module, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    missing = "_".join(["gone"] * 9)
    states = connected(
        patch("a_patch", negate),
        patch("another", negate, expects=(Expected(module.__name__, missing),)),
        patch("c", negate),
        chosen="-c",
    ).status()
    assert states == tuple(states) == (states[0], states[1], PatchStatus("c", "switched off"))
    assert str(states).splitlines() == [
        "a_patch  applied",
        f"another  skipped       no {missing} in",
        f"                       {module.__name__}",
        "c        switched off",
    ]


def test_each_patch_is_a_file_that_has_all_there_is_to_say():
    folder = Path(symae.patches.__file__).parent
    files = {file.stem for file in folder.glob("*.py")} - {"__init__", "changes", "patch", "registry"}
    assert {patch.name for patch in PATCHES} == files
    for patch in PATCHES:
        for words in (patch.replaces, patch.why, patch.upstream, patch.tested, patch.delete_when):
            assert len(words) > 10
        assert patch.upstream.startswith(("https://", "not proposed: "))
        assert patch.expects
        assert set(patch.after) <= {other.name for other in PATCHES if other.backend == patch.backend}


def test_nothing_but_changes_of_patches_touches_what_is_private():
    """A registration that goes past `Changes` is not undone, and misses the key of machine code."""
    folder = Path(symae.patches.__file__).parent
    past = [
        f"{file.name}:{node.lineno}"
        for file in set(folder.glob("*.py")) - {folder / "changes.py"}
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute) and (node.attr == "register" or node.attr.startswith("register_funcify"))
    ]
    assert past == []


def test_machine_code_has_another_key_with_each_set_of_patches(monkeypatch):
    import pytensor.tensor as pt
    from pytensor.link.numba.dispatch import basic

    monkeypatch.setattr(fingerprint, "APPLIED", set(fingerprint.APPLIED))
    node = (pt.dvector("x")[:3]).owner
    keys = [basic.numba_funcify_and_cache_key(node.op, node=node)[1] for _ in range(2)]
    fingerprint.APPLIED.remove("numba_shape_error")
    keys.append(basic.numba_funcify_and_cache_key(node.op, node=node)[1])
    assert keys[0] == keys[1] != keys[2]


def test_all_patches_of_the_backends_installed_here_are_applied_or_wait():
    assert {state.state for state in symae.patches.status()} <= {"applied", "waiting"}


@pytest.mark.parametrize("command", [["--version", "--verbose"], ["run", "01", "--epochs", "0", "--data", "digits"]])
def test_a_choice_of_patches_that_is_none_is_an_error_of_one_line(tmp_path, command):
    environment = os.environ | {"SYMAE_PATCHES": "numba", "PYTHONPATH": os.pathsep.join(sys.path)}
    line = [sys.executable, "-m", "symae", *command]
    done = subprocess.run(line, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert "SYMAE_PATCHES: found 'numba', expected off, or the names of patches with a - before each" in done.stderr
