"""Several processes train as one, and end as one; `process_kills.py` as a script kills as often as is wanted."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("jax")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forked")


def run(*options: str) -> str:
    script = Path(__file__).with_name("process_kills.py")
    result = subprocess.run([sys.executable, str(script), *options], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.long
def test_when_one_of_two_processes_is_killed_the_other_says_so_and_the_training_goes_on_to_the_same_and_each_reads_half():
    printed = run("--kills", "1", "--processes", "2", "--epochs", "6", "--within", "120")
    assert "1 killed; the same to the last bit" in printed
    (read,) = re.findall(r"(\d+) rows read by each of 80 in 6 epochs", printed)
    assert 240 <= int(read) < 320  # half of 480, and what the fingerprint of the data looks at


def test_processes_add_up_once_a_step_and_data_that_is_not_the_same_in_all_is_named_in_one_line_in_each():
    cases = json.loads(run("--differences", "different_data", "programs"))
    assert cases["programs"]["status"] == [0, 0]
    for lines in cases["programs"]["lines"]:
        assert {json.dumps(json.loads(line)) for line in lines} == {'[[["f64"]], [], true]'}
    found = cases["different_data"]
    assert found["status"] == [2, 2]
    assert found["left"] == []
    assert found["lines"][0] == found["lines"][1]
    (line,) = found["lines"][0]
    assert re.fullmatch(r"process_kills: error: data: found .* in process 1 of 2 \(.*\), expected .* process 0 of 2 .*", line)


@pytest.mark.backends
def test_processes_train_again_after_an_error_that_all_of_them_had():
    found = json.loads(run("--differences", "trained_again"))["trained_again"]
    assert found["status"] == [0, 0], found["lines"]


@pytest.mark.long
def test_whatever_differs_between_processes_is_one_line():
    found = json.loads(run("--differences", "all"))
    said = {
        "different_weights": "first value of W: found ",
        "different_settings": "seed: found 1 in process 1 of 2 (",
        "different_versions": "symae: found 0.0.9 in process 1 of 2 (",
        "too_little_data": "data: found 1 examples, expected at least 2, one for each process",
        "different_shards": "shard: found ",
        "paused_apart": "pause_at: found 2",
        "undivided": "batch_size: found 9, expected a multiple of 2, the devices",
    }
    for case, words in said.items():
        assert found[case]["status"] == [2, 2], case
        assert found[case]["left"] == [] or case == "paused_apart", case
        for lines in found[case]["lines"]:
            assert len(lines) == 1, case
            assert words in lines[0], case
    status, lines = found["one_with_an_error"]["status"], found["one_with_an_error"]["lines"]
    assert status == [75, 1]
    assert re.search(r"process 1 of 2 \(.*\) has ended: ZeroDivisionError", lines[0][0])
    assert found["without_a_folder"]["status"] == [75, 1]
    assert "no checkpoints, because the training has no folder" in found["without_a_folder"]["lines"][0][0]
    assert found["service_stops"]["status"] == [75, 75]
    assert [len(lines) for lines in found["service_stops"]["lines"]] == [1, 1]
    assert found["interrupted_twice"]["status"] == [75, 130]
    assert "process 1 of 2 (" in found["interrupted_twice"]["lines"][0][0]
    assert found["paused"]["status"] == found["trained_again"]["status"] == [0, 0]
    assert found["interrupted"] == {"status": [0, 0], "lines": [[], []], "left": found["interrupted"]["left"]}


@pytest.mark.long
def test_processes_that_are_killed_at_random_moments_come_to_the_same():
    run("--kills", "10", "--processes", "2", "4", "--epochs", "8", "--within", "120")
