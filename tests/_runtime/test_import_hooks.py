"""What waits for a module is called once it is imported, and imports are what they were."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from symae._runtime.import_hooks import after_import


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return the name of a module that nobody has imported yet."""
    monkeypatch.syspath_prepend(tmp_path)
    name = "a_module_of_these_tests"
    (tmp_path / f"{name}.py").write_text("value = 3\n")
    yield name
    sys.modules.pop(name, None)


def test_hooks_are_called_in_their_order_once_the_module_has_been_executed(module):
    called = []
    after_import(module, lambda m: called.append(m.value))
    after_import(module, lambda m: called.append(m.__name__))
    assert called == []
    imported = importlib.import_module(module)
    importlib.import_module(module)
    assert called == [3, module]
    assert imported.__spec__.loader.get_source(module) == "value = 3\n"


def test_a_module_that_is_there_already_does_not_wait(module):
    imported = importlib.import_module(module)
    called = []
    after_import(module, called.append)
    assert called == [imported]


def test_a_hook_that_raises_is_called_again_at_the_next_import_and_those_after_it_too(module):
    called = []

    def fails_once(imported):
        called.append("fails once")
        if called.count("fails once") == 1:
            raise RuntimeError("not yet")

    after_import(module, lambda m: called.append("before"))
    after_import(module, fails_once)
    after_import(module, lambda m: called.append("after"))
    with pytest.raises(RuntimeError, match="not yet"):
        importlib.import_module(module)
    assert module not in sys.modules
    importlib.import_module(module)
    assert called == ["before", "fails once", "fails once", "after"]


def test_a_module_that_does_not_exist_is_missed_as_ever():
    after_import("no_such_module", pytest.fail)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("no_such_module")


def test_importing_symae_imports_no_backend_and_no_event_loop():
    command = "import sys, symae; print(sorted({'numba', 'jax', 'torch', 'mlx', 'asyncio', 'ssl'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
