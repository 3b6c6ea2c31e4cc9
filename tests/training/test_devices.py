"""A training on several devices, parts of a CPU here, is the training on one: the same masks, costs, files and errors."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("jax")

# What the child processes share: a model with a mask, trained on one device or several.
PROGRAM = """
import json, sys
from pathlib import Path
import numpy as np, pytensor, pytensor.tensor as pt, jax
from jax.sharding import Mesh, PartitionSpec as P
from symae import RandomStreams, function
from symae.compile.sharded import Devices
from symae.errors import DivergedError, InputError
from symae.optimizers import adam
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
    cost = ((h.dot(W.T) - x) ** 2).sum(axis=1).mean() - pt.cast(labelled, dtype).mean()
    return x, y, mask, [W, b], cost

def train(n_epochs=5, X=X, Y=Y, dtype="float64", **settings):
    x, y, mask, params, cost = model(dtype)
    settings = dict(batch_size=20, log_every=0, backend="jax", measures={"kept": mask.sum()}) | settings
    history = fit(cost, adam(cost, params, 0.01), {x: X.astype(dtype), y: Y}, n_epochs=n_epochs, params=params, **settings)
    return history.costs, [p.get_value().tolist() for p in params], history.measures
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
for name, settings in {
    "one": {},
    "four": {"devices": "all"},
    "wide": {"devices": two_by_two, "shard": {"W": wide}},
    "rest": {"drop_last": False, "shuffle": False},
    "rest of four": {"drop_last": False, "shuffle": False, "devices": 4},
}.items():
    x, y = model()[:2]
    found[name] = train(**settings)

def validated(**settings):
    x, y, mask, params, cost = model()
    data, held_out = {x: X[:60], y: Y[:60]}, {x: X[60:], y: Y[60:]}
    settings |= dict(batch_size=20, n_epochs=4, log_every=0, backend="jax", average=0.9, patience=2, restore_best=True)
    history = fit(cost, adam(cost, params, 0.01), data, validation=held_out, params=params, **settings)
    return history.measures["val_cost"], [p.get_value().tolist() for p in params], history.best_epoch

found["validated"], found["validated on four"] = validated(), validated(devices=4)

class Rows:
    def __len__(self): return len(X)
    def __getitem__(self, places): return X[places]

x, y, mask, params, cost = model()
settings = dict(n_epochs=5, params=params, batch_size=20, log_every=0, devices=4, measures={"kept": mask.sum()})
streamed = fit(cost, adam(cost, params, 0.01), {x: Rows(), y: Y}, **settings)
found["streamed"] = streamed.costs

def error(kind=InputError, **settings):
    try:
        train(1, **settings)
    except kind as error:
        return str(error)

found["errors"] = {
    "batch": error(devices=4, batch_size=10),
    "too many": error(devices=5),
    "none": error(devices=0),
    "a word": error(devices="two"),
    "backend": error(devices=2, backend="numba"),
    "mesh": error(devices=Mesh(np.array(jax.devices()), ("model",))),
    "unknown": error(devices=2, shard={"V": wide}),
    "axis": error(devices=2, shard={"W": wide}),
    "parts": error(devices=Mesh(np.array(jax.devices()[:3]).reshape(1, 3), ("data", "model")), shard={"W": wide}),
    "no devices": error(shard={"W": wide}),
    "label": error(Exception, devices=4, Y=np.where(np.arange(90) == 41, 9, Y), shuffle=False),
    "diverged": error(DivergedError, devices=4, X=np.where(np.arange(90)[:, None] == 41, 1e300, X), shuffle=False),
}

def resumed(folder, n_epochs, devices):
    lines = []
    costs = train(n_epochs, folder=Path(sys.argv[1]) / folder, resume=True, devices=devices, log=lines.append)[0]
    return costs, lines

found["resumed"] = {"whole": resumed("whole", 6, 4)[0], "first": resumed("parts", 2, 4)[0]}
found["resumed"] |= {"parts": resumed("parts", 4, 4)[0], "on two": resumed("parts", 6, 2)}

def program(dtype):
    x, y, mask, params, cost = model(dtype)
    make = lambda *inputs, **settings: function(*inputs, backend="jax", **settings)
    names, examples = {p: p.name for p in params}, Examples("data", {x: X.astype(dtype), y: Y})
    steps = ShardedPass(Devices(4), names, make, examples, 20, [cost], adam(cost, params, 0.01))
    return steps._functions[20].compiled_text([*examples.read(np.arange(20)).values()])

found["programs"] = {dtype: program(dtype) for dtype in ("float64", "float32")}
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def trainings(tmp_path_factory):
    return run(TRAININGS, 4, tmp_path_factory.mktemp("trainings"))


def same(found, expected, rtol=1e-6):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol)


@pytest.mark.parametrize("name", ["four", "wide"])
def test_costs_and_parameters_are_those_of_one_device(trainings, name):
    costs, params, measures = trainings[name]
    same(costs, trainings["one"][0])
    for found, expected in zip(params, trainings["one"][1], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
    assert measures == trainings["one"][2]  # how many pixels the masks kept


def test_a_last_minibatch_that_devices_do_not_divide_is_trained_on_too(trainings):
    same(trainings["rest of four"][0], trainings["rest"][0])


def test_validation_averages_and_the_best_epoch_are_those_of_one_device(trainings):
    (costs, params, best), (expected, expected_params, expected_best) = (
        trainings[name] for name in ("validated on four", "validated")
    )
    same(costs, expected)
    same(params, expected_params)
    assert best == expected_best


def test_data_outside_of_memory_is_divided_as_arrays_are(trainings):
    assert trainings["streamed"] == trainings["four"][0]


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
        ("diverged", "epoch 0, minibatch 2: the cost is inf, expected a finite number; try a smaller rate"),
    ],
)
def test_what_does_not_go_together_is_one_line(trainings, case, message):
    assert trainings["errors"][case].startswith(message)


def test_what_a_kernel_refuses_is_raised_as_on_one_device(trainings):
    assert "9" in trainings["errors"]["label"]


def test_a_training_is_resumed_to_the_last_bit(trainings):
    assert trainings["resumed"]["parts"] == trainings["resumed"]["whole"][:4]


def test_a_training_is_resumed_on_another_number_of_devices(trainings):
    costs, lines = trainings["resumed"]["on two"]
    same(costs, trainings["resumed"]["whole"])
    assert costs[:4] == trainings["resumed"]["whole"][:4]
    assert lines == ["Training goes on after 4 of 6 epochs"]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_devices_tell_each_other_sums_once_a_step_for_each_dtype_and_no_parameters(trainings, dtype):
    text = trainings["programs"][dtype]
    dtypes = [set(re.findall(r"(\w+)\[", found)) for found in re.findall(r"= (.*) all-reduce\(", text)]
    assert sorted(map(sorted, dtypes)) == [["f64" if dtype == "float64" else "f32"], ["s64"]]  # s64: of labels, for errors
    assert not re.findall(r"all-gather|all-to-all|collective-permute|callback", text)
