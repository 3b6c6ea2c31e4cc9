"""Lines of JSON and TensorBoard's event files, written as a training goes on."""

from __future__ import annotations

import json
import struct
import sys

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from symae import Autoencoder, BackendError, InputError
from symae.errors import UnwritableError
from symae.optimizers import sgd
from symae.training import JSONLines, TensorBoard, fit, train_epochs


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def costs(*values):
    steps = iter(values)
    return lambda index: next(steps)


# lines of JSON


def test_each_epoch_is_a_line(tmp_path):
    file = tmp_path / "log.jsonl"
    train_epochs(costs(3.0, 2.0), 1, 2, log_every=0, measure=lambda: {"error": 0.5}, callbacks=[JSONLines(file)])
    first, second = lines(file)
    assert list(first) == ["epoch", "cost", "error", "seconds"]
    assert (first["cost"], second["cost"], second["epoch"], second["error"]) == (3.0, 2.0, 1, 0.5)


def test_a_line_is_there_when_its_epoch_has_ended(tmp_path):
    file, seen = tmp_path / "log.jsonl", []
    train_epochs(costs(3.0, 2.0), 1, 2, log_every=0, callbacks=[JSONLines(file), lambda state: seen.append(len(lines(file)))])
    assert seen == [1, 2]


def test_lines_of_other_models_stay_and_old_ones_of_the_model_go(tmp_path):
    file = tmp_path / "log.jsonl"
    for model, cost in (("a", 1.0), ("b", 2.0), ("a", 3.0)):
        train_epochs(costs(cost), 1, 1, log_every=0, callbacks=[JSONLines(file, model)])
    assert [(line["model"], line["cost"]) for line in lines(file)] == [("b", 2.0), ("a", 3.0)]


def training(**settings):
    p = pytensor.shared(np.ones(3), name="p")
    x = pt.dmatrix("x")
    cost = pt.mean(pt.sqr(x - p))
    data = {x: np.random.RandomState(0).rand(8, 3)}
    return p, fit(cost, sgd(cost, [p], 0.1), data, batch_size=4, params=[p], log_every=0, log=lambda line: None, **settings)


def test_a_resumed_training_has_each_epoch_once(tmp_path):
    file = tmp_path / "log.jsonl"
    training(n_epochs=2, folder=tmp_path / "run", callbacks=[JSONLines(file)])
    file.write_text(file.read_text() + '{"epoch": 2, "cost": 9}\n')  # of an epoch that had no checkpoint yet
    _, history = training(n_epochs=4, folder=tmp_path / "run", resume=True, callbacks=[JSONLines(file)])
    assert [line["cost"] for line in lines(file)] == history.costs
    assert [line["epoch"] for line in lines(file)] == [0, 1, 2, 3]


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "log").mkdir()
    with pytest.raises(UnwritableError, match="log"):
        train_epochs(costs(3.0), 1, 1, log_every=0, callbacks=[JSONLines(tmp_path / "log")])


# TensorBoard


def records(folder):
    """Read event files as TensorFlow's documents say: length, checksum, content, checksum; return what each step has."""
    proto = pytest.importorskip("tensorboardX.proto.event_pb2", reason="tensorboardX is not installed")
    found = []
    for file in sorted(folder.glob("events.out.tfevents.*"), key=lambda file: file.stat().st_mtime):
        content, at = file.read_bytes(), 0
        while at < len(content):
            (length,) = struct.unpack_from("<Q", content, at)
            event = proto.Event()
            event.ParseFromString(content[at + 12 : at + 12 + length])
            found += [(event.step, value) for value in event.summary.value]
            at += 16 + length
    return found


@pytest.fixture
def _installed():
    pytest.importorskip("tensorboardX", reason="tensorboardX is not installed")


@pytest.mark.usefixtures("_installed")
def test_costs_and_measures_are_curves(tmp_path):
    train_epochs(costs(3.0, 2.0), 1, 2, log_every=0, measure=lambda: {"error": 0.5}, callbacks=[TensorBoard(tmp_path / "run")])
    found = [(step, value.tag, value.simple_value) for step, value in records(tmp_path / "run") if value.tag != "seconds"]
    assert found == [(0, "cost", 3.0), (0, "error", 0.5), (1, "cost", 2.0), (1, "error", 0.5)]


