"""Training data that is not in memory is trained on as data in memory is, to the last bit."""

from __future__ import annotations

import contextlib
import operator
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytensor.tensor as pt
import pytest
from backend_params import each, widest_float
from pytensor import config, shared

from symae import function, nn
from symae.errors import DivergedError, InputError
from symae.optimizers import adam
from symae.training import Callback, fit, train_epochs
from symae.training.streams import Streamed, examples_of, is_outside, pass_over

X = np.random.RandomState(0).uniform(size=(53, 6))


class Rows:
    """Examples that are made when they are asked for, by arrays of their positions alone."""

    def __init__(self, array: np.ndarray):
        self.array, self.read = array, 0

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, places: object) -> np.ndarray:
        if not isinstance(places, np.ndarray):
            raise TypeError("no array")
        found = self.array[places]
        self.read = max(self.read, len(found))
        return found


class Slow(Rows):
    """Examples that take their time, and tell who reads them."""

    def __init__(self, array: np.ndarray, seconds: float = 0.002):
        super().__init__(array)
        self.readers, self.reading, self.seconds = [], threading.Lock(), seconds

    def __getitem__(self, places: object) -> np.ndarray:
        assert self.reading.acquire(blocking=False), "two read at a time"
        try:
            time.sleep(self.seconds)
            self.readers.append(threading.current_thread().name)
            return super().__getitem__(places)
        finally:
            self.reading.release()


class OneByOne(Rows):
    """Examples that one number picks, and no array."""

    def __getitem__(self, places: object) -> np.ndarray:
        return self.array[operator.index(places)]


class Pairs(Rows):
    """Examples that come with their labels."""

    def __getitem__(self, places: object) -> tuple[np.ndarray, np.ndarray]:
        return self.array[places], self.array[places]


class Table(Rows):
    """Rows with columns, as those of a Hugging Face dataset."""

    def __getitem__(self, places: object) -> dict[str, np.ndarray]:
        return {"pixels": self.array[places], "label": self.array[places, 0]}


def train(data: object, **settings: object):
    params, x = nn.Parameters(np.random.RandomState(0)), pt.tensor("x", shape=(None, 6))
    cost = ((nn.dense(params, "drawn", nn.dense(params, "code", x, 2), 6) - x) ** 2).mean()
    options = {"batch_size": 10, "n_epochs": 3, "params": params, "log_every": 0} | settings
    history = fit(cost, adam(cost, params), {x: data}, **options)
    return history.costs, [p.get_value() for p in params]


def same(a: object, b: object) -> None:
    assert a[0] == b[0]
    for first, second in zip(a[1], b[1], strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.table(4)
@pytest.mark.parametrize("at_once", [1, 2, 100])
@pytest.mark.parametrize("settings", [{}, {"shuffle": False}, {"drop_last": False}, {"batch_size": 100}, {"loop": "python"}])
def test_steps_of_minibatches_that_are_read_are_those_of_arrays(monkeypatch, settings, at_once):
    batch_size = settings.get("batch_size", 10)
    monkeypatch.setattr("symae.training.streams.READ_AT_ONCE", at_once * batch_size * X[0].nbytes)
    rows = Rows(X)
    same(train(rows, **settings), train(X, **settings))
    assert rows.read <= min(at_once * batch_size, 53)


@pytest.mark.parametrize("backend", each(lambda b: b.loop is not None))
def test_compiled_loops_go_over_what_is_read(monkeypatch, backend):
    monkeypatch.setattr("symae.training.streams.READ_AT_ONCE", 2 * 10 * X[0].nbytes)
    with config.change_flags(floatX=widest_float(backend)):
        found, expected = (train(data, backend=backend, drop_last=False) for data in (Rows(X), X))
    np.testing.assert_allclose(found[0], expected[0], rtol=0 if backend == "numba" else 1e-12)


def test_a_thread_reads_ahead_and_nobody_else_meanwhile(monkeypatch):
    monkeypatch.setattr("symae.training.streams.READ_AT_ONCE", 2 * 10 * X[0].nbytes)
    rows = Slow(X)
    same(train(rows), train(X))
    assert {name.partition("_")[0] for name in rows.readers} == {"MainThread", "symae-reads-ahead"}


def test_a_training_that_was_stopped_in_an_epoch_reads_that_epoch_anew(monkeypatch):
    class Stop(Callback):
        def on_epoch_begin(self, state):
            state.pause_at = 2

        def on_pause(self, state):
            state.stop = True

    monkeypatch.setattr("symae.training.streams.READ_AT_ONCE", 1)
    results = []
    for data in (Slow(X), X):
        params, x = nn.Parameters(np.random.RandomState(0)), pt.tensor("x", shape=(None, 6))
        cost = ((nn.dense(params, "drawn", nn.dense(params, "code", x, 2), 6) - x) ** 2).mean()
        examples, order = examples_of("data", {x: data}), shared(np.arange(53)[::-1].copy())
        step = pass_over(examples)(function, examples, 10, [cost], adam(cost, params), order=order)
        train_epochs(step, len(step), 1, log_every=0, callbacks=[Stop()])
        results.append((train_epochs(step, len(step), 2, log_every=0).costs, [p.get_value() for p in params]))
    same(*results)


class Break(Callback):
    """Raise an error in the middle of an epoch."""

    def __init__(self, error: BaseException):
        self.error = error

    def on_epoch_begin(self, state):
        state.pause_at = 2

    def on_pause(self, state):
        raise self.error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), DivergedError("here")])
