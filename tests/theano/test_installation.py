"""``import theano`` for anybody: installed and uninstalled, in children, under pytest, and old libraries with it."""

from __future__ import annotations

import copy
import importlib
import re
import subprocess
import sys

import numpy as np
import pytest

import symae.theano
from symae.errors import InputError
from symae.theano import install, uninstall
from symae.theano.__main__ import main

PACKAGES = ("oldlib", "newlib", "lasagne", "keras")


@pytest.fixture(autouse=True)
def as_before():
    """Leave no finder behind, and none of the modules of this file's own."""
    finders = sys.meta_path[:]
    yield
    uninstall()
    # six has one of its own, which its import leaves behind
    assert [finder for finder in sys.meta_path if finder in finders or "six" not in type(finder).__module__] == finders
    for name in [name for name in sys.modules if name.partition(".")[0] in ("theano", *PACKAGES)]:
        del sys.modules[name]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Make a package of one module, from a text."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(text, name="oldlib"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").write_text(text, encoding="utf-8")
        importlib.invalidate_caches()
        return folder

    return make


def run(folder, *arguments):
    command = [sys.executable, "-W", "ignore", "-m", "symae.theano", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_theano_is_symaes_until_it_is_uninstalled(capsys):
    install()
    theano = importlib.import_module("theano")
    signal = importlib.import_module("theano.tensor.signal.pool")
    assert theano is symae.theano
    assert signal is theano.tensor.signal.pool
    assert theano.__name__ == theano.__spec__.name == "symae.theano"
    assert capsys.readouterr().err == ""
    uninstall()
    assert [name for name in sys.modules if name.partition(".")[0] == "theano"] == []
    with pytest.raises(ModuleNotFoundError, match="theano"):
        importlib.import_module("theano.tensor")


def test_a_module_that_theano_never_had_is_named_in_the_error():
    install()
    with pytest.raises(ModuleNotFoundError, match=r"theano\.nonsense"):
        importlib.import_module("theano.nonsense")


def test_flags_that_a_program_sets_before_it_imports_theano_hold(monkeypatch):
    install()
    config = symae.theano.config
    monkeypatch.setattr("symae.theano._impl.configuration._read", "")
    monkeypatch.setenv("THEANO_FLAGS", "on_unused_input=warn")
    try:
        assert importlib.import_module("theano").config.on_unused_input == "warn"
    finally:
        config.on_unused_input = "raise"


def test_where_the_real_one_is_installed_one_line_says_so(package, capsys):
    package("real = True", "theano")
    install()
    assert importlib.import_module("theano") is symae.theano
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "import theano gives symae.theano, not " in line
    uninstall()
    assert importlib.import_module("theano").real


def test_once_the_real_one_has_been_imported_it_stays(package):
    package("real = True", "theano")
    importlib.import_module("theano")
    with pytest.raises(InputError, match=r"found theano imported from .*__init__.py, expected a call before"):
        install()
    assert importlib.import_module("theano").real


def test_a_package_alone_is_given_by_its_name(package):
    package("value = xrange")
    install("oldlib")
    assert importlib.import_module("oldlib").value is range


@pytest.mark.parametrize("packages", [3, ["oldlib", 3], None, b"oldlib"])
def test_what_is_no_name_of_a_package_is_refused(packages):
    with pytest.raises(InputError, match=r"found .*, expected names of packages"):
        install(packages)


def test_the_plugin_gives_no_warning_of_pytests(tmp_path):
    (tmp_path / "test_old.py").write_text("import theano\n\ndef test():\n    assert theano.__name__ == 'symae.theano'\n")
    command = [sys.executable, "-m", "pytest", "-W", "error", "-p", "symae.theano.plugin"]
    done = subprocess.run([*command, "-p", "no:cacheprovider", "test_old.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


OLD = """
import collections, itertools, inspect
import imp, cPickle, six
import numpy as np
import numpy.random
import scipy.misc
import scipy.signal as signal
from six.moves import xrange as range_, cPickle as pickle_
from scipy.signal import gaussian
from scipy.misc import imresize, logsumexp
from numpy import float as float_of_numpy

whole = np.int, np.float_, np.cast["float32"](1.5), np.alltrue([True])
drawn = np.random.random_integers(1, 1, 3)
python2 = xrange, unicode, basestring, itertools.izip, inspect.getargspec, collections.Mapping
same = signal.gaussian(5, 1) == gaussian(5, 1)
numpy.random.mark_of_oldlib = "set"
"""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_packages_find_what_numpy_scipy_and_python_2_had(package, monkeypatch):
    package(OLD)
    monkeypatch.setattr(np.random, "mark_of_oldlib", None, raising=False)
    install(["oldlib"])
    old = importlib.import_module("oldlib")
    assert old.whole == (int, np.float64, np.float32(1.5), True)
    assert old.float_of_numpy is float
    assert old.drawn.tolist() == [1, 1, 1]
    assert old.same.all()
    assert old.logsumexp([0.0, 0.0]) == pytest.approx(np.log(2))
    assert old.six.moves.xrange is range
    assert old.np.random.mark_of_oldlib == np.random.mark_of_oldlib == "set"
    assert old.np.linalg is np.linalg


def test_numpy_takes_in_old_packages_what_it_took(package):
    text = "import numpy as np\nx = np.array([[1, 2], [3]])\ny = np.linspace(0, 1, num=3.)[1.]\nz = -(np.ones(2) > 2)\n"
    package(text)
    package(text, "newlib")
    install(["oldlib"])
    old = importlib.import_module("oldlib")
    assert (old.x.dtype, old.y, old.z.tolist()) == (object, 0.5, [True, True])
    with pytest.raises(ValueError, match="inhomogeneous"):
        importlib.import_module("newlib")


def test_no_other_module_sees_these_names(package):
    package("import numpy as np\nxrange, np.float_")
    install(["oldlib"])
    importlib.import_module("oldlib")
    assert not hasattr(np, "float_")
    package("xrange", "newlib")
    with pytest.raises(NameError):
        importlib.import_module("newlib")


def test_a_name_that_numpy_has_lost_is_set_for_old_packages_alone(package):
    package("import numpy as np, numpy\nnp.cast = 3\nnumpy.int = 'int'\nfound = np.cast, numpy.int, 'cast' in dir(np)\n"
            "del np.cast\ngone = hasattr(np, 'cast')\nnp.cast = 4\n")  # fmt: skip
    install(["oldlib"])
    old = importlib.import_module("oldlib")
    assert (old.found, old.gone, old.np.cast) == ((3, "int", True), False, 4)
    assert {"cast", "int"}.isdisjoint(vars(np))


def test_a_modules_loader_can_be_copied(package):
    package("kind = 1")
    install(["oldlib"])
    loader = importlib.import_module("oldlib").__loader__
    assert copy.copy(loader).get_filename("oldlib") == loader.get_filename("oldlib")


def test_libraries_of_the_table_need_not_be_named(package):
    package("import numpy\nfound = numpy.float", "lasagne")
    install()
    assert importlib.import_module("lasagne").found is float


def test_keras_is_old_up_to_its_second_version(package, monkeypatch):
    package("import numpy\nfound = hasattr(numpy, 'float_')", "keras")
    monkeypatch.setattr("importlib.metadata.version", lambda name: {"keras": "3.4.1"}[name])
    install()
    assert not importlib.import_module("keras").found


def test_a_package_of_python_2_is_an_error_that_says_what_to_do(package):
    folder = package("x = 1\nprint x\n")
    install(["oldlib"])
    with pytest.raises(SyntaxError, match=r"line 2: found a line that is not Python 3's .* symae port --in-place") as error:
        importlib.import_module("oldlib")
    assert str(folder) in str(error.value)


CHILDREN = """
import multiprocessing, sys
import numpy
import theano, oldlib

def found(i):
    return theano.__name__, oldlib.kind.__name__, theano.shared(i).get_value()

if __name__ == "__main__":
    print(sys.argv, numpy.float)
    for how in multiprocessing.get_all_start_methods():
        with multiprocessing.get_context(how).Pool(1) as pool:
            print(pool.map(found, [3]))
    import lasagne.nonsense
"""


def test_a_script_and_its_children_import_theano(tmp_path, package):
    package("import numpy\nkind = numpy.int")
    (tmp_path / "script.py").write_text(CHILDREN, encoding="utf-8")
    result = run(tmp_path, "--legacy-packages", "oldlib,__main__", "script.py", "-m", "7")
    first, *children = result.stdout.splitlines()
    assert first == "['script.py', '-m', '7'] <class 'float'>"
    assert children
    assert set(children) == {"[('symae.theano', 'int', array(3))]"}
    assert result.returncode == 2
    assert result.stderr.startswith("symae: error: script.py, line 14: No module named 'lasagne")
    assert "pip install" in result.stderr
    assert result.stderr.count("\n") == 1


TESTED = """
import theano, oldlib

def test_one():
    assert theano.__name__ == "symae.theano"
    assert oldlib.kind is int
"""


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["-m", "pytest"], id="alone"),
        pytest.param(["-m", "pytest", "-n", "1"], id="workers", marks=pytest.mark.default_mode),
    ],
)
def test_pytest_runs_tests_of_old_packages(tmp_path, package, arguments):
    package("import numpy\nkind = numpy.int")
    (tmp_path / "test_old.py").write_text(TESTED, encoding="utf-8")
    result = run(tmp_path, *arguments, "-q", "--legacy-packages", "oldlib", "test_old.py")
    assert "1 passed" in result.stdout, result.stdout + result.stderr


