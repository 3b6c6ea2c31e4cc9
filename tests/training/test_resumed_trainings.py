"""Which training goes on in a folder: the one that was begun there last, if it is the same, and never two at a time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
import safetensors.numpy
from safetensors import safe_open

from symae import InputError
from symae._runtime.atomic_files import write_together
from symae._runtime.folder_lock import FolderLock, locked
from symae.compile.graph_fingerprint import graph_fingerprint
from symae.keras import Input, Model
from symae.nn import Parameters, dense
from symae.optimizers import adam, momentum, sgd
from symae.training import fit
from symae.training.checkpoints import KEY, read_checkpoint

X = np.random.RandomState(1).rand(12, 4)


def a_model(rate=0.01, optimizer=sgd, decay=None, seed=0, shared_rate=False):
    x = pt.matrix("x", dtype="float64")
    W = pytensor.shared(np.random.RandomState(seed).normal(size=(4, 4)), name="W")
    cost = ((pt.tanh(x.dot(W)) - x) ** 2).mean()
    if decay is not None:
        cost = cost + decay * (W**2).sum()
    rate = pytensor.shared(rate, name="rate") if shared_rate else rate
    return SimpleNamespace(x=x, W=W, cost=cost, updates=optimizer(cost, [W], rate), rate=rate)


def train(model, folder, n_epochs=3, **keywords):
    settings = {"batch_size": 4, "params": [model.W], "log_every": 0, "log": lambda line: None} | keywords
    return fit(model.cost, model.updates, {model.x: X}, n_epochs=n_epochs, folder=folder, **settings)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def stop(*_):
    raise SystemExit  # what a killed process has written by then is what there is


def die_in_the_first_epoch(model, folder, **keywords):
    def function(*arguments, **more):
        return stop

    with pytest.raises(SystemExit):
        train(model, folder, function=function, loop="python", **keywords)


def test_a_training_that_was_begun_anew_and_killed_in_its_first_epoch_is_not_taken_for_the_one_before(tmp_path):
    train(a_model(0.01), tmp_path)
    die_in_the_first_epoch(a_model(0.001), tmp_path)
    model, whole = a_model(0.001), a_model(0.001)
    assert train(model, tmp_path, resume=True).costs == train(whole, tmp_path / "whole").costs
    np.testing.assert_array_equal(model.W.get_value(), whole.W.get_value())


def test_old_checkpoints_are_kept_under_another_name_until_the_first_epoch_is_finished(tmp_path):
    train(a_model(), tmp_path)
    old = {name: (tmp_path / name).read_bytes() for name in ("last.safetensors", "best.safetensors")}
    die_in_the_first_epoch(a_model(), tmp_path)
    die_in_the_first_epoch(a_model(), tmp_path)
    assert {path.stem: path.read_bytes() for path in tmp_path.glob("*.old")} == old
    train(a_model(), tmp_path, n_epochs=1)
    assert names(tmp_path) == ["best.safetensors", "history.jsonl", "last.safetensors"]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            {"rate": 0.001},
            r"updates: found the numbers 0\.001, expected 0\.01 in their place, with which .*last\.safetensors was",
        ),
        ({"decay": 0.01}, r"updates: found .*resume=False begins again"),
        ({"optimizer": adam}, r"last\.safetensors: found no "),
        ({"optimizer": lambda *arguments: ascent(*arguments)}, "updates: found a step with"),
    ],
    ids=["rate", "weight decay", "optimizer with a memory", "optimizer without one"],
)
def test_another_cost_or_other_updates_are_refused_and_the_error_says_in_what_they_differ(tmp_path, other, message):
    train(a_model(), tmp_path)
    model = a_model(**other)
    with pytest.raises(InputError, match=message):
        train(model, tmp_path, resume=True)
    np.testing.assert_array_equal(model.W.get_value(), a_model().W.get_value())


def ascent(cost, params, rate):
    return [(p, p + rate * g) for p, g in zip(params, pytensor.grad(cost, params), strict=True)]


def test_a_variable_that_is_read_and_not_trained_has_to_hold_what_it_held(tmp_path):
    train(a_model(shared_rate=True), tmp_path)
    train(a_model(shared_rate=True), tmp_path, n_epochs=4, resume=True)
    with pytest.raises(InputError, match="rate: found other values, expected those with which"):
        train(a_model(0.001, shared_rate=True), tmp_path, n_epochs=5, resume=True)


def test_a_rate_that_is_set_between_epochs_may_be_any(tmp_path):
    model = a_model(shared_rate=True)

    def halve(*_):
        model.rate.set_value(model.rate.get_value() / 2)

    train(model, tmp_path, on_epoch=halve)
    assert len(train(model, tmp_path, n_epochs=5, resume=True, on_epoch=halve)) == 5


def test_a_training_goes_on_in_the_same_process_and_says_nothing_of_its_weights(tmp_path):
    for keywords in ({"average": 0.9}, {"restore_best": True}):
        model, lines = a_model(optimizer=momentum), []
        folder = tmp_path / str(keywords)
        for n_epochs in (2, 4):
            train(model, folder, n_epochs=n_epochs, resume=True, log=lines.append, **keywords)
        assert lines == ["Training goes on after 2 of 4 epochs"]


def test_weights_from_a_generator_without_a_seed_go_on_with_a_line(tmp_path):
    train(a_model(seed=1), tmp_path)
    lines = []
    assert len(train(a_model(seed=2), tmp_path, n_epochs=4, resume=True, log=lines.append)) == 4
    assert lines[1] == f"{tmp_path / 'last.safetensors'} began with other values of W, and goes on from its own"


@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_weights_that_diverged_in_the_last_step_of_an_epoch_are_named_in_a_line(tmp_path):
    x, w = pt.matrix("x", dtype="float64"), pytensor.shared(1.0, name="w")
    model = SimpleNamespace(x=x, W=w, cost=x.mean() + 0 * pt.minimum(w, 9), updates=[(w, w * 1e200)])
    train(model, tmp_path, n_epochs=1)
    lines = []
    train(model, tmp_path, n_epochs=2, resume=True, log=lines.append)
    assert lines[1] == f"{tmp_path / 'last.safetensors'} has NaN or infinite values in w"


def test_a_best_epoch_of_another_training_is_not_put_back(tmp_path):
    def ever_worse():
        x, steps = pt.matrix("x", dtype="float64"), pytensor.shared(0.0, name="steps")
        return SimpleNamespace(x=x, W=steps, cost=steps + 0 * x.mean(), updates=[(steps, steps + 1)])

    for folder in ("one", "other"):
        train(ever_worse(), tmp_path / folder)
    (tmp_path / "one" / "best.safetensors").write_bytes((tmp_path / "other" / "best.safetensors").read_bytes())
    with pytest.raises(InputError, match=r"best\.safetensors: found the best epoch of another training"):
        train(ever_worse(), tmp_path / "one", n_epochs=6, resume=True, restore_best=True)


def as_older_versions_wrote_it(path):
    with safe_open(path, "numpy") as file:
        described = json.loads(file.metadata()[KEY])
    del described["training"], described["sha256"]
    path.write_bytes(safetensors.numpy.save(read_checkpoint(path).arrays, {KEY: json.dumps(described)}))


def test_a_checkpoint_of_an_older_symae_goes_on_with_a_line(tmp_path):
    train(a_model(), tmp_path)
    for name in ("last.safetensors", "best.safetensors"):
        as_older_versions_wrote_it(tmp_path / name)
    lines = []
    history = train(a_model(), tmp_path, n_epochs=5, resume=True, restore_best=True, log=lines.append)
    assert lines[1].endswith("is of an older symae, which did not note cost and updates: they may be others here")
    assert history.costs == train(a_model(), tmp_path / "whole", n_epochs=5).costs


def test_another_version_of_pytensor_may_build_another_graph(tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(pytensor, "__version__", "2.9")
        train(a_model(), tmp_path)
    lines = []
    train(a_model(0.001), tmp_path, n_epochs=4, resume=True, log=lines.append)
    assert "PyTensor 2.9, where graphs are others" in lines[1]


def test_keras_style_models_tell_their_optimizers_apart(tmp_path):
    def compiled(rate):
        x = Input(4)
        model = Model(x, dense(Parameters(np.random.RandomState(0)), "code", x, 4, activation="sigmoid"))
        model.compile(lambda cost, params: sgd(cost, params, rate))
        return model

    compiled(0.01).fit(X, X, folder=tmp_path, verbose=0)
    with pytest.raises(InputError, match=r"updates: found the numbers 0\.5.*expected 0\.01"):
        compiled(0.5).fit(X, X, epochs=2, folder=tmp_path, resume=True, verbose=0)
    assert len(compiled(0.01).fit(X, X, epochs=2, folder=tmp_path, resume=True, verbose=0)) == 2


FINGERPRINT = """
import numpy as np, pytensor, pytensor.tensor as pt
from symae import RandomStreams, nn
from symae.compile.graph_fingerprint import graph_fingerprint
from symae.models import ConvolutionalAutoencoder, CoordinateVAE, DenoisingAutoencoder
rng = np.random.RandomState(0)
for model in (ConvolutionalAutoencoder(rng, maps=(2,), image_shape=(1, 4, 4)), CoordinateVAE(rng, image_shape=(1, 2, 2))):
    cost, updates = model.get_cost_updates()
    print(graph_fingerprint({"cost": cost, **{v.name: new for v, new in updates}}, {model.x: "x"})["graph"])
