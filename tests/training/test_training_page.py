"""The page about training says what is true: its programs run as they stand there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "training.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def printed(number, tmp_path):
    script = tmp_path / "program.py"
    script.write_text(PROGRAMS[number])
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    result = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
        cwd=tmp_path,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


@pytest.mark.default_mode
def test_a_training_with_a_schedule_leaves_lines_and_checkpoints(tmp_path):
    lines = printed(0, tmp_path)
    assert lines[0] == "rates [0.001  0.0055 0.01   0.005  0.    ]"
    assert lines[-1] == "8 epochs"
    assert len((tmp_path / "costs.jsonl").read_text().splitlines()) == 8
    costs = [json.loads(line)["cost"] for line in (tmp_path / "costs.jsonl").read_text().splitlines()]
    assert costs[-1] < costs[0]
    assert (tmp_path / "run" / "last.safetensors").is_file()


@pytest.mark.default_mode
def test_a_trained_model_draws_without_masks(tmp_path):
    assert printed(1, tmp_path)[-1] == "(2, 64) ['norm_mean', 'norm_variance']"


@pytest.mark.default_mode
def test_a_keras_style_model_comes_back_from_its_file(tmp_path):
    assert printed(2, tmp_path) == ["True [(4,), (4,), (4,), (4,)]"]
    assert (tmp_path / "model.json").is_file()


def test_there_are_no_more_programs():
    assert len(PROGRAMS) == 3
