"""A module that hardly anybody uses is executed by whoever does."""

from __future__ import annotations

import subprocess
import sys

import pytest

from symae._runtime.lazy_modules import load_when_used


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Make a package of two modules that can be imported; return where what is executed is written down."""
    for name in ("lazypackage", "lazypackage.used"):
        file = tmp_path / "lazypackage" / ("used.py" if "." in name else "__init__.py")
        file.parent.mkdir(exist_ok=True)
        file.write_text("import builtins\nbuiltins._executed.append(__name__)\nvalue = 3\n")
    executed: list[str] = []
    monkeypatch.setattr("builtins._executed", executed, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    yield executed
    for name in ("lazypackage.used", "lazypackage"):
        sys.modules.pop(name, None)


def test_it_is_executed_when_something_of_it_is_used(package):
    import lazypackage

    load_when_used("lazypackage.used")
    from lazypackage import used

    assert package == ["lazypackage"]
    assert used.value == 3
    assert package == ["lazypackage", "lazypackage.used"]
    assert lazypackage.used is used


def test_what_is_there_or_cannot_be_found_stays_as_it_is(package):
    load_when_used("lazypackage.used")  # its package is not imported
    assert package == []
    import lazypackage.used

    before = sys.modules["lazypackage.used"]
    load_when_used("lazypackage.used")
    load_when_used("lazypackage.none")
    assert sys.modules["lazypackage.used"] is before
    assert not hasattr(lazypackage, "none")


@pytest.mark.default_mode
def test_numpy_f2py_works_after_compiling_and_is_not_needed_for_it():
    program = (
        "import types, sys, pytensor.tensor as pt; from symae import function\n"
        "x = pt.dvector('x'); function([x], x * 2, backend='numba')([1.0])\n"
        "print(type(sys.modules['numpy.f2py']) is types.ModuleType)\n"
        "import numpy.f2py; print(numpy.f2py.get_include.__name__, type(numpy.f2py) is types.ModuleType)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "get_include", "True"]
