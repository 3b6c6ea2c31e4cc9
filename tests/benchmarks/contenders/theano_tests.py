"""Runs one of Theano's test files under pytest; a script for ``symae run``, called by ``theano_unit_tests.py``.

    symae run theano_tests.py FOLDER FILE LIMIT [SKIPPED]

Run by a Python with real Theano it runs the same file, by the same names of tests, there.

`FOLDER` is Theano's, `FILE` the test file's path in it, of which a copy lies beside this script. ``theano`` is symae's by the
hook of ``symae run``; only what lies in folders called ``tests`` is Theano's own. Names that the tests import and that are not
here are answered by something that can be imported and subclassed but not used, so that one of them fails not more than the
tests that need it. For every test there is a line when it begins and one when it ends.
"""

import ast
import functools
import importlib
import inspect
import json
import signal
import sys
import traceback
from contextlib import ExitStack, contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest import SkipTest, TestCase, mock

import numpy as np
import pytest
import scipy.linalg
import scipy.special
import theano

FOLDER, FILE, LIMIT = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
SKIPPED = set(json.loads(sys.argv[4])) if len(sys.argv) > 4 else set()
REAL = "symae" not in sys.modules


def say(**event):
    print("\n@@" + json.dumps(event), flush=True)


class OwnTests:
    """Finds ``theano.….tests`` and the modules in it, in their copies beside this script."""

    def find_spec(self, fullname, path=None, target=None):
        parts = fullname.split(".")
        if parts[0] != "theano" or "tests" not in parts:
            return None
        if parts[-1] == "tests":
            return ModuleSpec(fullname, self, is_package=True)
        copy = "_".join(parts)
        original = FOLDER.joinpath(*parts[1:]).with_suffix(".py")
        if not original.is_file():
            return None
        fill_in(original)
        module = importlib.import_module(copy)
        setattr(module, copy, module)  # some tests look for themselves by their full name
        return ModuleSpec(fullname, self, loader_state=module)

    def create_module(self, spec):
        return spec.loader_state

    def exec_module(self, module):
        pass


class Missing(type):
    """The class of what is not in `symae.theano`."""

    def __call__(cls, *args, **kwargs):
        raise AttributeError(cls.missing)

    def __instancecheck__(cls, instance):
        raise AttributeError(cls.missing)


def module_of(name):
    """Return the module, or an empty one of that name where there is none."""
    try:
        return importlib.import_module(name)
    except (ImportError, SkipTest):
        module = sys.modules[name] = ModuleType(name)
        parent, _, last = name.rpartition(".")
        setattr(module_of(parent), last, module)
        return module


