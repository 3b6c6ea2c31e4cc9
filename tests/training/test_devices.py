"""A training on several devices, parts of a CPU here, is the training on one: the same masks, costs, files and errors."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import partial

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from symae import function
from symae.compile.mesh import Devices
from symae.compile.sharded import ShardedFunction
from symae.training.data import Examples
from symae.training.devices import ShardedPass

pytest.importorskip("jax")
# They wait for child processes, of which each has devices of its own.
pytestmark = [pytest.mark.on("jax"), pytest.mark.backends]

# What the child processes share: a model with a mask, trained on one device or several.
PROGRAM = """
import json, sys
from pathlib import Path
import numpy as np, pytensor, pytensor.tensor as pt, jax
from jax.sharding import Mesh, PartitionSpec as P
from symae import RandomStreams, function
from symae.compile.mesh import Devices
from symae.errors import InputError
from symae.optimizers import adam, momentum
from symae.training import fit
from symae.training.data import Examples
from symae.training.devices import ShardedPass

X = np.random.RandomState(1).rand(90, 6)
Y = np.random.RandomState(2).randint(0, 2, 90)

def model(dtype="float64"):
    x, y = pt.matrix("x", dtype=dtype), pt.lvector("y")
    mask = RandomStreams(3).binomial(size=x.shape, n=1, p=0.7, dtype=dtype)
    W = pytensor.shared(np.random.RandomState(0).normal(size=(6, 4)).astype(dtype), name="W")
    b = pytensor.shared(np.zeros(4, dtype), name="b")
    h = pt.tanh((x * mask).dot(W) + b)
    labelled = pt.special.log_softmax(h, axis=1)[pt.arange(y.shape[0]), y]
    cost = ((h.dot(W.T) - x) ** 2).sum(axis=1).mean()
    return x, y, mask, [W, b], cost, cost - pt.cast(labelled, dtype).mean()

def train(n_epochs=3, X=X, validated=False, **settings):
    x, _, mask, params, cost, _ = model()
    settings = dict(batch_size=20, log_every=0, backend="jax", measures={"kept": mask.sum()}) | settings
    if validated:
        # a minibatch of 10 remains, which four do not divide
        settings |= dict(drop_last=False, validation={x: X[:30]}, average=0.9, patience=1, restore_best=True)
    history = fit(cost, momentum(cost, params, 0.01), {x: X}, n_epochs=n_epochs, params=params, **settings)
    return history.costs, [p.get_value().tolist() for p in params], history.measures, history.best_epoch
"""


def run(program: str, devices: int, *arguments: object) -> dict:
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
    environment = os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", PROGRAM + program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


TRAININGS = """
found, wide = {}, P(None, "model")
two_by_two = Mesh(np.array(jax.devices()).reshape(2, 2), ("data", "model"))

class Rows:
    def __len__(self): return len(X)
    def __getitem__(self, places): return X[places]

for name, settings in {
    "one": {"validated": True},
    "four": {"validated": True, "devices": "all"},
    "wide": {"devices": two_by_two, "shard": {"W": wide}},
    "streamed": {"devices": 4, "X": Rows()},
}.items():
    found[name] = train(**settings)

def error(do=train, **settings):
    try:
        do(**settings)
    except Exception as error:
        return f"{type(error).__name__}: {error}"

def divided(devices):
    return error(lambda: Devices(devices, {"W": wide}).of_variable("W", (6, 4)))

found["errors"] = {
    "batch": error(devices=4, batch_size=10),
    "too many": error(devices=5),
    "none": error(devices=0),
    "a word": error(devices="two"),
    "backend": error(devices=2, backend="numba"),
    "mesh": error(devices=Mesh(np.array(jax.devices()), ("model",))),
    "unknown": error(devices=2, shard={"V": wide}),
    "axis": divided(2),
    "parts": divided(Mesh(np.array(jax.devices()[:3]).reshape(1, 3), ("data", "model"))),
    "no devices": error(shard={"W": wide}),
}

def resumed(n_epochs, devices):
    lines = []
    return train(n_epochs, folder=Path(sys.argv[1]), resume=True, devices=devices, log=lines.append)[0], lines

found["resumed"] = {"first": resumed(1, 4)[0], "same": resumed(2, 4)[0], "on two": resumed(3, 2)}

