"""data[i*b:(i+1)*b] becomes a slice of known length, and nothing else does."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import MergeOptimizer, dfs_rewriter

from symae import InputError, function
from symae.compile import options
from symae.rewrites.minibatch_slice import MinibatchSlice, minibatch_slice

DATA = np.arange(60.0).reshape(20, 3)


def rewritten(expression):
    graph = FunctionGraph(outputs=[expression], clone=True)
    MergeOptimizer().rewrite(graph)  # comes first in every mode
    dfs_rewriter(minibatch_slice).rewrite(graph)
    return [node.op for node in graph.toposort() if isinstance(node.op, MinibatchSlice)]


i, j = pt.lscalar("i"), pt.iscalar("j")
data = pytensor.shared(DATA, name="data")


@pytest.mark.parametrize(
    ("start", "stop", "length"),
    [
        (i * 5, (i + 1) * 5, 5),
        (5 * i, 5 * i + 5, 5),
        (i, i + 4, 4),
        (j * 5, (j + 1) * 5, 5),
        (2 * i + j + 3, j + 2 * i + 10, 7),
        ((i - 1) * 2, i * 2, 2),
        (i * j, i * j + 6, 6),
    ],
)
def test_a_slice_of_provably_constant_length_is_rewritten(start, stop, length):
    assert rewritten(data[start:stop]) == [MinibatchSlice(length)]


@pytest.mark.parametrize(
    "sliced",
    [
        data[i : i * 2],
        data[i:j],
        data[i * j : (i + 1) * j],
        data[:i],
        data[i:],
        data[2:7],
        data[i : i + 4 : 2],
        data[i + 4 : i],
        data[:, i : i + 2],
        data[i],
    ],
)
def test_other_slices_are_left_alone(sliced):
    assert rewritten(sliced) == []


def test_the_rewritten_slice_equals_the_slice(float32_backend):
    data = pytensor.shared(DATA.astype("float32"), name="data")
    f = function([i], data[i * 5 : (i + 1) * 5] * 2, backend=float32_backend)
    for index in range(4):
        np.testing.assert_array_equal(f(index), 2 * DATA[index * 5 : index * 5 + 5])


def test_what_else_is_indexed_is_taken_from_the_slice(float32_backend):
    data = pytensor.shared(DATA.astype("float32").reshape(20, 3, 1), name="data")
    batch = slice(i * 5, (i + 1) * 5)
    outputs = [data[batch, :], data[batch, 0], data[batch, 1:, 0], data[batch, ::2], data[batch, None]]
    assert rewritten(pt.join(0, *(output.ravel() for output in outputs))) == [MinibatchSlice(5)] * 5
    got = function([i], [output * 2 for output in outputs], backend=float32_backend)(2)
    value = 2 * data.get_value()[10:15]
    for result, wanted in zip(got, [value, value[:, 0], value[:, 1:, 0], value[:, ::2], value[:, None]], strict=True):
        np.testing.assert_array_equal(result, wanted)


def test_its_meaning_is_that_of_the_slice_and_its_length_is_known_before_it_runs():
    sliced = MinibatchSlice(5)(data, i)
    f = function([i], [sliced, sliced.shape])
    value, shape = f(3)
    np.testing.assert_array_equal(value, DATA[3:8])
    assert shape.tolist() == [5, 3]
    nodes = function([i], sliced.shape[0]).maker.fgraph.toposort()
    assert not any(isinstance(node.op, MinibatchSlice) for node in nodes)


def test_it_is_of_the_type_of_the_slice():
    assert MinibatchSlice(5)(data, i).type == data[i * 5 : i * 5 + 5].type


def test_gradients_in_minibatches_are_finite_where_sigmoids_are_0_or_1(float32_backend):
    data = pytensor.shared(np.array([[0, 1, 1], [1, 1, 0], [1, 0, 1], [0, 1, 0]], "float32"))
    W, x = pytensor.shared(np.full((3, 3), 50, "float32")), pt.fmatrix("x")
    z = pt.sigmoid(x @ W)
    cost = pt.mean(pt.sum(-(x * pt.log(z) + (1 - x) * pt.log(1 - z)), axis=1))
    outputs = [cost, pt.grad(cost, W)]
    f = function([i], outputs, givens={x: data[i * 2 : (i + 1) * 2]}, backend=float32_backend)
    of_minibatch, gradient = f(0)
    assert of_minibatch == 100
    np.testing.assert_array_equal(gradient, np.array([[0, 0, 0.5], [0.5, 0, 0.5], [0.5, 0, 0]], "float32"))


@pytest.mark.parametrize("start", [-1, 16])
def test_a_slice_over_the_edge_is_an_error_and_no_other_rows(start):
    with pytest.raises(ValueError, match="lies outside the data, expected a slice of 0:20"):
        function([i], MinibatchSlice(5)(data, i))(start)


@pytest.mark.parametrize("traced", ["jax", "mlx"])
def test_a_slice_over_the_edge_is_an_error_where_it_is_traced(traced, capfd):
    pytest.importorskip(traced, reason=f"{traced} is not installed")
    data = pytensor.shared(DATA.astype("float32"), name="data")
    f = function([i], data[i * 6 : (i + 1) * 6].sum(), backend=traced)
    assert f(0) == DATA[:6].sum()
    for index in (3, -1):
        with pytest.raises(ValueError) as caught:  # noqa: PT011  (looked at below: the whole of it is one line)
            f(index)
        assert str(caught.value) == f"minibatch {index * 6}:{index * 6 + 6} lies outside the data, expected a slice of 0:20"
    data.set_value(DATA[:8].astype("float32"))
    assert f(0) == DATA[:6].sum()
    data.set_value(DATA.astype("float32"))
    with pytest.raises(ValueError, match=r"^minibatch 18:24 lies outside the data, expected a slice of 0:20"):
        f(3)
    data.set_value(DATA[:4].astype("float32"))
    with pytest.raises(ValueError, match="a minibatch of 6 lies outside the data, expected a slice of 0:4"):
        f(0)
    assert capfd.readouterr().err == ""


def test_a_rewrite_can_be_switched_off_by_its_name():
    pytest.importorskip("jax")
    with options(exclude=["minibatch_slice"]), pytest.raises(Exception, match=r"static integers|concrete|Slice"):
        function([i], data[i * 5 : (i + 1) * 5], backend="jax")(0)


def test_an_unknown_rewrite_cannot_be_switched_off():
    with (
        pytest.raises(InputError, match=r"found 'fusion', expected a rewrite of symae: minibatch_slice, .*in_place"),
        options(exclude=["fusion"]),
    ):
        pass