FAILING = """
import numpy as np

def test_one():
    x = np.ones((2, 3))[[slice(None), 1.0]]
    assert x.shape == (2,)
    assert x.size == 3, "counted"

def test_two():
    assert np.zeros(2.0).size == 2 and not (np.ones(2) == np.ones(3))
"""


def test_pytest_says_of_old_test_modules_what_an_assertion_compared(tmp_path):
    (tmp_path / "test_old.py").write_text(FAILING, encoding="utf-8")
    result = run(tmp_path, "-m", "pytest", "-q", "--legacy-packages", "test_old", "test_old.py")
    assert "1 failed, 1 passed" in result.stdout, result.stdout + result.stderr
    assert "AssertionError: counted" in result.stdout
    assert "assert 2 == 3" in result.stdout
    assert "test_old.py:7: AssertionError" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nothing.py"], "symae: error: nothing.py: found no such file, expected a script\n"),
        ([], "python -m symae.theano: error: expected a script, or a module after -m\n"),
        (["-m", "nothing.at.all"], "symae: error: No module named 'nothing'"),
        (["."], "symae: error: .: found a folder, expected a script; -m pytest runs the tests in a folder\n"),
        (["-m", "xml"], "symae: error: -m xml: found a package without __main__, expected a module, or a package that"),
    ],
)
def test_what_cannot_be_run_is_one_line(tmp_path, arguments, line):
    result = run(tmp_path, *arguments)
    assert result.returncode == 2
    assert result.stderr.startswith(line)
    assert result.stderr.count("\n") == 1