def test_nothing_is_read_any_more_when_a_training_has_ended(monkeypatch, error):
    monkeypatch.setattr("symae.training.streams.READ_AT_ONCE", 1)
    rows = Slow(X, 0.05)
    with contextlib.suppress(DivergedError):
        train(rows, callbacks=[Break(error)])
    assert not rows.reading.locked()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("symae-reads-ahead")]


def test_what_the_thread_finds_wrong_is_an_error_of_the_training(monkeypatch):
    monkeypatch.setattr("symae.training.streams.READ_AT_ONCE", 1)
    with pytest.raises(InputError, match=r"data\[x\]: found NaN or infinite values"):
        train(Rows(np.where(X[47, 3] == X, np.nan, X)), shuffle=False)


def test_memmaps_hdf5_and_zarr_are_read_as_they_lie(tmp_path):
    expected = train(X)
    np.save(tmp_path / "x.npy", X)
    same(train(np.load(tmp_path / "x.npy", mmap_mode="r")), expected)  # small enough to be read at once
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("x", data=X, chunks=(7, 6))
        same(train(file["x"]), expected)
    zarr = pytest.importorskip("zarr")
    array = zarr.open_array(tmp_path / "x.zarr", mode="w", shape=X.shape, chunks=(7, 6), dtype=X.dtype)
    array[:] = X
    same(train(array), expected)


def test_validation_data_may_be_outside_too_and_bytes_become_floats():
    pixels = Rows((X * 255).astype(np.uint8))
    costs, _ = train(pixels, validation=None)
    assert costs == train(pixels.array.astype(np.float64))[0]
    params, x = nn.Parameters(np.random.RandomState(0)), pt.tensor("x", shape=(None, 6))
    cost = ((nn.dense(params, "drawn", nn.dense(params, "code", x, 2), 6) - x) ** 2).mean()
    options = {"batch_size": 10, "n_epochs": 1, "params": params, "log_every": 0}
    history = fit(cost, [], {x: X}, validation={x: Rows(X[:17])}, **options)
    np.testing.assert_allclose(history.measures["val_cost"], cost.eval({x: X[:17]}))


