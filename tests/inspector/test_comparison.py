"""Runs side by side: final figures, and the settings in which they differ before those that are the same."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

from symae.cli.main import main
from symae.inspector.comparison import Row, lines_of
from symae.inspector.runs import open_run
from symae.inspector.tabs.training import histories
from symae.runs.record import RunRecord


def write(folder: Path, worksheet: str, *, seed: int, backend: str, costs: list[float], model: str | None = None) -> Path:
    folder.mkdir(parents=True)
    record = RunRecord(folder, worksheet, worksheet, "digits", {"seed": seed, "backend": backend, "floatX": "float32"})
    record.ended("finished", {"minibatch": 128})
    lines = [{"epoch": i, "cost": cost, "val_cost": cost + 1, "seconds": 0.5} for i, cost in enumerate(costs)]
    named = [line if model is None else {"model": model, **line} for line in lines]
    (folder / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in named))
    return folder


@pytest.fixture
def two(tmp_path: Path) -> list[str]:
    first = write(tmp_path / "a" / "04", "04_convolutional_autoencoder", seed=1, backend="numba", costs=[3.0, 2.0])
    second = write(tmp_path / "b" / "04", "06_any_resolution", seed=1, backend="jax", costs=[3.0, 2.5, 1.25], model="plain")
    return [str(first), str(second)]


def test_what_differs_is_shown_with_the_figures_and_the_rest_is_counted(two, capsys):
    assert main(["compare", *two]) == 0
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert max(map(len, lines)) <= 80
    rows = {line.split("  ")[0]: line for line in lines if line}
    assert "2.000000" in rows["last cost"]
    assert "1.250000" in rows["plain: last cost"]
    assert rows["seconds of all epochs"].split()[-2:] == ["1.0", "–"]
    assert rows["backend"].split() == ["backend", "numba", "jax"]
    assert rows["epochs finished"].split() == ["epochs", "finished", "2", "3"]
    assert "seed" not in rows
    assert "others are the same in all runs; --all shows them" in printed


def test_the_last_figure_is_that_of_the_last_epoch_of_each_model(tmp_path, capsys):
    folder = write(tmp_path / "run", "04_convolutional_autoencoder", seed=1, backend="numba", costs=[])
    lines = [
        {"model": "good", "epoch": 0, "cost": 3.0, "val_cost": 4.0, "seconds": 0.5},
        {"model": "good", "epoch": 1, "cost": 2.0, "seconds": 0.5},
        {"model": "bad", "epoch": 0, "cost": 3.5, "gap": 1.0, "seconds": 0.5},
        {"model": "bad", "epoch": 1, "cost": None, "gap": math.nan, "seconds": None},
    ]
    (folder / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert main(["compare", str(folder)]) == 0
    rows = dict(re.split("  +", line)[:2] for line in capsys.readouterr().out.splitlines()[1:] if "  " in line.strip())
    assert {name: value for name, value in rows.items() if ": last" in name} == {
        "good: last cost": "2.000000",
        "good: last val_cost": "–",
        "bad: last cost": "diverged",
        "bad: last gap": "diverged",
    }
    page = {row["name"]: row["values"] for row in histories([open_run(folder)])["table"]}
    assert page["bad: last cost"] == ["diverged"]
    assert page["bad: seconds of all epochs"] == ["0.5"]


def test_a_long_name_of_a_row_is_there_to_its_end(capsys):
    lines = lines_of(["one", "other"], [Row("two_layers: seconds of all epochs", ["1.5", "2.5"])])
    assert lines[1:] == ["two_layers: seconds of    1.5  2.5", "  all epochs"]


def test_all_shows_what_is_the_same_after_what_differs(two, capsys):
    assert main(["compare", "--all", *two]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [line.split("  ")[0] for line in lines]
    assert names.index("backend") < names.index("seed")
    assert "others are the same" not in "\n".join(lines)


def test_runs_in_folders_of_one_name_are_told_apart_by_their_paths(two, capsys):
    assert main(["compare", *two]) == 0
    header = capsys.readouterr().out.splitlines()[0]
    assert "a/04" in header
    assert "b/04" in header


def test_as_many_runs_as_there_is_room_for_stand_side_by_side_and_the_others_below():
    rows = [Row("cost", [str(i) for i in range(9)]), Row("a name that is much longer than there is room", ["x" * 99] * 9)]
    lines = lines_of([f"run {i}" for i in range(9)], rows, 80)
    assert max(map(len, lines)) <= 80
    assert lines.count("") == 2  # three, three and three
    costs = [line.split()[1:] for line in lines if line.startswith("cost")]
    assert costs == [["0", "1", "2", "3"], ["4", "5", "6", "7"], ["8"]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compare", "FOLDER/none"], "none: found no such file, expected the folder of a run"),
        (["compare", "FOLDER"], "found no run, expected the folder of a run"),
        (["compare", "RUN", "FOLDER/a/04/run.json"], "run.json: found a file, expected the folder of a run"),
        (["compare", "RUN", "--page", "page.txt"], ".html"),
        (["compare", "RUN", "--port", "8000"], "compare: found --port 8000, expected --open beside it"),
        (["compare", "RUN", "--page", "page.html", "--no-browser"], "compare: found --no-browser, expected --open beside it"),
    ],
)
def test_what_is_no_run_is_one_line_and_nothing_is_written(two, tmp_path, arguments, said, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    words = [a.replace("FOLDER", str(tmp_path)).replace("RUN", two[0]) for a in arguments]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before