OLD_PACKAGE = "No module named 'ConfigParser'; --legacy-packages oldlib gives it to oldlib, as it was"


@pytest.mark.parametrize(
    ("script", "library", "line"),
    [
        ("import nosuch", "", "script.py, line 1: No module named 'nosuch'; expected a module beside the script, or an"),
        ("import theano.tensor as T\nT.tensordott", "", "script.py, line 2: theano.tensor.tensordott is not in symae.theano: "),
        ("from theano.tensor import tensordott", "", "script.py, line 1: theano.tensor.tensordott is not in symae.theano: "),
        (
            "import theano.tensor as T\nT.tensordott",
            "",
            "nothing is known here that takes its place; names close to it: tensordot",
        ),
        ("import theano.nonsense", "", "takes its place\n"),
        ("print 1", "", "script.py, line 1: found a line that is not Python 3's (Missing parentheses in call to 'print'."),
        ("print 1", "", "symae port --in-place rewrites script.py from Python 2\n"),
        ("import oldlib", "print 1", "oldlib/__init__.py, line 1: found a line that is not Python 3's (Missing paren"),
        ("import oldlib", "import ConfigParser", f"script.py, line 1: {OLD_PACKAGE}\n"),
        ("x = xrange(3)", "", "name 'xrange' is not defined; --legacy-packages __main__ gives it to __main__, as it was\n"),
        ("import oldlib", "import numpy\nnumpy.float", "module 'numpy' has no attribute 'float'.; --legacy-packages oldlib"),
        ("import oldlib", "import numpy\nnumpy.cast", "--legacy-packages oldlib gives it to oldlib, as it was\n"),
        ("import oldlib", "from collections import Mapping", "; --legacy-packages oldlib gives it to oldlib, as it was\n"),
    ],
)
def test_what_a_program_or_library_lacks_is_one_line_with_what_to_do(
    script, library, line, package, tmp_path, monkeypatch, capsys
):
    package(library)
    (tmp_path / "script.py").write_text(script)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", sys.argv[:])
    monkeypatch.setattr(sys, "path", sys.path[:])
    assert main(["script.py"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("symae: error: ")
    assert line in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("script", "error", "said"),
    [
        ("assert 1 == 2, 'own'", AssertionError, "own"),
        ("eval('1 +')", SyntaxError, "invalid syntax"),
        ("import types\ntypes.ModuleType('own').nothing", AttributeError, "module 'own' has no attribute 'nothing'"),
    ],
)
def test_an_error_of_the_programs_own_keeps_its_traceback(script, error, said, tmp_path, monkeypatch):
    (tmp_path / "script.py").write_text(script)
    monkeypatch.setattr(sys, "argv", sys.argv[:])
    monkeypatch.setattr(sys, "path", sys.path[:])
    with pytest.raises(error, match=said):
        main([str(tmp_path / "script.py")])


REFUSED = "def read():\n    import symae\n    symae.load_data('nowhere.npz')\n\n\nread()\n"


@pytest.mark.parametrize("arguments", [["refused.py"], ["-m", "refused"]], ids=["script", "module"])
def test_input_that_the_program_cannot_use_is_one_line_with_the_programs(tmp_path, arguments, monkeypatch):
    (tmp_path / "refused.py").write_text(REFUSED, encoding="utf-8")
    result = run(tmp_path, *arguments)
    assert result.returncode == 2
    assert re.fullmatch(r"symae: error: (\S*/)?refused\.py, line 3: nowhere\.npz: found no such file, .*\n", result.stderr)
    monkeypatch.setenv("SYMAE_TRACEBACK", "1")
    full = run(tmp_path, *arguments)
    assert full.returncode == 2
    assert full.stderr.startswith("Traceback")
    assert full.stderr.endswith(result.stderr)
