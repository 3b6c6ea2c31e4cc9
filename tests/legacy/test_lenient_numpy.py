"""NumPy takes what it took when scripts were written, in the script's modules; libraries see NumPy as it is."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from symae.legacy.python2_builtins import builtins_for
from symae.legacy.python2_semantics import compiled
from symae.python2.convert import parse_text

pytest.importorskip("fissix")

MASK = np.array([True, True, False])
OTHER = np.array([True, False, False])


def computed(expression: str, python2: bool = False, **names: object) -> object:
    """Return what an expression of a source of that time is."""
    version = "python2" if python2 else "either"
    text = f"print '',\nx = {expression}\n" if python2 else f"x = {expression}\n"
    names |= {"np": np, "m": MASK, "o": OTHER, "a": np.arange(6).reshape(2, 3), "r": np.array([(1, 2, 3)], "u1, u1, u1")}
    names["r"].dtype.names = "u", "v", "w"
    names |= {"Size": namedtuple("Size", "rows columns"), "Array": type("Array", (np.ndarray,), {})}
    names["__builtins__"] = builtins_for(version, __import__)
    exec(compiled(parse_text(text, Path("old.py"))), names)
    return names["x"]


@pytest.mark.parametrize("python2", [False, True])
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # sizes
        *((f"{call}.shape", shape) for call, shape in {
            "np.linspace(0, 1, num=10.)": (10,), "np.linspace(0, 1, 10.7)": (10,), "np.eye(2.)": (2, 2),
            "np.random.randn(3., 2.9)": (3, 2), "np.random.rand(3.)": (3,), "np.random.permutation(5.)": (5,),
            "np.random.uniform(0.5, 1., (3., 2))": (3, 2), "np.random.normal(0., 1., size=4.)": (4,),
            "np.random.RandomState(1).uniform(low=0.5, high=1., size=(3., 2.))": (3, 2),
            "np.random.RandomState(1).binomial(1, 0.5, 3.)": (3,), "np.random.choice(5, 3.)": (3,),
            "np.random.RandomState(1).randint(0, 5, 3.)": (3,), "np.full((2., 3), 1.)": (2, 3), "np.tile([1, 2], 2.)": (4,),
            "np.tile(a, (2., 1))": (4, 3), "np.zeros(Size(2., 3))": (2, 3), "a[Size(slice(0, 1), 1.)]": (1,),
            "a.view(Array).reshape(3., 2)": (3, 2),
            "np.zeros((2.5, 3))": (2, 3),
            "a.reshape(3., 2)": (3, 2), "np.reshape(a, (3., 2))": (3, 2), "np.indices((2., 2))": (2, 2, 2),
            "a.sum(axis=1.)": (2,), "a.sum(0.)": (3,), "np.sum(a, 0.)": (3,), "np.concatenate([a, a], axis=0.)": (4, 3),
            "np.fft.fft([1, 2, 3], 4.)": (4,), "np.bincount([0, 1, 1], minlength=4.)": (4,), "np.diag([1, 2], 1.)": (3, 3),
        }.items()),
        # rounding
        ("np.ceil(5) / 2", 2.5),
        ("[f(a).dtype.name for f in (lambda x: np.floor(x), lambda x: np.fix(x // 2))]", ["float64", "float64"]),
        ("[np.trunc(np.int8(3)).dtype.name, np.floor(2.5)]", ["float16", 2.0]),
        # indices
        ("a[1.0].tolist()", [3, 4, 5]),
        ("a[1.0, 2.9]", 5),
        ("a[:, 1.].tolist()", [1, 4]),
        ("a[:, np.array([0., 2.])].tolist()", [[0, 2], [3, 5]]),
        ("a[[slice(0, 1), slice(1, 3)]].tolist()", [[1, 2]]),
        ("a[[[0, 1], [1, 0]]].tolist()", [1, 3]),
        ("a[[None, Ellipsis]].shape", (1, 2, 3)),
        ("a[[1, 0]].tolist()", [[3, 4, 5], [0, 1, 2]]),
        ("{0.5: 'half'}[0.5]", "half"),
        ("a[0:1., 1.5:].tolist()", [[1, 2]]),
        ("'abcd'[:2.5]", "ab"),
        ("np.mgrid[0:1:0.25].tolist()", [0, 0.25, 0.5, 0.75]),
        ("[g.shape for g in np.ogrid[0:1:.5, 0:2:1]]", [(2, 1), (1, 2)]),
        ("np.r_[0:1:3j, 0:.5:.25].tolist()", [0, 0.5, 1, 0, 0.25]),
        ("a[[[0, 1], slice(1, 3)]].tolist()", [[1, 2], [4, 5]]),
        ("r[['u', 'v']].dtype.names", ("u", "v")),
        ("r[['u', 'v']][0].tolist()", (1, 2)),
        # arrays of arrays
        ("np.array([[1, 2], [3]]).dtype.kind", "O"),
        ("np.asarray([[1, 2], [3]]).tolist()", [[1, 2], [3]]),
        ("np.array([[1, 2], [3]], ndmin=3).shape", (1, 1, 2)),
        ("np.asarray([[1, 2], [3]], None, 'F').shape", (2,)),
        ("np.array([300], dtype='uint8', ndmin=2).tolist()", [[44]]),
        ("np.array([300, -1], dtype='uint8').tolist()", [44, 255]),
        ("np.uint8(300)", 44),
        # masks
        ("(m - o).tolist()", [False, True, False]),
        ("(-m).tolist()", [False, False, True]),
        ("(1 - m).tolist()", [0, 0, 1]),
        # numbers and comparisons
        ("float(np.array([[1.5]]))", 1.5),
        ("int(np.array([2.5]))", 2),
        ("'%.2f %d' % (np.array([1.5]), np.array([[2]]))", "1.50 2"),
        ("'%.1f' % np.array([1.5])", "1.5"),
        ("__import__('math').exp(np.array([0.]))", 1.0),
        ("np.array([1, 2]) == np.array([1, 2, 3])", False),
        ("np.array([1, 2]) != []", True),
        ("(np.array([1, 2]) == np.array([1, 3])).tolist()", [True, False]),
        # parts from a generator, names of arguments
        ("np.vstack(np.ones(2) for _ in range(3)).shape", (3, 2)),
        ("np.sum(i for i in range(4))", 6),
        ("np.unique([[3, 1], [1, 3]], return_inverse=True)[1].tolist()", [1, 0, 0, 1]),
        ("np.unique([[3, 1], [1, 3]], True, True, True)[2].tolist()", [1, 0, 0, 1]),
        ("np.histogram([1, 2, 3], bins=2., normed=True)[0].tolist()", [1 / 3, 2 / 3]),
    ],
)  # fmt: skip
def test_expressions(expression, expected, python2):
    value = computed(expression, python2)
    assert value == expected
    assert not isinstance(value, np.ndarray)


def changed(statements: str, **names: object) -> dict[str, object]:
    names |= {"np": np, "__builtins__": builtins_for("either", __import__)}
    exec(compiled(parse_text(statements, Path("old.py"))), names)
    return names


def test_what_is_put_into_arrays():
    names = changed(
        "x[1.] = 5\ny[0] = np.array([2.5])\nz[0] = -1\nw[[slice(0, 1), slice(1, 3)]] = 7\nd = {}\nd[0.5] = 1\nx[0:2.] = 3\n",
        x=np.zeros(4), y=np.zeros(2), z=np.zeros(2, "uint8"), w=np.zeros((2, 3)),
    )  # fmt: skip
    assert [names[k].tolist() for k in "xyzw"] == [[3, 3, 0, 0], [2.5, 0], [255, 0], [[0, 7, 7], [0, 0, 0]]]
    assert names["d"] == {0.5: 1}


def test_in_place_results_are_cut_to_the_arrays_type():
    x = np.arange(4)
    names = changed("y = x\nx += 1.5\nm -= o\nt += 'b'\nl += [2]\nf *= 0.5\n", x=x, m=MASK.copy(), o=OTHER, t="a", l=[1], f=3.0)
    assert names["x"] is names["y"] is x
    assert x.tolist() == [1, 2, 3, 4]
    assert (names["m"].tolist(), names["t"], names["l"], names["f"]) == ([False, True, False], "ab", [1, 2], 1.5)


def test_several_fields_are_assigned_at_once():
    names = changed("r[['f0', 'f2']] = q\n", r=np.zeros(1, "u1, u1, u1"), q=np.array([(4, 5)], "u1, u1"))
    assert names["r"].tolist() == [(4, 0, 5)]


# What the pass itself calls has names that no script has.
@pytest.mark.parametrize("python2", [False, True])
@pytest.mark.parametrize("name", ["slice", "int", "float", "getattr", "tuple", "list", "type", "isinstance"])
def test_scripts_may_give_their_variables_any_built_in_name(name, python2):
    text = f"def f(x):\n    i, {name} = 1., 0\n    x[:, i] = x[1, {name}:2]\n    x[:, {name}] /= 2\n"
    text += f"    return x[{name}:, i] - -x[0]\n"
    text += "d = {2: 3}\nprint '',\n" if python2 else ""
    names = changed(text)
    assert names["f"](np.arange(4.0).reshape(2, 2)).tolist() == [2, 5]


def test_each_side_is_computed_once_and_in_its_order():
    names = changed(
        "said = []\ndef say(x):\n    said.append(x)\n    return x\n"
        "d = {}\n(say(d) or d)[say(2)] = say(1)\ne = say(5) - say(3)\n"
    )
    assert names["said"] == [1, names["d"], 2, 5, 3]


@pytest.mark.parametrize("name", ["zeros", "reshape", "array", "randn", "sum", "exp", "uint8", "float"])
def test_a_call_that_fails_is_made_once(name):
    text = f"calls = []\ndef {name}(*given):\n    calls.append(given)\n    raise TypeError('my own')\n"
    for given in ("2.5", "(2., 3)", "np.ones(1)"):
        names: dict[str, object] = {"np": np, "__builtins__": builtins_for("either", __import__)}
        with pytest.raises(TypeError, match="my own"):
            exec(compiled(parse_text(f"{text}{name}({given})\n", Path("old.py"))), names)
        assert len(names["calls"]) == 1


def test_a_call_of_numpys_is_repeated_only_with_other_arguments():
    calls = []

    class Number:
        def __array__(self, *_, **__):
            calls.append(self)
            raise TypeError("no array")

    for call in ("np.sum(n)", "np.array([n], float)", "np.exp(n)", "np.zeros(n)", "np.reshape(n, 3)"):
        calls.clear()
        with pytest.raises(TypeError):
            eval(call, {"np": np, "n": Number()})
        once = len(calls)
        calls.clear()
        with pytest.raises(TypeError):
            changed(f"x = {call}\n", n=Number())
        assert len(calls) == once


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("[1, 2][1.0]", TypeError),
        ("np.arange(3)[7.]", IndexError),
        ("np.arange(3)['a']", IndexError),
        ("np.uint8('a')", ValueError),
        ("np.zeros(1, int)\nx[0] = np.inf", OverflowError),
        ("np.zeros('a')", TypeError),
        ("np.array([[1, 2], [3]], dtype=float)", ValueError),
        ("np.arange(3) + np.arange(4)", ValueError),
        ("float(np.arange(3))", TypeError),
        ("'%d' % 'a'", TypeError),
        ("np.random.randn('a')", TypeError),
        ("np.zeros(3).sum(axis=4.)", ValueError),
    ],
)
def test_what_was_an_error_is_one(statement, error):
    with pytest.raises(error):
        changed(f"x = {statement}\n")


def test_libraries_see_numpy_and_scipy_as_they_are(tmp_path):
    library = tmp_path / "libraries" / "third"
    library.mkdir(parents=True)
    (tmp_path / "work").mkdir()
    (library / "__init__.py").write_text(
        "import numpy as np, scipy.signal\n"
        "def ragged(): return np.array([[1, 2], [3]])\n"
        "found = [hasattr(scipy.signal, 'gaussian'), hasattr(scipy, 'linspace')]\n"
        "for name in ('pkg_resources', 'cPickle', 'sklearn.cross_validation', 'scipy.misc.pilutil', 'Image'):\n"
        "    try:\n        __import__(name)\n        found.append(name)\n    except ImportError:\n        found.append(False)\n"
    )
    (tmp_path / "work" / "old.py").write_text(
        "import numpy as np, pkg_resources, scipy.misc, scipy.signal, cPickle, Image\n"
        "from sklearn.cross_validation import KFold, train_test_split\n"
        "from scipy.signal import gaussian\nfrom numpy.testing import Tester\n"
        "print np.array([[1, 2], [3]]).dtype, scipy.signal.gaussian(3, 1).round(4), gaussian(1, 1), scipy.linspace(0, 1, 2.)\n"
        "import third\nprint third.found\nthird.ragged()\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(library.parent), *sys.path])}
    command = [sys.executable, "-m", "symae", "run", "old.py"]
    done = subprocess.run(command, cwd=tmp_path / "work", env=environment, capture_output=True, text=True, check=False)
    theirs = "pkg_resources" if importlib.util.find_spec("pkg_resources") else False  # setuptools had it until 2026
    expected = [False, False, theirs, False, False, False, False]
    assert done.stdout == f"object [ 0.6065  1.      0.6065] [ 1.] [ 0.  1.]\n{expected}\n"
    assert (done.returncode, "inhomogeneous" in done.stderr) == (1, True)


def test_modules_that_are_gone_come_from_the_packages_they_were_in(run, tmp_path, monkeypatch):
    for file in ("sklearn/__init__.py", "sklearn/externals/__init__.py", "joblib.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    result = run("""
        from sklearn.externals import joblib
        from sklearn import cross_validation, externals
        import sys
        print joblib.__name__, cross_validation.KFold, externals.__name__, hasattr(sys.modules['sklearn'], 'cross_validation')
        from sklearn import nothing
    """)
    folds = "<class 'symae.shims.gone_modules._Folds'>"
    assert result.out == f"joblib {folds} sklearn.externals False\n"
    assert "cannot import name 'nothing' from 'sklearn'" in result.err
    for name in [name for name in sys.modules if name.partition(".")[0] in ("sklearn", "joblib")]:
        del sys.modules[name]


def test_packages_and_versions(run):
    result = run("""
        import numpy, pkg_resources
        from pkg_resources import parse_version, get_distribution, resource_exists
        print parse_version('0.10') > parse_version('0.9'), parse_version('0.6rc3.dev-x') < parse_version('0.7')
        print get_distribution('numpy').version == numpy.__version__, resource_exists('numpy', '__init__.py')
        print pkg_resources.require('numpy')[-1].project_name
        try:
            get_distribution('no-such-package')
        except pkg_resources.DistributionNotFound:
            print 'none'
    """)
    assert (result.status, result.out) == (0, "True True\nTrue True\nnumpy\nnone\n"), result.err


PKG_RESOURCES = """
from packaging.version import Version as parse_version
def get_distribution(name): return name + ' of the real one'
"""


def test_where_pkg_resources_is_installed_versions_of_the_time_compare(run, tmp_path, monkeypatch):
    # That of setuptools refuses a version that is none today.
    (tmp_path / "pkg_resources.py").write_text(PKG_RESOURCES)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "pkg_resources", raising=False)
    result = run("""
        import pkg_resources
        from pkg_resources import parse_version, get_distribution
        print parse_version('0.6rc3.dev-x') < pkg_resources.parse_version('0.7'), get_distribution('numpy')
    """)
    assert (result.status, result.out) == (0, "True numpy of the real one\n"), result.err
    monkeypatch.delitem(sys.modules, "pkg_resources", raising=False)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("train_test_split(range(4), test_sizes=0.5)", "TypeError"),
        ("train_test_split(range(4), range(5))", "found arrays of [4, 5] rows"),
        ("KFold(4, k=2)", "TypeError"),
    ],
)
def test_what_a_split_does_not_know_is_an_error(run, call, error):
    result = run(f"from sklearn.cross_validation import train_test_split, KFold\nprint '',\n{call}\n")
    assert result.status != 0
    assert error in result.err


def test_parts_of_the_same_classes_are_left_to_scikit_learn(run, monkeypatch):
    text = "from sklearn.cross_validation import train_test_split as split\nprint split('abc', test_size=1, stratify='aab')\n"
    if importlib.util.find_spec("sklearn") is None:
        assert "stratify without scikit-learn, expected it installed" in run(text).err
    selection = ModuleType("sklearn.model_selection")
    selection.train_test_split = lambda *arrays, **options: (arrays, sorted(options.items()))
    monkeypatch.setitem(sys.modules, "sklearn.model_selection", selection)
    monkeypatch.setitem(sys.modules, "sklearn", ModuleType("sklearn"))
    given = [("random_state", None), ("stratify", "aab"), ("test_size", 1), ("train_size", None)]
    assert run(text).out == f"{(('abc',), given)}\n"


def test_parts_for_training_and_tests_are_scikit_learns(run):
    # The first is the example in scikit-learn's documentation of the function, the second that of 0.17's KFold.
    result = run("""
        import numpy
        from sklearn.cross_validation import train_test_split, KFold
        for part in train_test_split(numpy.arange(10).reshape((5, 2)), range(5), test_size=0.33, random_state=42):
            print numpy.asarray(part).tolist(),
        print [(list(train), list(test)) for train, test in KFold(4, n_folds=2)], len(KFold(10, 4, shuffle=True))
        print [test.tolist() for train, test in KFold(3, 2, indices=False)]
    """)
    masks = "[[True, True, False], [False, False, True]]"
    parts = "[[4, 5], [0, 1], [6, 7]] [[2, 3], [8, 9]] [2, 0, 3] [1, 4]"
    assert (result.status, result.out) == (0, f"{parts} [([2, 3], [0, 1]), ([0, 1], [2, 3])] 4\n{masks}\n"), result.err