def pass_of(dtype):
    x, y, _, params, _, cost = model(dtype)
    make = lambda *inputs, **settings: function(*inputs, backend="jax", **settings)
    names, examples = {p: p.name for p in params}, Examples("data", {x: X.astype(dtype), y: Y})
    steps = ShardedPass(Devices(4), names, make, examples, 20, [cost], adam(cost, params, 0.01))
    return steps._functions[20], [*examples.read(np.arange(20)).values()]

found["programs"] = {}
for dtype in ("float32", "float64"):
    steps, minibatch = pass_of(dtype)
    found["programs"][dtype] = steps.compiled_text(minibatch)

def as_wide_as_the_minibatch():
    x, more = pt.matrix("x", dtype="float64"), pt.matrix("more", dtype="float64")
    rng = np.random.RandomState(0)
    params = [pytensor.shared(rng.normal(size=(20, 3)), name=name) for name in ("W", "V")]
    cost = (pt.tanh(x.dot(params[0]) + more.dot(params[1])) ** 2).mean()
    return params, cost, {x: rng.rand(40, 20), more: rng.rand(40, 20)}

def trained_so(**settings):
    params, cost, data = as_wide_as_the_minibatch()
    settings |= dict(batch_size=20, n_epochs=2, log_every=0, backend="jax")
    return fit(cost, momentum(cost, params, 0.1), data, params=params, **settings).costs

params, cost, data = as_wide_as_the_minibatch()
make = lambda *inputs, **settings: function(*inputs, backend="jax", **settings)
examples = Examples("data", data)
wide_pass = ShardedPass(Devices(4), {p: p.name for p in params}, make, examples, 20, [cost], momentum(cost, params, 0.1))
found["as wide"] = {
    "one": trained_so(),
    "four": trained_so(devices=4),
    "program": wide_pass._functions[20].compiled_text([*examples.read(np.arange(20)).values()]),
}

images, labels = minibatch
unknown, endless = [images, np.where(np.arange(20) == 7, 9, labels)], [images * 1e300, labels]
variables = [v for v in steps.function.get_shared() if v.name in ("W", "adam_step")]
values = lambda: {v.name: v.get_value().tolist() for v in variables}
before = values()
found["refused"] = [error(lambda: steps.run([minibatch, unknown])), error(lambda: steps.function(*unknown))]
found["unchanged"] = values() == before
found["diverged"] = len(steps.run([minibatch, endless, minibatch, unknown])), values()["adam_step"]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def trainings(tmp_path_factory):
    return run(TRAININGS, 4, tmp_path_factory.mktemp("trainings"))


def same(found, expected, rtol=1e-6):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol)


@pytest.mark.parametrize(("name", "expected"), [("four", "one"), ("wide", "streamed")])
def test_costs_and_averages_and_the_best_epoch_are_those_of_one_device_also_of_parameters_that_are_divided(
    trainings, name, expected
):
    costs, params, measures, best = trainings[name]
    costs_of_one, params_of_one, measures_of_one, best_of_one = trainings[expected]
    same(costs, costs_of_one)
    for found, right in zip(params, params_of_one, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-6, atol=1e-9)
    assert measures["kept"] == measures_of_one["kept"]  # how many pixels the masks kept
    assert best == best_of_one
    same(measures.get("val_cost", []), measures_of_one.get("val_cost", []))


def test_data_outside_of_memory_is_divided_as_arrays_are(trainings):
    assert trainings["streamed"][0][:2] == trainings["resumed"]["same"]


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("batch", "batch_size: found 10, expected a multiple of 4, the devices that a minibatch is divided among"),
        ("too many", "devices: found 5, expected at most 4, the devices that JAX has here (cpu)"),
        ("none", 'devices: found 0, expected "all", a number of devices, or a jax.sharding.Mesh with an axis "data"'),
        ("a word", 'devices: found \'two\', expected "all", a number of devices, or a jax.sharding.Mesh with an axis "data"'),
        ("backend", "devices: found the backend numba, expected the backend jax: no other has several devices"),
        (
            "mesh",
            'devices: found a mesh of the axes model, expected "all", a number of devices, or a jax.sharding.Mesh with an',
        ),
        ("unknown", "shard: found 'V', expected names among W, b, "),
        ("axis", "shard['W']: found the axis 'model', expected axes of the mesh: data; devices may be a mesh with others"),
        ("parts", "shard['W']: found 3 parts of shape (6, 4), expected as many as divide it"),
        ("no devices", 'shard: found no devices, expected devices="all", their number or a mesh'),
    ],
)
def test_what_does_not_go_together_is_one_line(trainings, case, message):
    assert trainings["errors"][case].startswith(f"InputError: {message}")


