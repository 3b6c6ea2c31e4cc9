"""On the C backend products are BLAS's, by SciPy's own where PyTensor is linked to none, and nothing is set for others."""

from __future__ import annotations

import importlib
import pickle
import types
import warnings

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from backend_params import on

from symae import function
from symae.compile.backends import BY_NAME
from symae.patches import c_blas
from symae.patches.changes import Changes

pytestmark = pytest.mark.skipif(BY_NAME["c"].missing() is not None, reason="no C++ compiler")


def flags():
    """Return what PyTensor is linked with. Where it looks for a BLAS, it warns that there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytensor.config.blas__ldflags


needs_scipys = pytest.mark.skipif("scipy_blas" not in flags(), reason="PyTensor is linked to a BLAS")


@needs_scipys
@pytest.mark.parametrize("dtype", [pytest.param("float32", marks=pytest.mark.default_mode), "float64"])
def test_products_are_numpys(dtype):
    rng = np.random.default_rng(0)
    x, y, v, u = (pt.TensorType(dtype, (None,) * n)() for n in (2, 2, 1, 1))
    X, Y, V, U = (rng.random(shape).astype(dtype) for shape in ((4, 7), (7, 5), (7,), (4,)))
    weights = rng.random((4, 5)).astype(dtype)
    W = pytensor.shared(weights)
    graphs = [x @ y, x.T @ x, x @ v, u @ x, pt.outer(u, v), v @ v]
    expected = [X @ Y, X.T @ X, X @ V, U @ X, np.outer(U, V), V @ V]
    f = function([x, y, v, u], graphs, updates=[(W, W - 0.5 * (x @ y))], backend="c")
    assert {"Dot22", "CGemv"} <= {type(node.op).__name__ for node in f.maker.fgraph.toposort()}
    for got, value in zip(f(X, Y, V, U), expected, strict=True):
        np.testing.assert_allclose(got, value, rtol=1e-6 if dtype == "float32" else 1e-14)
    np.testing.assert_allclose(W.get_value(), weights - 0.5 * (X @ Y), rtol=1e-6)


def default(found, monkeypatch):
    """Return what the patch makes of the flags that PyTensor has found."""
    setting = types.SimpleNamespace(_default=lambda: found, is_default=True, val=found)
    monkeypatch.setattr(c_blas, "config", types.SimpleNamespace(_config_var_dict={"blas__ldflags": setting}, cxx="g++"))
    c_blas.apply(None, Changes())
    assert hasattr(setting, "val") == bool(found)  # what was looked for before is looked for again
    return setting._default()


def test_a_blas_that_pytensor_is_linked_to_stays(monkeypatch):
    assert default("-lblas", monkeypatch) == "-lblas"
    assert "scipy_blas.h" in default("", monkeypatch)


def test_every_word_of_the_flags_reaches_the_compiler(monkeypatch):
    blas = importlib.import_module("pytensor.tensor.blas")
    monkeypatch.setattr(c_blas.kernels, "__file__", "/lib of mine/symae/kernels/__init__.py")
    monkeypatch.setattr(c_blas.kernels, "header", lambda name: "")
    include, digest = getattr(blas, "_core", blas)._ldflags(c_blas._flags(), False, True, False, False)
    assert include == "-include/lib of mine/symae/kernels/scipy_blas.h"
    assert digest.startswith("-DSYMAE_SCIPY_BLAS=")


@pytest.mark.parametrize("table", [{}, dict.fromkeys(("sgemm", "dgemm"), "void (char *, char *, int64_t *, int64_t *")])
def test_without_the_functions_that_are_called_products_stay_numpys(table, monkeypatch):
    monkeypatch.setattr(c_blas.importlib, "import_module", lambda name: types.SimpleNamespace(__pyx_capi__=table))
    assert default("", monkeypatch) == ""


@pytest.mark.parametrize("backend", [on("c")])
def test_a_function_in_a_pickle_is_as_before(backend):
    x, v = pt.dmatrix("x"), pt.dvector("v")
    f = function([x, v], [x @ x, x @ v, pt.outer(v, v)], backend=backend)
    again = pickle.loads(pickle.dumps(f))
    X, V = np.arange(4.0).reshape(2, 2), np.arange(2.0)
    for got, value in zip(again(X, V), f(X, V), strict=True):
        np.testing.assert_array_equal(got, value)