def fill_in(path):
    """Answer the names that are not here and that a test file needs to be loaded: in imports, and outside of functions."""
    tree = ast.parse(path.read_text())
    modules = {"theano": "theano"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name, local in [(alias.name, alias.asname) for alias in node.names]:
                if name.partition(".")[0] == "theano":
                    modules[local or "theano"] = module_of(name) and (name if local else "theano")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "theano":
            for alias in node.names:
                if alias.name != "*":
                    modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                    supply(node.module, alias.name)
    for node in reversed(list(outside_of_functions(tree))):
        place, _, name = ast.unparse(node).rpartition(".") if isinstance(node, ast.Attribute) else ("", "", "")
        root, dot, rest = place.partition(".")
        place = modules[root] + dot + rest if root in modules else ""
        if place and is_module(place):
            supply(place, name)


def outside_of_functions(node):
    yield node
    inside = node.body if isinstance(node, ast.FunctionDef) else []
    for child in ast.iter_child_nodes(node):
        if child not in inside:
            yield from outside_of_functions(child)


def supply(place, name):
    """Give a module of Theano's a name that it has not."""
    module = module_of(place)
    if not hasattr(module, name) and not is_module(f"{place}.{name}"):
        setattr(module, name, Missing(name, (), {"missing": f"{place}.{name} is not in symae.theano"}))


def is_module(name):
    try:
        return bool(importlib.import_module(name))
    except (ImportError, SkipTest):
        return False


def run_to_the_end(test):
    """Return what nose did with a test that yields tests."""

    @functools.wraps(test)
    def run(*args):
        for each in test(*args):
            function, *given = each if isinstance(each, tuple) else (each,)
            function(*given)

    run.__wrapped__ = None
    del run.__wrapped__
    return run


def kron(a, b):
    """Return SciPy's product of then, which is NumPy's for matrices only."""
    return np.concatenate(np.concatenate(np.multiply.outer(a, b), axis=1), axis=1)


def with_floats(ufunc):
    """Return what NumPy's rounding was: floats, of whole numbers too."""

    def rounded(x, *args, **kwargs):
        result = ufunc(x, *args, **kwargs)
        return result.astype(np.result_type(result.dtype, np.float16))

    rounded.nin, rounded.nout = 1, 1
    return rounded


def with_narrow_floats(ufunc):
    """Return what SciPy's function was: float32, of whole numbers of 8 and 16 bits."""

    def computed(*args):
        is_narrow = [isinstance(x, np.ndarray) and x.dtype.itemsize < 4 for x in args]
        result = ufunc(*(x.astype("f4") if narrow else x for x, narrow in zip(args, is_narrow, strict=True)))
        return result.astype("f4") if any(is_narrow) else result

    return computed


FORMER = [(np, name, with_floats) for name in ("floor", "ceil", "trunc")]
FORMER += [
    (scipy.special, name, with_narrow_floats)
    for name in ["erf", "erfc", "erfcx", "gamma", "gammaln", "psi", "j0", "j1", "jv", "i0", "i1", "iv", "gammainc", "gammaincc"]
]
FORMER += [(scipy.special, "polygamma", with_narrow_floats)]


@contextmanager
def as_they_were():
    """Let a test file take from NumPy and SciPy, as long as the block lasts, what they gave when it was written."""
    with ExitStack() as former:
        for module, name, wrapped in FORMER:
            former.enter_context(mock.patch.object(module, name, wrapped(getattr(module, name))))
        yield


def skip_if(condition, message=""):
    return pytest.mark.skipif(condition, reason=message or "so it says")


class Plugin:
    """Tells what becomes of each test, and ends those that take too long."""

    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if item.name_of_it not in SKIPPED]

    def pytest_itemcollected(self, item):
        item.name_of_it = item.nodeid.partition("::")[2]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        say(begin=item.name_of_it)
        signal.signal(signal.SIGALRM, too_long)
        signal.alarm(LIMIT)
        try:
            return (yield)
        finally:
            signal.alarm(0)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        if report.when == "call" or not report.passed:
            error = call.excinfo
            reason = "" if error is None else "".join(traceback.format_exception_only(error.type, error.value)).strip()
            text = "" if error is None else "".join(traceback.format_exception(error.type, error.value, error.tb))
            line = "" if error is None else last_line(error.tb)
            say(end=item.name_of_it, outcome=report.outcome, reason=reason[:3000], text=text[-8000:], line=line)
        return report

    def pytest_collectreport(self, report):
        if report.failed:
            name = f"collecting {report.nodeid.partition('::')[2] or 'the file'}"
            text = str(report.longrepr)
            say(end=name, outcome="failed", reason=text.strip().splitlines()[-1], text=text[-8000:], line="")


def last_line(trace):
    """Return the last line of Theano's tests in a traceback."""
    lines = [frame.line for frame in traceback.extract_tb(trace) if Path(frame.filename).name.startswith("theano_")]
    return lines[-1] if lines else ""


def too_long(number, frame):
    raise TimeoutError(f"longer than {LIMIT} s")


def stand_in():
    """Put Theano's tests among the modules of symae's ``theano``."""
    theano.__file__ = str(FOLDER / "__init__.py")  # beside which tests look for their data
    sys.meta_path.insert(0, OwnTests())
    np.MAXDIMS, np.linalg.linalg, scipy.linalg.kron = 32, np.linalg, kron  # which NumPy and SciPy had then
    # What they ask for besides values: whether Theano had found SciPy, and which lines a node comes from.
    for place in ("theano.tensor.nnet.conv", "theano.tensor.nnet.abstract_conv"):
        importlib.import_module(place).imported_scipy_signal = True
    importlib.import_module("theano.gof.opt").check_stack_trace = lambda *args, **kwargs: True


def main():
    np.testing.dec = SimpleNamespace(skipif=skip_if, slow=lambda test: test)
    if not REAL:
        stand_in()
    with as_they_were():
        module = importlib.import_module("theano." + FILE[: -len(".py")].replace("/", "."))
    module.theano = theano  # which some have from an "import *" only
    for owner in [module, *(value for value in vars(module).values() if inspect.isclass(value))]:
        for name, value in list(vars(owner).items()):
            if name.startswith("test") and inspect.isgeneratorfunction(value):
                setattr(owner, name, run_to_the_end(value))
        if hasattr(owner, "setUp") and not issubclass(owner, TestCase):
            owner.setup_method = owner.setUp  # as nose did
        if hasattr(owner, "check_name"):
            owner.check_name = False  # whether a module of Theano's has the test
    beside = Path(module.__file__).parent
    ini = (Path.cwd() if REAL else beside) / "pytest.ini"
    options = ["-s", "--assert=plain", "-c", str(ini), f"--rootdir={beside}", f"--confcutdir={beside}"]
    options += [option for plugin in ("terminal", "warnings", "cacheprovider") for option in ("-p", f"no:{plugin}")]
    status = pytest.main([*options, module.__file__], plugins=[Plugin()])
    assert status in (0, 1, 5), f"pytest ended with {status}"


try:
    main()
except Exception:
    say(end="importing the file", outcome="failed", reason=traceback.format_exc().strip().splitlines()[-1],
        text=traceback.format_exc()[-8000:], line="")  # fmt: skip
say(done=True)