da = DenoisingAutoencoder(rng, n_visible=4, n_hidden=2)
print(graph_fingerprint({"cost": da.get_cost_updates(0.3, 0.1)[0]}, {da.x: "x"})["graph"])
x = pt.matrix("x")
total = pytensor.scan(lambda row, sofar: row * 2 + sofar, sequences=[x], outputs_info=[x[0]], return_updates=False)
print(graph_fingerprint({"total": total}, {x: "x"})["graph"])
"""


def test_a_graph_has_the_same_fingerprint_in_every_process():
    printed = {
        subprocess.run(
            [sys.executable, "-c", FINGERPRINT],
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in (1, 2)
    }
    assert len(printed) == 1
    assert len(set(printed.pop().split())) == 4


def test_what_a_graph_computes_is_told_apart_to_its_inside():
    x = pt.matrix("x")

    def repeated(factor):
        return pytensor.scan(lambda row: row * factor, sequences=[x], return_updates=False)

    graphs = [x + 1, x + 2, x - 1, x.sum(0), x.sum(1), x[1:], x[2:], x.T, repeated(2.0), repeated(3.0), pt.cast(x, "float32")]
    graphs += [pt.cast(x, "int64"), x.dot(np.eye(2)), x.dot(2 * np.eye(2))]
    assert len({graph_fingerprint({"y": y}, {x: "x"})["graph"] for y in graphs}) == len(graphs)
    assert len({graph_fingerprint({"y": x + 1}, {x: name})["graph"] for name in "ab"}) == 2


# One training at a time in a folder


HOLD = """
import sys
from pathlib import Path
from symae._runtime.folder_lock import FolderLock
FolderLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def another_process(tmp_path):
    """Another process that trains in `tmp_path`, as far as the lock knows."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "held\n"
        yield child
        child.kill()


def test_a_folder_in_which_a_training_goes_on_is_refused_until_that_is_killed(tmp_path, another_process):
    message = rf"found a training by process {another_process.pid}, which goes on, expected one training at a time in a folder"
    with pytest.raises(InputError, match=message):
        train(a_model(), tmp_path)
    assert names(tmp_path) == [".training.lock"]
    os.kill(another_process.pid, signal.SIGKILL)
    another_process.wait()
    assert len(train(a_model(), tmp_path)) == 3
    assert ".training.lock" not in names(tmp_path)


def test_a_worksheet_in_whose_folder_another_one_runs_ends_with_one_line_and_status_2(tmp_path, another_process):
    result = subprocess.run(
        [sys.executable, "-m", "symae", "run", "04", "--data", "digits", "--out", str(tmp_path)], capture_output=True, text=True
    )
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert f"found a training by process {another_process.pid}, which goes on" in line


def test_a_training_within_a_worksheet_has_its_folder_already(tmp_path):
    with locked(tmp_path):
        assert len(train(a_model(), tmp_path)) == 3
        with pytest.raises(InputError, match="another thread of this process"):
            in_a_thread(lambda: FolderLock(tmp_path))
    in_a_thread(lambda: FolderLock(tmp_path).release())


def in_a_thread(call):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


# What a loss of power leaves


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="tells folders from files by their descriptors")
def test_names_are_safe_on_the_disk_before_the_next_file_gets_its_own(tmp_path, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace
    kinds = {True: "folder", False: "file"}
    monkeypatch.setattr(os, "fsync", lambda d: (done.append(kinds[Path(f"/proc/self/fd/{d}").is_dir()]), fsync(d)))
    monkeypatch.setattr(os, "replace", lambda a, b: (done.append(Path(b).name), replace(a, b)))
    write_together({tmp_path / "last": b"1", tmp_path / "best": b"2"})
    assert done == ["file", "file", "last", "folder", "best", "folder"]