def test_what_a_kernel_refuses_is_raised_as_on_one_device_and_nothing_is_changed(trainings):
    found, of_one_device = trainings["refused"]
    assert "9" in of_one_device
    assert found == of_one_device
    assert trainings["unchanged"]


def test_of_what_devices_do_after_a_cost_that_is_not_finite_nothing_is_left(trainings):
    assert trainings["diverged"] == [2, 2]  # the figures of two steps, and as many updates


def test_a_training_is_resumed_to_the_last_bit(trainings):
    assert len(trainings["resumed"]["first"]) == 1
    assert trainings["resumed"]["same"] == trainings["streamed"][0][:2]


def test_a_training_is_resumed_on_another_number_of_devices(trainings):
    costs, lines = trainings["resumed"]["on two"]
    same(costs, trainings["streamed"][0])
    assert costs[:2] == trainings["resumed"]["same"]
    assert lines == ["Training goes on after 2 of 3 epochs"]


def test_what_an_optimizer_remembers_is_divided_as_its_parameter_and_other_parameters_are_not():
    from jax.sharding import PartitionSpec

    state = {name: pytensor.shared(np.zeros((2, 2)), name=name) for name in ("W", "W_prime", "W_velocity", "W_prime_velocity")}
    devices = Devices(1, {"W": PartitionSpec("data")})
    devices.share_like([state["W"], state["W_prime"]], state)
    assert set(devices.shard) == {"W", "W_velocity"}


def test_a_parameter_of_which_other_processes_have_parts_is_brought_together_by_one_program(monkeypatch):
    import jax

    class OfSeveralProcesses:
        is_fully_addressable = is_fully_replicated = False

    made = []
    monkeypatch.setattr(jax, "jit", lambda function, **settings: made.append(function) or (lambda array: np.ones(2)))
    devices = Devices(1)
    for _ in range(3):
        assert devices.fetch(OfSeveralProcesses()).tolist() == [1, 1]
    assert len(made) == 1


def test_loops_in_python_wait_for_each_minibatch_of_the_validation_too(monkeypatch):
    x, calls = pt.dmatrix("x"), []
    run = ShardedFunction.run

    def counted(self, minibatches, *more):
        rows = run(self, minibatches, *more)
        calls.append(len(rows))
        return rows

    monkeypatch.setattr(ShardedFunction, "run", counted)
    make = partial(function, backend="jax")
    examples = Examples("data", {x: np.arange(8.0)[:, None]})
    for loop in ("compiled", "python"):
        calls.clear()
        assert ShardedPass(Devices(1), {}, make, examples, 1, [x.mean()], loop=loop).means() == [3.5]
        assert (max(calls) == 1) == (loop == "python")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_devices_tell_each_other_sums_once_a_step_for_each_dtype_and_no_parameters(trainings, dtype):
    text = trainings["programs"][dtype]
    dtypes = [set(re.findall(r"(\w+)\[", found)) for found in re.findall(r"= (.*) all-reduce\(", text)]
    assert sorted(map(sorted, dtypes)) == [["f64" if dtype == "float64" else "f32"], ["s64"]]  # s64: of labels, for errors
    assert not re.findall(r"all-gather|all-to-all|collective-permute|callback", text)
    (sums,) = [found for found in re.findall(r"= (.*) all-reduce\(", text) if "s64" not in found]
    # 24 weights, 4 biases and the two terms of the cost: of the weights, used twice, both gradients are added before
    assert re.findall(r"\[([\d,]*)\]", sums) == ["30"]


def test_each_device_makes_its_part_of_the_mask_from_the_words_of_the_generator_and_no_other(trainings):
    text = trainings["programs"]["float64"]
    assert "u64[5,6]" in text  # two words each, of 5 of 20 rows
    assert not re.findall(r"\w+\[(?:20,6|240)\b", text)


def test_where_features_are_as_many_as_the_rows_no_weights_are_copied_into_one_array(trainings):
    found = trainings["as wide"]
    np.testing.assert_allclose(found["four"], found["one"], rtol=1e-12)
    assert "f64[20,3]" in found["program"]
    assert "f64[2,20,3]" not in found["program"]
