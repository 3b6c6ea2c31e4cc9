"""symae.function: PyTensor's, on a backend by name."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections import OrderedDict

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from numba.core.caching import Cache

from symae import BackendError, InputError, compile_time, function
from symae.compile.backends import BY_NAME
from symae.compile.numba_calls import load_or_compile


def test_every_backend_computes_the_same(backend):
    x = pt.dmatrix("x")
    w = pytensor.shared(np.arange(6.0).reshape(2, 3), name="w")
    f = function([x], pt.sigmoid(x @ w).sum(axis=1), updates=[(w, w * 2)], backend=backend)
    value = np.array([[1.0, -1.0], [0.5, 2.0]])
    for factor in (1, 2):
        expected = (1 / (1 + np.exp(-value @ (factor * np.arange(6.0).reshape(2, 3))))).sum(axis=1)
        np.testing.assert_allclose(np.asarray(f(value)), expected, rtol=1e-12)


def test_every_backend_gives_numpy_arrays_of_the_types_in_the_graph(float32_backend):
    x = pt.fmatrix("x")
    w = pytensor.shared(np.ones((2, 3), "float32"), name="w")
    n = pytensor.shared(np.int64(1), name="n")
    outputs = [pt.tanh(x @ w), pt.argmax(x, axis=1), pt.gt(x, 0), x + w.sum() + x.max(axis=1, keepdims=True), w]
    f = function([x], outputs, updates=[(w, w * 2), (n, n + 1)], backend=float32_backend)
    got = f(np.array([[1.0, -1.0], [0.5, 2.0]], "float32"))
    assert [type(v) for v in got] == [np.ndarray] * 5
    assert [str(v.dtype) for v in got] == [v.type.dtype for v in outputs]
    np.testing.assert_allclose(got[0], np.tanh([[0.0] * 3, [2.5] * 3]), rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(got[4], np.ones((2, 3)))
    for shared, value in ((w, np.full((2, 3), 2, "float32")), (n, np.array(2))):
        assert type(shared.get_value(borrow=True)) is np.ndarray
        assert shared.get_value().dtype == value.dtype
        np.testing.assert_array_equal(shared.get_value(), value)


def test_the_logarithm_of_a_small_sigmoid_is_stable(backend):
    # false where PyTensor's pattern rewrites do not match, for instance because `packaging` is missing
    x = pt.dvector("x")
    f = function([x], [pt.log(pt.sigmoid(x)), pt.log(1 - pt.sigmoid(-x))], backend=backend)
    for got in f([-800.0, 0.0]):
        np.testing.assert_allclose(np.asarray(got), [-800, -np.log(2)], rtol=1e-12)


def test_legacy_arguments_work_by_position_and_by_name():
    x, y = pt.dscalar("x"), pt.dscalar("y")
    total = pytensor.shared(0.0, name="total")
    add = function([x], total, None, OrderedDict([(total, total + x)]), [(y, x)])
    add(2)
    assert add(3) == 2
    assert total.get_value() == 5
    f = function(
        [x, y], x, on_unused_input="ignore", allow_input_downcast=True, name="first", rebuild_strict=True, profile=False
    )
    assert f(1, 2) == 1
    assert f.name == "first"


def test_updates_may_be_pairs_or_a_dict():
    for updates in ([(count := pytensor.shared(0), count + 1)], {(count2 := pytensor.shared(0)): count2 + 1}):
        function([], [], updates=updates)()
    assert count.get_value() == count2.get_value() == 1


def test_the_time_to_compile_is_known():
    f = function([], pt.constant(1.0))
    time = compile_time(f)
    assert time.total == time.graph + time.machine_code > 0
    assert str(time).endswith(" s")


def test_numba_compiles_before_the_first_call_and_only_once():
    x, i = pt.dmatrix("x"), pt.lscalar("i")
    data = pytensor.shared(np.ones((40, 3)))
    f = function([i], x.sum(), givens={x: data[i * 20 : (i + 1) * 20]}, backend="numba")
    dispatcher = f.vm.jit_fn
    assert len(dispatcher.overloads) == 1
    f(0)
    assert len(dispatcher.overloads) == 1


def test_without_its_disk_cache_numba_compiles_ahead_too():
    with pytensor.config.change_flags(numba__cache=False):
        x = pt.dvector("x")
        f = function([x], x + 1, backend="numba")
        assert f([1.0]) == 2
        assert len(f.vm.jit_fn.overloads) == 1
        assert not compile_time(f).cached
        (assembly,) = f.vm.jit_fn.inspect_asm().values()
        assert "7cpython" in assembly
        assert "cfunc." not in assembly  # an entry point that nobody calls


class DamagedCache(Cache):
    """Cannot be read, be it flushed or not."""

    flushed = 0

    def __init__(self):
        pass

    def flush(self):
        self.flushed += 1
        assert self.flushed < 9, "flushed for ever"

    def compile(self, arguments):
        raise ImportError("no module named as in the file")


def test_machine_code_that_cannot_be_read_once_its_cache_is_empty_is_an_error():
    cache = DamagedCache()
    with pytest.raises(ImportError, match="as in the file"):
        load_or_compile(cache, ())
    assert cache.flushed == 1


def test_the_time_of_something_else_is_not_known():
    with pytest.raises(
        InputError, match=r"found a builtin_function_or_method, expected a function compiled by symae\.function"
    ):
        compile_time(len)


def test_an_unknown_backend_is_refused_with_the_known_ones():
    with pytest.raises(BackendError, match="found 'tensorflow', expected one of numba, c, jax"):
        function([], [], backend="tensorflow")


@pytest.mark.parametrize("backend", [name for name, backend in BY_NAME.items() if backend.extra])
def test_a_backend_that_is_not_installed_names_the_extra(monkeypatch, backend):
    module, extra = BY_NAME[backend].module, BY_NAME[backend].extra
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == module else find_spec(name))
    with pytest.raises(
        BackendError, match=rf"found no module {module}, expected it installed: pip install \"symae\[{extra}\]\""
    ):
        function([], [], backend=backend)


def test_the_c_backend_needs_a_compiler():
    with pytensor.config.change_flags(cxx=""), pytest.raises(BackendError, match=r"found no C\+\+ compiler"):
        function([], [], backend="c")


def test_mode_and_backend_exclude_each_other():
    with pytest.raises(InputError, match="one of the two"):
        function([], [], mode="FAST_RUN", backend="numba")


def test_importing_symae_imports_no_backend_and_nothing_optional():
    modules = {"jinja2", "requests", "sklearn", "IPython", *filter(None, (backend.module for backend in BY_NAME.values()))}
    code = f"import sys, symae, symae.runs.worksheet, symae.cli.main; print(sorted({modules} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
