"""The README says what is true."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import symae

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_first_two_commands_are_one_line_each_and_do_all_the_set_up():
    main_job, tests = COMMANDS[:2]
    for command in (main_job, tests):
        assert command.count("\n") == 1
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install")
    assert main_job.endswith("worksheets/01_autoencoder.py\n")
    assert tests.endswith("-m pytest -n auto\n")


def test_ci_takes_its_test_command_from_the_readme():
    script = (ROOT / ".ci" / "run").read_text()
    assert "README.md" in script
    assert COMMANDS[1].strip() not in script


def test_the_legacy_example_runs():
    code = SNIPPETS[0].replace('"mini_mnist"', '"digits"').replace("range(250)", "range(2)")
    scope: dict[str, object] = {}
    exec(code, scope)
    assert np.isfinite(scope["costs"]).all()


def test_the_modern_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = SNIPPETS[1].replace("epochs=15", "epochs=1")
    exec(code, {"np": np, **vars(symae), "images": np.random.RandomState(0).uniform(size=(40, 784))})
    assert (tmp_path / "denoising.json").is_file()


def test_the_example_with_images_runs():
    scope: dict[str, object] = {}
    exec(SNIPPETS[2], scope)
    code, drawn, *gradients = scope["f"](np.ones((2, 1, 8, 8)), np.ones((3, 1, 5, 5)), np.ones((3, 1, 5, 5)))
    assert (code.shape, drawn.shape) == ((2, 3, 2, 2), (2, 1, 8, 8))
    assert [g.shape for g in gradients] == [(3, 1, 5, 5)] * 2


def test_the_example_of_layers_trains_and_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for epochs in (1, 2):
        scope: dict[str, object] = {}
        exec(SNIPPETS[3].replace("n_epochs=2", f"n_epochs={epochs}"), scope)
        assert len(scope["history"]) == epochs
    epochs = [line.split(",")[0] for line in capsys.readouterr().out.splitlines() if line.startswith("Training epoch")]
    assert epochs == ["Training epoch 0", "Training epoch 1"]


def test_the_example_of_inspecting_runs():
    scope: dict[str, object] = {}
    exec(SNIPPETS[4], scope)
    assert len(scope["inspection"].filters()) == 100


@pytest.mark.parametrize("path", re.findall(r"^    ((?:symae|tests|worksheets|data)/\S*)", README, re.MULTILINE))
def test_every_part_that_it_names_is_there(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)]+)\)", README))
def test_every_picture_that_it_shows_is_there(target):
    assert (ROOT / target).is_file()
