"""What PyTorch's program would end at, slices of minibatches and draws, is computed before it, with the values of NumPy."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from backend_params import on
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.utils import rewrite_graph
from pytensor.tensor.subtensor import Subtensor

from symae import Autoencoder, RandomStreams, function
from symae.compile.pytorch_prologue import split
from symae.ops.random.draws import Draw

data = np.arange(45.0).reshape(9, 5)
x, i = pt.dmatrix("x"), pt.lscalar("i")


@pytest.fixture
def compiled(monkeypatch):
    """Have all compiled by torch.compile, however small it is."""
    pytest.importorskip("torch")
    monkeypatch.setattr("symae.compile.pytorch_op_by_op.COMPILED_FROM", -1)


def parts_of(inputs, *outputs):
    return split(FunctionGraph(inputs, outputs, clone=True), lambda node: node.op._on_host, np.asarray)


SLICES = {
    "a minibatch": (x[i * 2 : (i + 1) * 2], lambda i: data[i * 2 : (i + 1) * 2]),
    "columns": (x[:, i - 1 : i + 1], lambda i: data[:, i - 1 : i + 1]),
    "every other row": (x[i::2], lambda i: data[i::2]),
    "one row": (x[i], lambda i: data[i]),
    "up to the larger": (x[: pt.maximum(i, 2)], lambda i: data[: max(i, 2)]),
    "from the middle": (x[pt.switch(i > 2, i, -i) :], lambda i: data[(i if i > 2 else -i) :]),
    "of a slice": (x[i:][:, i:], lambda i: data[i:, i:]),
}


@pytest.mark.parametrize("name", SLICES)
@pytest.mark.parametrize("number", [0, 1, 4, 5, -2])
def test_slices_are_numpys_and_may_reach_over_the_end(name, number):
    symbolic, expected = SLICES[name]
    parts = parts_of([x, i], symbolic * 2.0)
    assert not [node for node in parts.program.apply_nodes if isinstance(node.op, Subtensor)]
    if name == "one row" and number == -2:
        number = 3
    (found,) = [v for v in parts.prologue(data, number) if isinstance(v, np.ndarray)]
    np.testing.assert_array_equal(found, expected(number))


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64"])
def test_whole_numbers_wrap_around(dtype):
    j = pt.scalar("j", dtype=dtype)
    most = np.iinfo(dtype).max
    parts = parts_of([x, j], x[j + np.array(2, dtype) :] + 1.0)
    (found,) = parts.prologue(data, int(most))  # the smallest number but one: all rows
    np.testing.assert_array_equal(found, data)


@pytest.mark.parametrize("dtype", ["uint8", "uint32", "uint64"])
def test_whole_numbers_without_a_sign_wrap_around_too(dtype):
    j = pt.scalar("j", dtype=dtype)
    parts = parts_of([x, j], x[j - np.array(3, dtype) : j + np.array(3, dtype)] + 1.0)
    (found,) = parts.prologue(data, 2)  # from the largest number on: no rows
    np.testing.assert_array_equal(found, data[:0])
    (found,) = parts.prologue(data, int(np.iinfo(dtype).max) - 1)  # up to the second row
    np.testing.assert_array_equal(found, data[:0])
    (found,) = parts.prologue(data, 3)
    np.testing.assert_array_equal(found, data[:6])


def test_slices_that_the_program_can_have_stay_in_it():
    assert parts_of([x], x[1:3] * 2.0) is None
    assert parts_of([x, i], x[i::-1] * 2.0) is None  # PyTorch has none that go backwards


def test_draws_are_made_before_and_give_the_streams_numbers():
    streams = RandomStreams(7)
    mask = streams.binomial(size=(3, 5), p=0.5, dtype="float64")
    ((state, after),) = streams.updates()
    parts = parts_of([state], *rewrite_graph([mask * 2.0, after]))
    assert not [node for node in parts.program.apply_nodes if isinstance(node.op, Draw)]
    made = parts.prologue(state.container.storage[0])
    drawn, state_after = sorted(made, key=lambda v: -v.ndim)
    expected, expected_after = function([], [mask, after], mode="FAST_COMPILE")()
    np.testing.assert_array_equal(drawn, expected)
    np.testing.assert_array_equal(state_after, expected_after)


LOOKED_UP = {
    "a slice of a constant": (pt.constant(data)[i * 2 : (i + 1) * 2], lambda places: data[2:4]),
    "a row of a constant": (pt.constant(data)[i], lambda places: data[1]),
    "from a place in a table": (x[(places := pt.lvector("places"))[i] : places[i] + 2], lambda places: data[places[1] :][:2]),
    "the row after one of a table": (x[places[i] + 1], lambda places: data[places[1] + 1]),
    "short integers": (x[(short := pt.cast(places, "int8"))[i] + short[0] :], lambda places: data[places[1] + places[0] :]),
}


@pytest.mark.parametrize("backend", [on("pytorch", pytest.mark.backends)])
@pytest.mark.parametrize("name", LOOKED_UP)
def test_places_that_a_table_has_and_constants_are_as_numpys(backend, name):
    symbolic, expected = LOOKED_UP[name]
    table = np.array([1, 3, 2])
    compiled = function([x, i, places], symbolic * 2.0, backend=backend, on_unused_input="ignore")
    np.testing.assert_array_equal(compiled(data, 1, table), expected(table) * 2.0)


@pytest.mark.parametrize("backend", [on("pytorch", pytest.mark.backends)])
def test_an_index_outside_among_many_is_an_error_and_ends_no_process(backend):
    rows = np.zeros(100_000, np.int64)
    table, looked_up = pt.dvector("table"), pt.lvector("rows")
    compiled = function([table, looked_up], pt.tanh(table[looked_up]), backend=backend)
    assert compiled(np.zeros(5), rows).shape == rows.shape
    rows[77_777] = 5
    with pytest.raises(IndexError, match="index 5 is out of bounds for axis 0 with size 5"):
        compiled(np.zeros(5), rows)


@pytest.mark.parametrize("backend", [on("pytorch", pytest.mark.backends)])
def test_a_training_step_is_one_program_on_pytorch_and_gives_what_pytorch_gives_by_hand(backend, compiled):
    import torch
    import torch.nn.functional as F
    from torch._dynamo.utils import counters

    images = np.random.RandomState(0).rand(50, 12)
    model = Autoencoder(np.random.RandomState(1), n_visible=12, n_hidden=5)
    params = [torch.tensor(p.get_value(), requires_grad=True) for p in (model.W, model.b, model.b_prime)]
    cost, updates = model.get_cost_updates(0.0, 0.1)
    rows = pytensor.shared(images)[i * 20 : (i + 1) * 20]
    step = function([i], cost, updates=updates, givens={model.x: rows}, backend=backend)
    counters.clear()
    for number in (0, 1, 0, 1, 2):  # the last has ten rows
        seen = torch.from_numpy(images[number * 20 : (number + 1) * 20])
        W, b, b_prime = params
        logits = torch.sigmoid(seen @ W + b) @ W.T + b_prime
        by_hand = F.binary_cross_entropy_with_logits(logits, seen, reduction="none").sum(axis=1).mean()
        gradients = torch.autograd.grad(by_hand, params)
        params = [(p - 0.1 * g).detach().requires_grad_() for p, g in zip(params, gradients, strict=True)]
        np.testing.assert_allclose(step(number), by_hand.detach(), rtol=1e-12)
        if number < 2:
            assert counters["stats"]["unique_graphs"] == 1
    assert not counters["graph_break"]
    for symbolic, p in zip((model.W, model.b, model.b_prime), params, strict=True):
        np.testing.assert_allclose(symbolic.get_value(), p.detach(), rtol=1e-12)


@pytest.mark.parametrize("backend", [on("pytorch", pytest.mark.backends)])
def test_sizes_of_a_minibatch_and_constant_places_end_no_program(backend, compiled):
    from torch._dynamo.utils import counters

    rows = pytensor.shared(data)[i * 4 : (i + 1) * 4]
    spread = pt.alloc(1.5, rows.shape[0], 2, 5)
    inside = pt.specify_shape(pt.set_subtensor(spread[:, 0], rows), (None, 2, 5))
    outputs = [pt.inc_subtensor(inside[:, 1, 2], 1).sum(axis=0), rows.sum() / rows.shape[0]]
    step = function([i], outputs, backend=backend)
    counters.clear()
    for number in (0, 1, 2, 1, 0):  # the last has one row
        part = data[number * 4 : (number + 1) * 4]
        expected = np.full((len(part), 2, 5), 1.5)
        expected[:, 0] = part
        expected[:, 1, 2] += 1
        found, mean = step(number)
        np.testing.assert_allclose(found, expected.sum(axis=0), rtol=1e-14)
        np.testing.assert_allclose(mean, part.sum() / len(part), rtol=1e-14)
    assert not counters["graph_break"]
    assert counters["stats"]["unique_graphs"] <= 2  # the second one for any number of rows


@pytest.mark.parametrize("backend", [on("pytorch", pytest.mark.backends)])
def test_a_size_that_a_function_is_given_ends_no_program(backend, compiled):
    from torch._dynamo.utils import counters

    n = pt.lscalar("n")
    step = function([x, i, n], pt.alloc(pt.cast(n, "float64"), n, 5) + x[i], backend=backend)
    counters.clear()
    for number in (2, 3, 4, 2):
        np.testing.assert_allclose(step(data, 1, number), np.full((number, 5), float(number)) + data[1])
    assert not counters["graph_break"]
    assert counters["stats"]["unique_graphs"] <= 2
