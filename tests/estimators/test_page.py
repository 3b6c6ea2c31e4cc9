"""The page about the estimators says what is true: its programs run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from symae import models
from symae.sklearn import Autoencoder

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "scikit-learn.md").read_text()
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
    return result.stdout


@pytest.mark.default_mode
def test_the_first_program_runs_as_pasted(tmp_path):
    told, better, error = printed(0, tmp_path).splitlines()
    assert int(re.fullmatch(r"(\d+)% of the test digits are told from their codes", told)[1]) > 80
    assert better == "50 numbers draw them better"
    assert 0 < float(re.fullmatch(r"mean error of a pixel (.*), after 15 epochs", error)[1]) < 0.12


@pytest.mark.default_mode
def test_a_search_runs_on_the_workers_of_a_cluster(tmp_path):
    pytest.importorskip("distributed", reason="distributed is not installed")
    assert printed(1, tmp_path) == "{'n_hidden': 60}\n"


def test_the_numbers_are_those_of_the_model():
    rows = np.random.RandomState(0).uniform(size=(40, 6))
    estimator = Autoencoder(4, output="sigmoid", random_state=0, shuffle=False).fit(rows)
    model = models.Autoencoder(0, n_visible=6, n_hidden=4).fit(rows)
    np.testing.assert_array_equal(estimator.transform(rows), model.transform(rows))
