"""A backend is a file: what there is of it elsewhere comes from there."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from pytensor.link.vm import VMLinker

import symae
from symae import BackendError, function, rewrites
from symae.compile import backends
from symae.compile.backends import BACKENDS, BY_NAME, DEFAULT
from symae.compile.backends.base import Backend, build_with
from symae.compile.loops import PythonLoop, loop_over
from symae.compile.loops.base import IndexedStep
from symae.ops.traced import Arrays, TracedOp
from symae.runs.options import worksheet_parser

DOCS = Path(__file__).parents[2] / "docs"


def table(page, heading):
    """Return the rows of the table whose first column is called `heading`, on a page of docs/."""
    text = (DOCS / page).read_text(encoding="utf-8")
    (rows,) = re.findall(rf"^\| {re.escape(heading)} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.M)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows.splitlines()]


@pytest.fixture
def interpreted(monkeypatch):
    """Add a backend, as its file would have it: NumPy computes each node by its definition."""
    mode = Mode(VMLinker(use_cloop=False, c_thunks=False), "fast_run")
    backend = Backend(name="interpreted", title="NumPy", compiler="none", mode=mode, one_program=False)
    monkeypatch.setitem(backends.BY_NAME, backend.name, backend)
    return backend


def test_each_file_is_a_backend_of_its_name():
    files = {file.stem for file in Path(backends.__file__).parent.glob("*.py")} - {"__init__", "base"}
    assert set(BACKENDS) == files
    assert all(backend.name == name for name, backend in BY_NAME.items())


def test_the_default_comes_first_then_what_compiles_ahead_then_double_precision():
    assert BACKENDS[0] == DEFAULT
    ranks = [(not b.compiles_ahead, "float64" not in b.floats) for b in BY_NAME.values()]
    assert ranks == sorted(ranks)
    assert symae.compile.BACKENDS == BACKENDS


def test_the_docs_have_each_backend_with_what_it_needs():
    def needs(backend):
        return f'`pip install "symae[{backend.extra}]"`' if backend.extra else f"`{backend.program}`" if backend.program else ""

    assert table("backends.md", "`backend=`") == [[f'`"{name}"`', b.compiler, needs(b)] for name, b in BY_NAME.items()]


def test_the_docs_say_on_which_backends_the_rewrites_are():
    def on(rewrite):
        tag = rewrites.tag(rewrites.need(rewrite))
        titles = [backend.title for backend in BY_NAME.values() if tag in backend.tags]
        return "all" if len(titles) == len(BY_NAME) else ", ".join(titles)

    for names, _, where in table("speed.md", "rewrite"):
        assert where == "; ".join(dict.fromkeys(on(name) for name in re.findall(r"`(\w+)`", names)))


def test_a_backend_more_is_compiled_for_like_the_others(interpreted):
    x, w = pt.dmatrix("x"), pytensor.shared(np.ones((2, 2)), name="w")
    f = function([x], pt.sigmoid(x @ w), backend="interpreted")
    np.testing.assert_allclose(f(np.zeros((1, 2))), [[0.5, 0.5]])


def test_a_backend_that_lacks_something_says_what(interpreted, monkeypatch):
    lacking = dataclasses.replace(interpreted, lacking=lambda: ("no abacus", "one on the desk"))
    monkeypatch.setitem(backends.BY_NAME, "interpreted", lacking)
    with pytest.raises(BackendError, match="backend 'interpreted': found no abacus, expected one on the desk"):
        function([], [], backend="interpreted")


def test_an_op_without_a_method_for_a_backend_is_computed_in_its_array_namespace():
    class Doubled(TracedOp):
        __props__ = ()

        perform = None

        def traced(self, xp, node, x):
            return xp.concatenate([x, x], 0)

    class Tripled(Doubled):
        def interpreted(self, node):
            return lambda x: np.concatenate([x, x, x])

    class OfNumPy:
        concatenate = staticmethod(np.concatenate)

    build = build_with(OfNumPy)
    np.testing.assert_array_equal(build("interpreted", Doubled(), None)(np.ones(1)), np.ones(2))
    np.testing.assert_array_equal(build("interpreted", Tripled(), None)(np.ones(1)), np.ones(3))


@pytest.mark.parametrize("name", [name for name, backend in BY_NAME.items() if backend.array_namespace])
def test_an_array_namespace_has_all_functions_that_ops_are_written_in(name):
    pytest.importorskip(BY_NAME[name].module)
    wanted = {name for name in vars(Arrays) if not name.startswith("_")}
    assert wanted <= set(dir(BY_NAME[name].array_namespace()))


def test_a_backend_without_a_loop_is_called_from_python(interpreted):
    index = pt.lscalar("index")
    step = function([index], index * 1.5, backend="interpreted")
    loop = loop_over(step)
    assert isinstance(loop, IndexedStep)
    assert loop.run(2, 5) == [[3.0]]
    assert isinstance(loop_over(lambda index: index), PythonLoop)


def test_the_worksheets_take_each_backend():
    parser = worksheet_parser("01", "A worksheet", 1, None, "float64")
    assert [parser.parse_args(["--backend", name]).backend for name in BACKENDS] == list(BACKENDS)
    assert parser.parse_args([]).backend == DEFAULT