def test_a_resumed_training_compares_a_sample_and_goes_on_to_the_last_bit(tmp_path):
    expected = train(Rows(X), n_epochs=4)
    train(Rows(X), n_epochs=2, folder=tmp_path)
    same(train(Rows(X), n_epochs=4, folder=tmp_path, resume=True), expected)
    other = X.copy()
    other[0] += 1e-3
    with pytest.raises(InputError, match=r"data: found 'x float64 \(53, 6\), 53 examples of SHA-256 .*', expected"):
        train(Rows(other), n_epochs=4, folder=tmp_path, resume=True)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (Rows(X[:0]), r"data\[x\]: found no examples"),
        (Rows(X[:, :5]), r"data\[x\]: found shape \(53, 5\), expected \(n, 6\)"),
        (Rows(np.where(X[7, 3] == X, np.nan, X)), r"data\[x\]: found NaN or infinite values"),
        (Rows(X.astype("S3")), r"data\[x\]: found dtype \|S3"),
        (Table(X), r"data\[x\]: found a Table of the columns pixels, label, expected one of its columns"),
        (OneByOne(X), r"data\[x\]: found a OneByOne with no array at a vector of positions \(only integer"),
        (Pairs(X), r"data\[x\]: found 2 examples for 1 positions in a Pairs, expected one example for each"),
        (Rows(X.astype(complex)), r"data\[x\]: found dtype complex128"),
    ],
)
def test_what_does_not_fit_is_refused_when_it_is_read(rows, message):
    with pytest.raises(InputError, match=message):
        train(rows, shuffle=False)


def test_other_inputs_may_be_all_that_they_may_be_in_memory():
    x, y = pt.tensor("x", shape=(None, 6)), pt.ivector("y")
    labels = np.arange(53)
    for given in (labels, labels.tolist(), shared(labels), pt.cast(shared(labels * 1.0), "int32")):
        streamed = Streamed("data", {x: Rows(X), y: given})
        streamed.hold(streamed.read(np.array([7, 3])), 3)
        np.testing.assert_array_equal(streamed.variables[y].get_value(), [7, 3, 0])


def test_columns_of_hugging_faces_datasets_are_read_and_tables_of_them_refused():
    datasets, arrow = pytest.importorskip("datasets"), pytest.importorskip("pyarrow")
    if not hasattr(datasets, "Dataset"):  # a folder of that name
        pytest.skip("datasets is not installed")
    table = datasets.Dataset(arrow.table({"x": X.tolist(), "y": range(53)}), fingerprint="a")
    same(train(table["x"]), train(X))
    with pytest.raises(InputError, match=r"data\[x\]: found a Dataset of the columns x, y, expected one of its columns"):
        train(table)


def test_examples_that_only_come_one_after_the_other_are_refused():
    """Generators, and the datasets of Hugging Face's that are streamed."""
    message = r"data\[x\]: found generator without a length, expected an array of numbers for x, .* or examples with a length"
    with pytest.raises(InputError, match=message):
        train(row for row in X)


def test_arrays_and_lists_are_in_memory():
    assert not any(map(is_outside, (X, [1.0], 3, pt.vector(), memoryview(b"a"))))
    assert is_outside(Rows(X))
    x = pt.tensor("x", shape=(None, 6))
    assert len(Streamed("data", {x: X})) == 53


MEASURE = """
import resource, sys
import numpy as np, pytensor.tensor as pt
from symae import nn
from symae.optimizers import sgd
from symae.training import fit
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
x = pt.tensor("x", shape=(None, 4096), dtype="float32")
params = nn.Parameters(np.random.RandomState(0))
cost = ((nn.dense(params, "drawn", nn.dense(params, "code", x, 2), 4096) - x) ** 2).mean()
data = np.memmap(sys.argv[1], np.float32, "r", shape=(int(sys.argv[2]), 4096))
fit(cost, sgd(cost, params, 0.1), {x: data[:100]}, batch_size=20, n_epochs=1, params=params, log_every=0)
before = peak()
fit(cost, sgd(cost, params, 0.1), {x: data}, batch_size=500, n_epochs=1, params=params, log_every=0)
print(data.nbytes >> 20, (peak() - before) >> 20)
"""


@pytest.mark.default_mode
def test_a_file_is_trained_on_in_the_memory_of_a_few_minibatches(tmp_path):
    with (tmp_path / "x").open("wb") as file:
        file.truncate(40000 * 4096 * 4)  # 625 MiB that take no room
    command = [sys.executable, "-c", MEASURE, str(tmp_path / "x"), "40000"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    size, grown = map(int, result.stdout.split())
    assert size == 625
    assert grown < 160  # twenty minibatches of 8 MiB