@pytest.mark.usefixtures("_installed")
def test_parameters_are_histograms_and_filters_pictures_after_some_epochs(tmp_path):
    p = pytensor.shared(np.arange(10.0), name="p")
    board = TensorBoard(tmp_path, params=[p], pictures={"grey": lambda: np.zeros((4, 5), "uint8")}, every=2)
    train_epochs(costs(3.0, 2.0, 1.0), 1, 3, log_every=0, callbacks=[board])
    found = {(step, value.tag): value for step, value in records(tmp_path)}
    assert {(step, tag) for step, tag in found if tag in ("p", "grey")} == {(0, "p"), (0, "grey"), (2, "p"), (2, "grey")}
    histogram, picture = found[0, "p"].histo, found[2, "grey"].image
    assert (histogram.num, histogram.min, histogram.max, histogram.sum) == (10, 0, 9, 45)
    assert (picture.height, picture.width) == (4, 5)
    assert picture.encoded_image_string[:4] == b"\x89PNG"


@pytest.mark.usefixtures("_installed")
def test_parameters_that_are_not_finite_have_no_histogram_and_stop_nothing(tmp_path):
    p = pytensor.shared(np.array([np.nan, 1.0]), name="p")
    train_epochs(costs(3.0), 1, 1, log_every=0, callbacks=[TensorBoard(tmp_path, params=[p])])
    assert {value.tag for _, value in records(tmp_path)} == {"cost", "seconds"}


@pytest.mark.usefixtures("_installed")
def test_models_and_resumed_trainings_write_to_one_folder(tmp_path):
    training(n_epochs=2, folder=tmp_path / "run", callbacks=[TensorBoard(tmp_path / "board")])
    _, history = training(n_epochs=3, folder=tmp_path / "run", resume=True, callbacks=[TensorBoard(tmp_path / "board")])
    found = [(step, value.simple_value) for step, value in records(tmp_path / "board") if value.tag == "cost"]
    assert found == [(epoch, pytest.approx(cost, rel=1e-6)) for epoch, cost in enumerate(history.costs)]
    model = Autoencoder(0, n_visible=6, n_hidden=2)
    model.fit(np.random.RandomState(0).rand(20, 6), epochs=1, callbacks=[TensorBoard(tmp_path / "model", params=model.params)])
    assert {"W", "b", "b_prime"} <= {value.tag for _, value in records(tmp_path / "model")}


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"params": [3]}, r"params\[0\]: found a int, expected a shared variable with a name"),
        ({"pictures": {"a": 3}}, r"pictures\['a'\]: found a int, expected a function that returns a picture"),
        ({"every": 0}, "every: found 0, expected an integer of at least 1"),
    ],
)
def test_settings_of_the_board_that_are_none_are_refused(settings, message, tmp_path):
    with pytest.raises(InputError, match=message):
        TensorBoard(tmp_path, **settings)


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize("picture", [np.zeros((4, 5)), np.zeros(4, "uint8"), np.zeros((4, 5, 2), "uint8"), None])
def test_what_is_no_picture_is_refused(picture, tmp_path):
    with pytest.raises(InputError, match=r"pictures\['a'\]: found .*, expected uint8 of shape \(h, w\) or \(h, w, 3\)"):
        train_epochs(costs(1.0), 1, 1, log_every=0, callbacks=[TensorBoard(tmp_path, pictures={"a": lambda: picture})])


@pytest.mark.usefixtures("_installed")
def test_a_board_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableError, match="file"):
        train_epochs(costs(1.0), 1, 1, log_every=0, callbacks=[TensorBoard(tmp_path / "file")])


def test_without_the_package_a_line_says_what_brings_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(
        BackendError, match=r'TensorBoard: found no tensorboardX, expected it installed: pip install "symae\[tens'
    ):
        TensorBoard(tmp_path)
