"""Nodes of a graph that compute the same share a function; others don't."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest

from symae import function


def functions_of(*outputs):
    """Return what PyTensor makes of the nodes of these outputs."""
    from pytensor.link.numba.dispatch import basic

    return [basic.numba_funcify_ensure_cache(v.owner.op, node=v.owner) for v in outputs]


def test_nodes_of_one_op_and_one_key_share_a_function():
    x, y = pt.dmatrices("x", "y")
    (a, key), (b, same), (c, other) = functions_of(pt.cumsum(x, axis=0), pt.cumsum(y, axis=0), pt.cumsum(x, axis=1))
    assert a is b
    assert key == same
    assert a is not c
    assert key != other


def test_what_has_no_key_is_made_for_each_node(monkeypatch):
    from pytensor import config

    x, y = pt.dmatrices("x", "y")
    with config.change_flags(numba__cache=False):
        (a, key), (b, _) = functions_of(pt.cumsum(x, axis=0), pt.cumsum(y, axis=0))
    assert key is None
    assert a is not b


@pytest.mark.default_mode
def test_arguments_of_other_types_and_layouts_have_machine_code_of_their_own():
    x, n = pt.dmatrix("x"), pt.imatrix("n")
    outputs = [
        pt.cumsum(x, axis=0),
        pt.cumsum(x.T, axis=0),
        pt.cumsum(n, axis=0),
        pt.cumsum(pt.cumsum(x, axis=0)[::-1], axis=0),
    ]
    f = function([x, n], outputs, backend="numba")
    X, M = np.arange(6.0).reshape(2, 3), np.arange(4, dtype="int32").reshape(2, 2)
    wanted = [X.cumsum(0), X.T.cumsum(0), M.cumsum(0), X.cumsum(0)[::-1].cumsum(0)]
    for got, expected in zip(f(X, M), wanted, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_a_key_need_not_have_the_types():
    x, y = pt.dmatrix("x"), pt.fmatrix("y")
    (a, _), (b, _) = functions_of(pt.cumsum(x, axis=0), pt.cumsum(y, axis=0))
    assert a is not b
