"""The page about the estimators says what is true: its programs run as they stand there."""

from __future__ import annotations

import re

import numpy as np
import pytest
from page_programs import printed

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from symae import models
from symae.sklearn import Autoencoder

PAGE = "scikit-learn.md"


@pytest.mark.default_mode
def test_the_first_program_runs_as_pasted(tmp_path):
    told, better, error = printed(PAGE, 0, tmp_path).splitlines()
    assert int(re.fullmatch(r"(\d+)% of the test digits are told from their codes", told)[1]) > 80
    assert better == "50 numbers draw them better"
    assert 0 < float(re.fullmatch(r"mean error of a pixel (.*), after 15 epochs", error)[1]) < 0.12


@pytest.mark.default_mode
def test_a_search_runs_on_the_workers_of_a_cluster(tmp_path):
    pytest.importorskip("distributed", reason="distributed is not installed")
    assert printed(PAGE, 1, tmp_path) == "{'n_hidden': 60}\n"


def test_the_numbers_are_those_of_the_model():
    rows = np.random.RandomState(0).uniform(size=(40, 6))
    estimator = Autoencoder(4, output="sigmoid", random_state=0, shuffle=False).fit(rows)
    model = models.Autoencoder(0, n_visible=6, n_hidden=4).fit(rows)
    np.testing.assert_array_equal(estimator.transform(rows), model.transform(rows))
