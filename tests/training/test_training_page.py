"""The page about training says what is true: its programs run as they stand there."""

from __future__ import annotations

import json

import pytest
from page_programs import printed, programs

PAGE = "training.md"


@pytest.mark.default_mode
def test_a_training_with_a_schedule_leaves_lines_and_checkpoints(tmp_path):
    lines = printed(PAGE, 0, tmp_path).splitlines()
    assert lines[0] == "rates [0.001  0.0055 0.01   0.005  0.    ]"
    assert lines[-1] == "8 epochs"
    assert len((tmp_path / "costs.jsonl").read_text().splitlines()) == 8
    costs = [json.loads(line)["cost"] for line in (tmp_path / "costs.jsonl").read_text().splitlines()]
    assert costs[-1] < costs[0]
    assert (tmp_path / "run" / "last.safetensors").is_file()


@pytest.mark.default_mode
def test_a_trained_model_draws_without_masks(tmp_path):
    assert printed(PAGE, 1, tmp_path).splitlines()[-1] == "(2, 64) ['norm_mean', 'norm_variance']"


@pytest.mark.default_mode
def test_a_keras_style_model_comes_back_from_its_file(tmp_path):
    assert printed(PAGE, 2, tmp_path).splitlines() == ["True [(4,), (4,), (4,), (4,)]"]
    assert (tmp_path / "model.json").is_file()


def test_there_are_no_more_programs():
    assert len(programs(PAGE)) == 3
