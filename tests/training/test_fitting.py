"""``fit``: what it trains on, what it reports, and that a training goes on as if it had never stopped."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import symae
from symae import InputError, RandomStreams, UnwritableError
from symae.errors import DivergedError
from symae.optimizers import adam, momentum, sgd
from symae.training import fit, print_line
from symae.training.checkpoints import read_checkpoint
from symae.training.data import Examples, Pass, evaluation_batch_size

X = np.random.RandomState(1).rand(23, 4)


def autoencoder(optimizer=adam, n_hidden=3, dtype="float64"):
    """Return a model with a random mask, small enough to train in milliseconds; W begins in column order."""
    x = pt.matrix("x", dtype=dtype)
    mask = RandomStreams(3).binomial(size=x.shape, n=1, p=0.7, dtype=dtype)
    W = pytensor.shared(np.random.RandomState(0).normal(size=(n_hidden, 4)).astype(dtype).T, name="W")
    b = pytensor.shared(np.zeros(n_hidden, dtype), name="b")
    h = pt.tanh((x * mask).dot(W) + b)
    cost = ((h.dot(W.T) - x) ** 2).sum(axis=1).mean()
    return SimpleNamespace(x=x, params=[W, b], cost=cost, updates=optimizer(cost, [W, b], 0.01), code=h)


def train(model=None, n_epochs=3, data=None, **keywords):
    """`fit` for an autoencoder, silent and quick."""
    model = model or autoencoder()
    arguments = {
        "batch_size": 5,
        "n_epochs": n_epochs,
        "params": model.params,
        "log_every": 0,
        "log": lambda line: None,
    } | keywords
    return fit(model.cost, model.updates, {model.x: X} if data is None else data, **arguments)


def recorder():
    """Return a model whose parameter lists the examples that it has seen, in their order."""
    x = pt.lvector("x")
    seen = pytensor.shared(np.zeros(0, "int64"), name="seen")
    return SimpleNamespace(x=x, params=[seen], cost=pt.mean(x), updates=[(seen, pt.concatenate([seen, x]))])


def scripted(costs):
    """Return a model whose parameter counts its steps, and whose cost is the next of `costs` in each."""
    x = pt.vector("x")
    steps = pytensor.shared(np.array(0), name="steps")
    cost = pt.constant(np.array(costs, "float64"))[steps] + 0 * pt.mean(x)
    return SimpleNamespace(x=x, params=[steps], cost=cost, updates=[(steps, steps + 1)])


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def without_seconds(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [{name: figure for name, figure in line.items() if name != "seconds"} for line in lines]


def assert_same_training(a, b):
    """Assert that the folders hold the same checkpoints and histories, but for the seconds."""
    assert without_seconds(a / "history.jsonl") == without_seconds(b / "history.jsonl")
    for which in ("last.safetensors", "best.safetensors"):
        one, other = read_checkpoint(a / which), read_checkpoint(b / which)
        assert (one.history.costs, one.history.measures) == (other.history.costs, other.history.measures)
        assert one.settings == other.settings
        assert one.shuffling.tobytes() == other.shuffling.tobytes()
        assert {n: v.tobytes() for n, v in one.arrays.items()} == {n: v.tobytes() for n, v in other.arrays.items()}


# What is trained on


def test_each_epoch_has_the_next_order_of_the_seed_and_leaves_out_what_remains():
    model = recorder()
    train(model, 2, {model.x: np.arange(10)}, batch_size=3, seed=7)
    rng = np.random.RandomState(7)
    expected = [*rng.permutation(10)[:9], *rng.permutation(10)[:9]]
    assert model.params[0].get_value().tolist() == expected


def test_unshuffled_examples_come_in_their_order():
    model = recorder()
    train(model, 2, {model.x: np.arange(10)}, batch_size=3, shuffle=False)
    assert model.params[0].get_value().tolist() == [*range(9), *range(9)]


@pytest.mark.parametrize("batch_size", [3, 5, 10, 11])
def test_without_drop_last_each_epoch_has_all_examples_and_their_mean_as_its_cost(batch_size):
    model = recorder()
    history = train(
        model, 1, {model.x: np.arange(10)}, batch_size=batch_size, drop_last=False, measures={"square": pt.mean(model.x**2)}
    )
    assert sorted(model.params[0].get_value()) == list(range(10))
    assert history.costs == pytest.approx([4.5])
    assert history.measures["square"] == pytest.approx([28.5])


def test_fewer_examples_than_a_minibatch_are_one():
    model = recorder()
    assert train(model, 1, {model.x: np.arange(10)}, batch_size=24).costs == [4.5]
    assert sorted(model.params[0].get_value()) == list(range(10))


def test_inputs_keep_their_examples_together():
    x, y = pt.matrix("x"), pt.lvector("y")
    w = pytensor.shared(0.0, name="w")
    off = pt.max(pt.abs(x[:, 0] - y))
    history = train(
        SimpleNamespace(cost=off, updates=[(w, w + off)], params=[w]),
        2,
        {x: np.stack([np.arange(10.0), np.zeros(10)], axis=1), y: np.arange(10, dtype="int32")},
        batch_size=3,
        drop_last=False,
    )
    assert history.costs == [0.0, 0.0]


def test_data_may_be_shared_variables_and_expressions_of_them():
    x, y = pt.matrix("x"), pt.ivector("y")
    images, labels = pytensor.shared(X, name="images"), pytensor.shared(np.arange(23.0))
    examples = Examples("data", {x: images, y: pt.cast(labels, "int32")})
    assert examples.variables[x] is images
    np.testing.assert_array_equal(examples.variables[y].get_value(), np.arange(23, dtype="int32"), strict=True)


def test_minibatches_have_static_shapes():
    x = pt.tensor("x", shape=(None, 2, 3))
    [(_, minibatch)] = Examples("data", {x: np.zeros((9, 2, 3))}).givens(pt.lscalar(), 4, None)
    assert minibatch.type.shape == (4, 2, 3)


Case = namedtuple("Case", "type values message")


@pytest.mark.parametrize(
    "case",
    [
        Case(pt.TensorType("float64", (None, 4)), np.zeros((5, 3)), r"found shape \(5, 3\), expected \(n, 4\)"),
        Case(pt.TensorType("float64", (None,)), np.zeros((5, 1)), r"found shape \(5, 1\), expected \(n,\)"),
        Case(pt.TensorType("float64", (None,)), 3.0, r"found shape \(\), expected \(n,\)"),
        Case(pt.TensorType("float64", ()), np.zeros(5), "as the input, expected a symbolic array"),
        Case(pt.TensorType("float64", (None,)), np.zeros(0), "found no examples, expected at least one"),
        Case(pt.TensorType("float64", (None,)), [0, np.nan], "found NaN or infinite values, expected finite numbers"),
        Case(pt.TensorType("float64", (None,)), [0, np.inf], "found NaN or infinite values, expected finite numbers"),
        Case(pt.TensorType("float64", (None,)), ["a"], "found dtype <U1, expected an array of numbers for x"),
        Case(pt.TensorType("float64", (None,)), [1j], "found dtype complex128"),
        Case(pt.TensorType("float64", (None,)), [[1], [1, 2]], "found something that is not an array of numbers"),
        Case(pt.TensorType("float64", (None,)), pt.vector("z"), "found the expression z with inputs of its own"),
        Case(pt.TensorType("float32", (None,)), [1e300], r"found values up to 1e\+300, expected what float32 can hold"),
        Case(pt.TensorType("int32", (None,)), [0.5], "found dtype float64, expected int32, or whole numbers"),
        Case(pt.TensorType("int8", (None,)), [0, 128], "found values from 0 to 128, expected what int8 can hold: -128 to 127"),
        Case(pt.TensorType("int64", (None,)), np.array([2**63], "uint64"), "expected what int64 can hold"),
        Case(pt.TensorType("float32", (None,)), [2**24 + 1], "found values from 16777217 to 16777217"),
        Case(pt.TensorType("bool", (None,)), [0, 2], "found values from 0 to 2, expected what bool can hold: 0 to 1"),
    ],
)
def test_values_that_an_input_cannot_take_are_named(case):
    x = case.type("x")
    with pytest.raises(InputError, match=r"data(\[x\])?: " + ".*" + case.message):
        Examples("data", {x: case.values})


@pytest.mark.parametrize(
    ("dtype", "values"), [("float32", X), ("float64", np.arange(5, dtype="uint8")), ("int8", [True, False]), ("bool", [0, 1])]
)
def test_values_that_an_input_can_hold_are_converted(dtype, values):
    x = pt.TensorType(dtype, (None,) * np.ndim(values))("x")
    held = Examples("data", {x: values}).variables[x].get_value()
    np.testing.assert_array_equal(held, np.asarray(values).astype(dtype), strict=True)


def test_targets_of_another_length_are_named():
    x, y = pt.vector("x"), pt.vector("y")
    with pytest.raises(InputError, match=r"data\[y\]: found 4 examples, expected 5, as many as data\[x\] has"):
        Examples("data", {x: np.zeros(5), y: np.zeros(4)})


def test_validation_data_are_of_the_same_inputs_and_shapes():
    model = autoencoder()
    with pytest.raises(InputError, match=r"validation: found the inputs z, expected those of data: x"):
        train(model, validation={pt.matrix("z"): X})
    with pytest.raises(InputError, match=r"validation\[x\]: found shape \(23, 3\), expected examples of shape \(4,\)"):
        train(model, validation={model.x: X[:, :3]})


def test_an_input_of_a_fixed_length_takes_minibatches_of_that_length_only():
    x = pt.tensor("x", shape=(5, 4))
    w = pytensor.shared(0.0, name="w")
    model = SimpleNamespace(x=x, params=[w], cost=pt.mean(x) + w, updates=[(w, w + 1)])
    assert len(train(model)) == 3
    with pytest.raises(InputError, match=r"data\[x\]: found minibatches of 3, expected 5, the fixed length of x"):
        train(model, drop_last=False)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"batch_size": 0}, "batch_size: found 0, expected an integer of at least 1"),
        ({"batch_size": 2.5}, "batch_size: found 2.5"),
        ({"n_epochs": -1}, "n_epochs: found -1"),
        ({"seed": 2**32}, "seed: found 4294967296, expected an integer from 0 to 4294967295"),
        ({"patience": 0}, "patience: found 0"),
        ({"average": 1.0}, "average: found 1.0, expected a decay from 0 to below 1"),
        ({"average": "0.9"}, "average: found '0.9'"),
        ({"monitor": "val_cost"}, "monitor: found 'val_cost', expected one of cost"),
        ({"resume": True}, "resume: found no folder"),
        ({"params": []}, "params: found parameters named "),
        ({"params": [pytensor.shared(0.0)]}, "params: found parameters named None, expected a name for each"),
        ({"measures": {"epoch": pt.constant(1.0)}}, "measures: found 'epoch'"),
        ({"measures": {"cost": pt.constant(1.0)}}, "measures: found 'cost'"),
        ({"measures": {"val_a": pt.constant(1.0)}}, "measures: found 'val_a'"),
        ({"measures": {"a": pt.vector()}}, "a: found a Vector.*, expected a symbolic scalar"),
        ({"measures": {"a": 1.0}}, "a: found a float, expected a symbolic scalar"),
        ({"measures": {"a": pt.scalar("free")}}, r"data: found nothing for free, expected an array for it, beside x"),
        ({"data": {}}, "data: found nothing, expected a mapping"),
        ({"data": [X]}, "data: found a list, expected a mapping"),
    ],
)
def test_settings_out_of_range_are_named(keywords, message):
    with pytest.raises(InputError, match=message):
        train(**keywords)


# What is reported


def test_an_epoch_is_printed_with_its_measures_and_those_of_the_validation_data(capsys):
    model = recorder()
    fit(
        model.cost,
        dict(model.updates),
        {model.x: np.arange(10)},
        batch_size=5,
        n_epochs=1,
        params=model.params,
        validation={model.x: np.arange(4)},
        measures={"twice": 2 * model.cost},
    )
    assert capsys.readouterr().out == "Training epoch 0, cost 4.500000, twice 9.000000, val_cost 1.500000, val_twice 3.000000\n"


def test_measures_are_outputs_of_the_training_step():
    calls = []

    def function(inputs, outputs, **keywords):
        calls.append((len(inputs), len(outputs), sorted(keywords)))
        return symae.function(inputs, outputs, **keywords)

    model = autoencoder()
    history = train(model, function=function, measures={"code": pt.mean(model.code)})
    assert calls == [(1, 2, ["givens", "updates"])]
    assert len(history.measures["code"]) == 3


@settings(max_examples=15)
@given(st.integers(1, 60), st.integers(1, 12))
@example(1, 12)
@example(23, 2)
@example(24, 12)
def test_validation_covers_all_examples_once_by_one_function_or_two(examples, batch_size):
    length = evaluation_batch_size(examples, batch_size)
    lengths = [length] * (examples // length) + [examples % length] * (examples % length > 0)
    assert sum(lengths) == examples
    assert max(lengths) <= 2 * batch_size
    assert length in (examples, 2 * batch_size) or (examples % length == 0 and 2 * length >= batch_size)


@pytest.mark.parametrize(("examples", "functions"), [(24, 1), (23, 2), (7, 1), (1, 1)])
def test_validation_means_are_over_all_examples(examples, functions):
    compiled = []

    def function(*arguments, **keywords):
        compiled.append(symae.function(*arguments, **keywords))
        return compiled[-1]

    x = pt.vector("x")
    values = np.random.RandomState(0).rand(examples)
    means = Pass(
        function, Examples("validation", {x: values}), evaluation_batch_size(examples, 5), [x.mean(), (x**2).mean()]
    ).means()
    assert means == pytest.approx([values.mean(), (values**2).mean()], rel=1e-14)
    assert len(compiled) == functions


def test_validation_trains_nothing():
    model = recorder()
    train(model, 2, {model.x: np.arange(10)}, validation={model.x: np.arange(100, 107)})
    assert max(model.params[0].get_value()) == 9
    assert len(model.params[0].get_value()) == 20


def test_training_learns():
    history = train(autoencoder(), 40, validation=None)
    assert history.costs[-1] < 0.5 * history.costs[0]


def test_patience_watches_the_validation_cost_unless_told_otherwise():
    x = pt.vector("x")
    epoch = pytensor.shared(0.0, name="epoch")
    # falls while training, rises in validation
    cost = pt.switch(pt.mean(x) > 0, -epoch, epoch)
    model = SimpleNamespace(x=x, params=[epoch], cost=cost, updates=[(epoch, epoch + 1)])
    lines = []
    data, validation = {x: np.ones(4)}, {x: -np.ones(3)}
    arguments = {"data": data, "validation": validation, "batch_size": 4, "patience": 2, "n_epochs": 9}
    history = train(model, **arguments, log=lines.append, restore_best=True)
    assert (len(history), history.best_epoch, history.stopped_early) == (3, 0, True)
    assert lines == ["Training stopped after 3 of 9 epochs: val_cost was lowest in epoch 0, 1.000000"]
    assert epoch.get_value() == 1.0
    assert not train(model, **arguments, monitor="cost").stopped_early


# Averages


def recorded(visited):
    """Return a `function` for `fit` whose training steps leave the parameters that they come to in `visited`."""

    def function(*arguments, updates=(), **keywords):
        step = symae.function(*arguments, updates=updates, **keywords)
        if not updates:
            return step

        def recorded_step(index):
            cost = step(index)
            visited.append([v.get_value() for v, _ in updates[:2]])
            return cost

        return recorded_step

    return function


def test_averages_are_what_is_kept_and_they_do_not_change_the_steps():
    model, plain = autoencoder(sgd), autoencoder(sgd)
    first, visited = [p.get_value() for p in model.params], []
    history = train(model, 3, average=0.8, function=recorded(visited))
    assert history.costs == train(plain, 3).costs
    np.testing.assert_array_equal(visited[-1][0], plain.params[0].get_value())
    for i, p in enumerate(model.params):
        expected = first[i]
        for t, step in enumerate(visited):
            d = min(0.8, (1 + t) / (10 + t))
            expected = d * expected + (1 - d) * step[i]
        np.testing.assert_allclose(p.get_value(), expected, rtol=1e-12)


def test_the_validation_cost_is_that_of_the_averages():
    x = pt.vector("x")
    p = pytensor.shared(0.0, name="p")
    model = SimpleNamespace(x=x, params=[p], cost=p + 0 * pt.mean(x), updates=[(p, p + 1)])
    history = train(model, 2, {x: np.zeros(2)}, batch_size=2, average=0.5, validation={x: np.zeros(2)})
    assert history.costs == [0.0, 1.0]  # before each step
    # a tenth of 0 and nine tenths of 1; then 2 / 11 of that and 9 / 11 of 2
    assert history.measures["val_cost"] == pytest.approx([0.9, 1.8])
    assert p.get_value() == pytest.approx(1.8)


@pytest.mark.parametrize("restore_best", [False, True])
def test_a_training_with_averages_in_two_calls_is_one_training(tmp_path, restore_best):
    def go_on(folder, n_epochs):
        model = autoencoder()
        keywords = {"average": 0.9, "restore_best": restore_best, "validation": {model.x: X[:7] * 0.5}}
        train(model, n_epochs, folder=tmp_path / folder, resume=True, **keywords)
        return [p.get_value().tobytes() for p in model.params]

    whole = go_on("whole", 5)
    go_on("parts", 3)
    assert go_on("parts", 5) == whole
    assert go_on("parts", 5) == whole  # nothing is left to train
    assert_same_training(tmp_path / "whole", tmp_path / "parts")
    names = read_checkpoint(tmp_path / "whole" / "last.safetensors").arrays.keys()
    assert {"W", "W_average", "b", "b_average"} <= names


def test_a_training_is_not_resumed_with_another_average(tmp_path):
    train(n_epochs=1, folder=tmp_path, average=0.9)
    with pytest.raises(InputError, match=r"average: found 0\.5, expected 0\.9"):
        train(n_epochs=2, folder=tmp_path, average=0.5, resume=True)
    with pytest.raises(InputError, match="W_average"):
        train(n_epochs=2, folder=tmp_path, resume=True)


def test_whole_numbers_are_not_averaged():
    model = recorder()
    train(model, 1, {model.x: np.arange(6)}, batch_size=3, average=0.9, shuffle=False)
    assert model.params[0].get_value().tolist() == [0, 1, 2, 3, 4, 5]


# Checkpoints


@pytest.mark.parametrize("optimizer", [adam, momentum])
@pytest.mark.parametrize("drop_last", [True, False])
def test_a_training_in_two_calls_is_one_training(tmp_path, optimizer, drop_last):
    arguments = {"measures": None, "drop_last": drop_last, "seed": 5}
    whole, model = autoencoder(optimizer), None
    validation = X[:7] * 0.5
    train(whole, 5, folder=tmp_path / "whole", validation={whole.x: validation}, **arguments)
    for epochs in (3, 5):
        model = autoencoder(optimizer)  # another process would build it anew
        history = train(model, epochs, folder=tmp_path / "parts", resume=True, validation={model.x: validation}, **arguments)
    assert len(history) == 5
    assert_same_training(tmp_path / "whole", tmp_path / "parts")
    for p, q in zip(whole.params, model.params, strict=True):
        assert p.get_value().tobytes() == q.get_value().tobytes()


@pytest.mark.default_mode
def test_a_training_by_compiled_loops_is_that_by_python_loops_also_when_resumed(tmp_path):
    def go_on(folder, n_epochs, loop):
        model = autoencoder(momentum)
        keywords = {"drop_last": False, "backend": "numba", "loop": loop, "measures": {"code": pt.mean(model.code)}}
        train(model, n_epochs, folder=tmp_path / folder, resume=True, validation={model.x: X[:7]}, **keywords)

    go_on("python", 4, "python")
    for n_epochs, loop in ((1, "compiled"), (2, "python"), (4, "compiled")):
        go_on("compiled", n_epochs, loop)
    assert_same_training(tmp_path / "python", tmp_path / "compiled")


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 6), max_size=3))
def test_a_training_may_be_resumed_after_any_epochs(tmp_path, stops):
    for folder, parts in (("whole", [6]), ("parts", [*sorted(stops), 6])):
        shutil.rmtree(tmp_path / folder, ignore_errors=True)
        for n_epochs in parts:
            model = autoencoder()
            train(model, n_epochs, folder=tmp_path / folder, resume=True, measures={"code": pt.mean(model.code)})
    assert_same_training(tmp_path / "whole", tmp_path / "parts")


def test_a_training_that_was_interrupted_goes_on_as_if_it_had_not_been(tmp_path):
    train(n_epochs=5, folder=tmp_path / "whole")
    calls = iter(range(100))

    def function(*arguments, **keywords):
        step = symae.function(*arguments, **keywords)

        def interrupted(index):
            if next(calls) == 10:  # in the third epoch
                signal.raise_signal(signal.SIGINT)
            return step(index)

        return interrupted

    assert len(train(n_epochs=5, folder=tmp_path / "parts", function=function)) == 2
    lines = []
    history = train(n_epochs=5, folder=tmp_path / "parts", resume=True, log=lines.append)
    assert lines == ["Training goes on after 2 of 5 epochs"]
    assert not history.interrupted
    assert_same_training(tmp_path / "whole", tmp_path / "parts")


def test_a_checkpoint_holds_all_that_training_changes_by_name(tmp_path):
    model = autoencoder(momentum)
    frozen = pytensor.shared(np.ones(2, "float32"), name="frozen")
    train(model, 2, folder=tmp_path, params=[*model.params, frozen])
    checkpoint = read_checkpoint(tmp_path / "last.safetensors")
    shapes = {name: (array.shape, str(array.dtype)) for name, array in checkpoint.arrays.items()}
    assert shapes == {
        "W": ((4, 3), "float64"),
        "b": ((3,), "float64"),
        "frozen": ((2,), "float32"),
        "W_velocity": ((4, 3), "float64"),
        "b_velocity": ((3,), "float64"),
        "random_state_0": ((628,), "uint32"),
    }
    assert checkpoint.epoch == 1
    assert len(checkpoint.history) == 2


def test_the_best_epoch_has_a_checkpoint_of_its_own_and_can_be_put_back(tmp_path):
    costs = [3.0, 1.0, 2.0, 2.0, 2.0]

    def go_on(n_epochs, **keywords):
        model = scripted(costs)
        train(model, n_epochs, {model.x: np.zeros(4)}, batch_size=4, folder=tmp_path, resume=True, **keywords)
        return int(model.params[0].get_value())

    assert go_on(3) == 3
    best = read_checkpoint(tmp_path / "best.safetensors")
    assert (best.epoch, best.arrays["steps"]) == (1, 2)
    assert go_on(4, restore_best=True) == 2  # of an epoch before it was resumed
    assert go_on(5) == 5  # it does not go on from the best one
    (tmp_path / "best.safetensors").unlink()
    with pytest.raises(InputError, match=r"best\.safetensors: found no such file"):
        go_on(5, restore_best=True)


def test_patience_goes_on_counting_in_a_resumed_training(tmp_path):
    def go_on(n_epochs, patience):
        model = scripted([2.0, 1.0, 3.0, 3.0, 3.0, 3.0])
        data = {model.x: np.zeros(4)}
        return train(model, n_epochs, data, batch_size=4, folder=tmp_path, resume=True, patience=patience)

    assert len(go_on(3, 2)) == 3
    assert len(go_on(6, 2)) == 4
    assert go_on(6, 2).stopped_early
    assert len(go_on(6, 3)) == 5


def test_a_new_training_replaces_the_files_of_an_older_one_as_its_first_epoch_ends(tmp_path):
    train(n_epochs=3, folder=tmp_path)
    old = files(tmp_path)
    seen = []
    train(autoencoder(sgd), 1, folder=tmp_path, seed=2, on_epoch=lambda *_: seen.append(files(tmp_path)), log_every=0)
    assert {name for name in old if seen[0][name] == old[name]} == set()
    assert read_checkpoint(tmp_path / "last.safetensors").epoch == read_checkpoint(tmp_path / "best.safetensors").epoch == 0
    assert len(without_seconds(tmp_path / "history.jsonl")) == 1


def another_optimizer():
    return autoencoder(sgd)


def more_units():
    return autoencoder(n_hidden=2)


def single_precision():
    return autoencoder(dtype="float32")


def other_names():
    model = autoencoder()
    model.params[0].name = "V"
    return model


@pytest.mark.parametrize(
    ("make", "keywords", "message"),
    [
        (another_optimizer, {}, r"last\.safetensors: found W_squares of shape .*, expected no W_squares, as this model"),
        (more_units, {}, r"last\.safetensors: found W of shape \(4, 3\) .*, expected W of shape \(4, 2\)"),
        (other_names, {}, r"last\.safetensors: found no V, expected V of shape \(4, 3\) and dtype float64"),
        (single_precision, {}, r"last\.safetensors: found W of shape \(4, 3\) and dtype float64, expected W .* float32"),
        (autoencoder, {"data": X + 1e-9}, "data: found '.*', expected '.*', with which .* was trained"),
        (autoencoder, {"data": X[:22]}, r"data: found 'x float64 \(22, 4\)"),
        (autoencoder, {"validation": X}, "validation: found '.*', expected None"),
        (autoencoder, {"batch_size": 4}, r"batch_size: found 4, expected 5, with which .*last\.safetensors was trained"),
        (autoencoder, {"seed": 1}, "seed: found 1, expected 0"),
        (autoencoder, {"shuffle": False}, "shuffle: found False, expected True"),
        (autoencoder, {"drop_last": False}, "drop_last: found False, expected True"),
        (autoencoder, {"measures": {"a": pt.constant(1.0)}}, r"measures: found \['a'\], expected \[\]"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused_and_nothing_is_changed(tmp_path, make, keywords, message):
    train(n_epochs=2, folder=tmp_path)
    before = files(tmp_path)
    model = make()
    values = [p.get_value() for p in model.params]
    for name in ("data", "validation"):
        if name in keywords:
            keywords = keywords | {name: {model.x: keywords[name]}}
    with pytest.raises(InputError, match=message):
        train(model, 4, folder=tmp_path, resume=True, **keywords)
    assert files(tmp_path) == before
    for p, value in zip(model.params, values, strict=True):
        np.testing.assert_array_equal(p.get_value(), value)


def test_a_damaged_checkpoint_is_refused_and_kept(tmp_path):
    train(n_epochs=2, folder=tmp_path)
    last = tmp_path / "last.safetensors"
    last.write_bytes(last.read_bytes()[:-1])
    before = files(tmp_path)
    with pytest.raises(InputError, match=r"last\.safetensors: found a damaged file"):
        train(n_epochs=4, folder=tmp_path, resume=True)
    assert files(tmp_path) == before


def test_a_history_that_was_cut_off_is_mended_and_other_models_keep_their_lines(tmp_path):
    for name in ("a", "b"):
        train(n_epochs=2, folder=tmp_path, name=name)
    assert sorted(files(tmp_path)) == [
        "a_best.safetensors",
        "a_last.safetensors",
        "b_best.safetensors",
        "b_last.safetensors",
        "history.jsonl",
    ]
    log = tmp_path / "history.jsonl"
    log.write_bytes(log.read_bytes()[:-20])
    train(n_epochs=3, folder=tmp_path, name="b", resume=True)
    assert [(line["model"], line["epoch"]) for line in without_seconds(log)] == [
        ("a", 0),
        ("a", 1),
        ("b", 0),
        ("b", 1),
        ("b", 2),
    ]
    train(n_epochs=1, folder=tmp_path, name="a")
    assert [(line["model"], line["epoch"]) for line in without_seconds(log)] == [("b", 0), ("b", 1), ("b", 2), ("a", 0)]


def test_a_cost_that_diverges_names_the_last_good_checkpoint_and_takes_back_the_epoch(tmp_path):
    model = scripted([1.0, 1.0, 1.0, 1.0, np.inf, 1.0])
    remembered = pytensor.shared(0.0, name="remembered")  # by an optimizer; no parameter
    model.updates.append((remembered, remembered + 1))
    message = r"epoch 1, minibatch 1: the cost is inf, .*; the last good checkpoint is .*last\.safetensors, of epoch 0"
    with pytest.raises(DivergedError, match=message):
        train(model, 5, {model.x: np.zeros(9)}, batch_size=3, folder=tmp_path)
    assert (model.params[0].get_value(), remembered.get_value()) == (3, 3)
    assert read_checkpoint(tmp_path / "last.safetensors").arrays["steps"] == 3


def test_a_cost_that_diverges_in_the_first_epoch_names_no_older_checkpoint(tmp_path):
    train(n_epochs=1, folder=tmp_path)
    model = scripted([np.nan])
    with pytest.raises(
        DivergedError, match=r"epoch 0, minibatch 0: the cost is nan, expected a finite number; try a smaller rate$"
    ):
        train(model, 1, {model.x: np.zeros(3)}, batch_size=3, folder=tmp_path)


@pytest.mark.parametrize("place", ["file", "folder/last.safetensors", "folder/best.safetensors", "folder/history.jsonl"])
def test_a_place_that_cannot_be_written_is_named_before_training(tmp_path, place):
    if place == "file":
        (tmp_path / "file").write_text("in the way")
    else:
        (tmp_path / place).mkdir(parents=True)
    model = recorder()
    with pytest.raises(UnwritableError, match=place):
        train(model, 1, {model.x: np.arange(10)}, folder=tmp_path / place.split("/")[0])
    assert not len(model.params[0].get_value())


def test_a_disk_without_room_for_checkpoints_is_named_before_training(tmp_path, monkeypatch):
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(free=1000))
    model = recorder()
    with pytest.raises(UnwritableError, match=r"found 1000 bytes free, expected at least \d+, for checkpoints"):
        train(model, 1, {model.x: np.arange(10)}, folder=tmp_path)
    assert not len(model.params[0].get_value())
    assert files(tmp_path) == {}


def test_what_no_file_can_hold_is_refused_before_training(tmp_path):
    model = recorder()
    generator = pytensor.shared(np.random.default_rng(1), name="generator")
    model.updates.append((generator, generator))
    with pytest.raises(InputError, match=r"generator: found a .*, expected arrays of numbers or symae\.RandomStreams"):
        train(model, 1, {model.x: np.arange(10)}, folder=tmp_path)


RUN = """
import sys
import pytensor
pytensor.config.mode = "FAST_COMPILE"
import test_fitting
test_fitting.run(sys.argv[1], lines_at_most=15)
"""


def run(folder, lines_at_most=None):
    """Run the training that is killed; it prints a line for each epoch."""
    model, lines = autoencoder(), []

    def log(line):
        print_line(line)
        lines.append(line)
        if len(lines) == lines_at_most:
            sys.stdin.readline()  # wait for the end

    train(model, 20, validation={model.x: X[:7]}, folder=folder, resume=True, log_every=1, log=log)


@pytest.mark.default_mode
def test_a_process_that_is_killed_at_any_moment_can_be_followed_by_another(tmp_path):
    run(tmp_path / "whole")
    command = [sys.executable, "-c", RUN, str(tmp_path / "parts")]
    here = Path(__file__).parent  # where Python looks for the module that the command imports
    moments = random.Random(os.getpid())
    finished = [0]
    while finished[-1] < 20:
        with subprocess.Popen(command, cwd=here, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            for _ in range(moments.randint(2, 12)):
                child.stdout.readline()
            time.sleep(moments.uniform(0, 0.01))
            child.kill()
        finished.append(len(read_checkpoint(tmp_path / "parts" / "last.safetensors").history))
        assert finished[-1] > finished[-2]
    assert_same_training(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.parametrize(("distributed", "joined"), [("", [""]), (True, [True]), (None, []), (False, [])])
def test_an_empty_address_of_process_0_means_a_launcher_as_in_a_command_and_never_to_train_alone(
    monkeypatch, distributed, joined
):
    asked = []

    def join(distributed):
        asked.append(distributed)
        raise InputError("distributed", "no launcher", "one")

    monkeypatch.setattr("symae.training.fitting.join", join)
    with suppress(InputError):
        train(n_epochs=0, distributed=distributed)
    assert asked == joined
