"""Folders of runs: finished, running, of older versions, damaged."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from inspector_runs import write_run

import symae
from symae.errors import InputError, MissingFileError
from symae.inspector.runs import GoneError, open_run
from symae.inspector.tabs.training import histories
from symae.runs.record import FILE, read_record


def test_a_finished_run_has_its_model_history_and_epochs(run):
    found = open_run(run)
    assert list(found.models()) == ["model"]
    assert [entry["cost"] for entry in found.history()] == [100, 50, pytest.approx(100 / 3)]
    assert list(found.kept("model")) == [0, 1, 2]
    assert not found.going_on
    assert found.examples().name == "the first 1000 test images of symae's own stroke digits"


def test_a_run_without_a_record_opens_with_what_it_has(run):
    (run / FILE).unlink()
    shutil.rmtree(run / "filters")
    found = open_run(run)
    assert found.inspection("model").filters().pictures.shape == (40, 28, 28)
    (column,) = (row["values"][0] for row in histories([found])["table"] if row["name"] == "record")
    assert "older than symae inspect" in column


def test_a_run_that_goes_on_is_seen_through_its_last_kept_epoch(trained, tmp_path):
    folder = write_run(tmp_path / "r", trained, state="running", saved=False)
    found = open_run(folder)
    assert found.going_on
    weights = found.inspection("model").model.W.get_value()
    np.testing.assert_allclose(weights, trained.W.get_value(), atol=1e-3)
    assert found.models()["model"].source == "the parameters kept after epoch 2"
    with (folder / "history.jsonl").open("a") as file:
        file.write('{"epoch": 3, "cost": 25.0}\n{"epo')
    assert [entry["epoch"] for entry in found.history()] == [0, 1, 2, 3]


def test_a_run_whose_process_is_gone_does_not_go_on(trained, tmp_path):
    folder = write_run(tmp_path / "r", trained, state="running")
    record = json.loads((folder / FILE).read_text())
    record["process"]["pid"] = 2**22 + 12345  # beyond what Linux gives
    (folder / FILE).write_text(json.dumps(record))
    found = open_run(folder)
    assert not found.going_on
    assert {"name": "state", "values": ["ended before its time"]} in histories([found])["table"]


def test_a_run_of_which_nothing_is_saved_yet_says_how_to_see_more(trained, tmp_path):
    folder = write_run(tmp_path / "r", trained, state="running", saved=False)
    shutil.rmtree(folder / "filters")
    with pytest.raises(MissingFileError, match="--keep-filters"):
        open_run(folder).inspection("model")


def test_a_model_that_was_saved_again_is_read_again(run, trained):
    found = open_run(run)
    first = found.inspection("model")
    assert found.inspection("model") is first
    other = symae.Autoencoder(np.random.RandomState(9), n_visible=784, n_hidden=5)
    other.save(run / "model")
    os.utime(run / "model.safetensors", (1, 1))
    assert found.inspection("model").filters().pictures.shape == (5, 28, 28)


def test_figures_that_are_no_numbers_stay_out_of_the_curves(run):
    (run / "history.jsonl").write_text('{"epoch": 0, "cost": NaN, "x": 1}\n[1]\n{"epoch": "1"}\nnull\n\xff\n')
    curves = histories([open_run(run)])["curves"]
    assert [(c["figure"], c["y"]) for c in curves] == [("x", [1.0])]


def test_settings_of_runs_stand_beside_one_another(run, trained, tmp_path):
    other = write_run(tmp_path / "second", trained, epochs=1)
    found = histories([open_run(run), open_run(other)])
    rows = {row["name"]: row["values"] for row in found["table"]}
    assert rows["epochs finished"] == ["3", "1"]
    assert rows["seed"] == ["123", "123"]
    assert rows["learning rate"] == ["0.1", "0.1"]
    assert rows["pytensor"][0] == rows["pytensor"][1] != ""


# bad input


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(MissingFileError, match="no run"):
        open_run(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="found a file"):
        open_run(tmp_path / "file")
    with pytest.raises(MissingFileError, match="no such file"):
        open_run(tmp_path / "nothing")


def test_a_truncated_model_is_an_error_and_the_rest_of_the_run_opens(run):
    path = run / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    found = open_run(run)
    with pytest.raises(InputError, match="damaged file"):
        found.inspection("model")
    assert len(found.history()) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"symae_run": 2}', "format 2"),
        ("{", "damaged JSON"),
        ("[]", "another kind"),
        ('{"symae_run": 1, "models": 3}', "a list"),
    ],
)
def test_a_record_of_another_version_is_named_and_the_model_still_opens(run, text, message):
    (run / FILE).write_text(text)
    with pytest.raises(InputError, match=message):
        read_record(run)
    found = open_run(run)
    assert message in found.record["problem"]
    assert found.inspection("model").filters() is not None


def test_names_in_a_record_lead_to_no_file_outside_of_the_run(run):
    record = json.loads((run / FILE).read_text())
    record["models"] = [record["models"][0] | {"file": "../elsewhere", "label": "../elsewhere"}]
    (run / FILE).write_text(json.dumps(record))
    assert list(open_run(run).models()) == ["model"]


def test_a_model_of_another_version_is_named(run):
    description = json.loads((run / "model.json").read_text())
    (run / "model.json").write_text(json.dumps(description | {"symae": 2}))
    with pytest.raises(InputError, match="format 2"):
        open_run(run).inspection("model")


def test_a_run_that_was_deleted_is_gone(run):
    found = open_run(run)
    shutil.rmtree(run)
    for ask in (found.history, found.models, lambda: found.inspection("model")):
        with pytest.raises(GoneError, match="no such folder any more"):
            ask()


def test_symae_inspect_takes_a_path_too(run):
    assert symae.inspect(run).model.n_hidden == 40
    assert symae.inspect(str(run / "model.safetensors")).model.n_hidden == 40
    assert symae.inspect(run)._repr_html_().startswith("<figure")
    with pytest.raises(MissingFileError):
        symae.inspect(Path(run) / "nothing")
    with pytest.raises(InputError, match="found a int"):
        symae.inspect(3)
