"""Wrong labels and indices end a training where they are met: in models, scans and compiled loops, in the default mode."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from backend_params import each, widest_float
from pytensor.compile.builders import OpFromGraph
from pytensor.graph.replace import vectorize_graph

from symae import LogisticRegression, function
from symae.compile.loops import loop_over

X = np.random.RandomState(0).normal(size=(6, 3))


@pytest.fixture(scope="module")
def training():
    """Return the cost and the gradient step of logistic regression with four classes, on the default backend."""
    x, y = pt.dmatrix("x"), pt.lvector("y")
    model = LogisticRegression(x, 3, 4)
    cost = model.negative_log_likelihood(y)
    with pytensor.config.change_flags(mode="Mode"):
        steps = [(p, p - 0.1 * g) for p, g in zip(model.params, pt.grad(cost, model.params), strict=True)]
        return model, function([x, y], cost), function([x, y], updates=steps)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 2, 3, 0, 4], "index 4 is out of bounds for axis 1 with size 4"),
        ([0, 1, 2, 3, 0, -5], "index -5 is out of bounds for axis 1 with size 4"),
        ([0, 1, 2, 3, 0, 1, 2], "index 6 is out of bounds for axis 0 with size 6"),
    ],
)
def test_labels_that_are_no_classes_end_a_training(training, labels, message):
    model, cost, step = training
    before = [p.get_value() for p in model.params]
    for f in (cost, step):
        with pytest.raises(IndexError, match=message):
            f(X, labels)
    for p, value in zip(model.params, before, strict=True):
        np.testing.assert_array_equal(p.get_value(), value)
    assert np.isfinite(cost(X, [0, 1, 2, 3, 0, -4]))


@pytest.mark.parametrize("shape", [(None, None), (4, 2)])
def test_entries_are_read_back_as_they_were_written(shape):
    x, y, i = pt.tensor("x", dtype="float64", shape=shape), pt.dmatrix("y"), pt.lvector("i")
    constant = np.array([0, -1])
    with pytensor.config.change_flags(mode="Mode"):
        f = function([x, y, i], [pt.set_subtensor(x[i], y)[i], pt.set_subtensor(x[constant], y)[constant]])
    zeros, rows = np.zeros((4, 2)), np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(f(zeros, rows, [2, 3]), [rows, rows])
    np.testing.assert_array_equal(f(zeros, rows, [1, 1])[0], rows[[1, 1]])
    for outside in ([0, 4], [-5, 0]):
        with pytest.raises(IndexError, match="out of bounds"):
            f(zeros, rows, outside)


# PyTorch has no scans, and its own words in batches.
SCANNING = ("numba", "jax")


def looking_up(backend):
    """Scan by steps that read a row and write an entry, by indices that are sequences."""
    table, rows, entries = pt.dmatrix("table"), pt.lvector("rows"), pt.lvector("entries")

    def step(row, entry, total):
        return pt.inc_subtensor(total[entry], table[row].sum())

    states = pytensor.scan(step, sequences=[rows, entries], outputs_info=[pt.zeros(2)], n_steps=3, return_updates=False)
    return function([table, rows, entries], states[-1], backend=backend)


@pytest.mark.parametrize("backend", each(lambda backend: backend.name in SCANNING))
def test_an_index_outside_in_the_body_of_a_scan_is_an_error(backend):
    f, table = looking_up(backend), np.arange(8.0).reshape(4, 2)
    np.testing.assert_array_equal(f(table, [0, -4, 3], [0, 1, -2]), [14, 1])
    with pytest.raises(IndexError, match="index 4 is out of bounds for axis 0 with size 4"):
        f(table, [0, 4, -5], [0, 1, 1])
    with pytest.raises(IndexError, match="index -3 is out of bounds for axis 0 with size 2"):
        f(table, [0, 1, 2], [0, -3, 2])


@pytest.mark.parametrize("backend", each(lambda backend: backend.loop is not None))
def test_a_compiled_loop_ends_at_the_index_outside_and_keeps_the_steps_before(backend):
    index = pt.lscalar("index")
    chosen = pytensor.shared(np.array([0, 1, 2, 9, 0]))
    table = pytensor.shared(np.zeros((3, 2), widest_float(backend)))
    row = table[chosen[index]]
    step = function([index], row.sum(), updates=[(table, pt.inc_subtensor(row, 1.0))], backend=backend)
    loop, done = loop_over(step), 0
    with pytest.raises(IndexError, match="index 9 is out of bounds for axis 0 with size 3"):  # noqa: PT012  (until it ends)
        while done < 5:
            done += len(loop.run(done, 5 - done))
    np.testing.assert_array_equal(table.get_value(), np.ones((3, 2)))


@pytest.mark.parametrize("backend", each(lambda backend: backend.one_program))
def test_a_repeated_index_counts_each_time_it_is_named(backend):
    x, i = pt.fmatrix("x"), pt.lvector("i")
    f = function([x, i], [pt.grad(x[i].sum(), x), pt.inc_subtensor(x[i], 1.0)], backend=backend)
    gradient, increased = f(np.zeros((3, 2), "float32"), [1, 1, 1, 0])
    np.testing.assert_array_equal(gradient, [[1, 1], [3, 3], [0, 0]])
    np.testing.assert_array_equal(increased, [[1, 1], [3, 3], [0, 0]])


@pytest.mark.parametrize("backend", each(lambda backend: backend.name in SCANNING))
def test_batches_and_graphs_within_graphs_are_checked(backend):
    x, i, batches, of_batches = pt.dmatrix("x"), pt.lvector("i"), pt.dtensor3("batches"), pt.lmatrix("of_batches")
    batched = vectorize_graph(x[i], {x: batches, i: of_batches})
    inner = OpFromGraph([x, i], [x[i]])(x, i)
    f = function([batches, of_batches, x, i], [batched, 2 * inner], backend=backend)
    values = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(f(values, [[0, 1], [2, -3]], values[0], [0, -3])[0][1], values[1, [2, 0]])
    for wrong in (3, -4):
        with pytest.raises(IndexError, match=f"index {wrong} is out of bounds for axis 0 with size 3"):
            f(values, [[0, 1], [0, wrong]], values[0], [0])
        with pytest.raises(IndexError, match=f"index {wrong} is out of bounds for axis 0 with size 3"):
            f(values, [[0, 1], [0, 1]], values[0], [0, wrong])
