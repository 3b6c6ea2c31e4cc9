"""Early stopping as the tutorial has it."""

from __future__ import annotations

import numpy as np
import pytest

from symae.errors import DivergedError
from symae.training.early_stopping import TutorialPatience, train_with_patience


def run_with_patience(errors, n_batches=10, **keywords):
    """Run through validation errors in turn; the number of the validation is the test error."""
    validations = iter(errors)
    count = iter(range(1000))
    steps = []
    result = train_with_patience(
        lambda index: steps.append(index) or 1.0,
        n_batches,
        lambda: next(validations),
        lambda: float(next(count)),
        verbose=False,
        **keywords,
    )
    return result, len(steps)


def test_patience_runs_out_when_nothing_improves():
    result, steps = run_with_patience([0.5] * 100, patience=TutorialPatience(minibatches=40))
    # as in the tutorial, the minibatch with the number of the limit is still trained on
    assert steps == 41
    assert (result.validation_error, result.best_epoch, result.epochs, result.test_error) == (0.5, 1, 5, 0.0)


def test_a_significant_improvement_doubles_the_patience():
    # validation after each of the epochs of 10 minibatches: at minibatch 29 the error falls, so training goes on to 58
    result, steps = run_with_patience([0.5, 0.5, 0.2, *[0.2] * 100], patience=TutorialPatience(minibatches=40))
    assert steps == 59
    assert result.best_epoch == 3


def test_a_slight_improvement_is_kept_but_buys_no_patience():
    result, steps = run_with_patience([0.5, 0.5, 0.499, *[0.5] * 100], patience=TutorialPatience(minibatches=40))
    assert steps == 41
    assert (result.validation_error, result.best_epoch, result.test_error) == (0.499, 3, 1.0)


def test_a_short_patience_validates_more_often_than_once_an_epoch():
    result, _ = run_with_patience([0.5] * 100, n_batches=100, patience=TutorialPatience(minibatches=40))
    assert result.epochs == 1
    assert result.validation_error == 0.5


def test_epochs_bound_the_training():
    assert run_with_patience([0.5] * 100, n_epochs=2)[1] == 20


def test_the_best_model_can_be_saved_each_time():
    saved = []
    run_with_patience([0.5, 0.4, 0.45, 0.3], n_epochs=4, on_best=lambda: saved.append(1))
    assert len(saved) == 3


def test_ctrl_c_ends_a_training_with_patience():
    def train(index):
        if index == 5:
            raise KeyboardInterrupt
        return 1.0

    assert train_with_patience(train, 10, lambda: 0.5, lambda: 0.5, verbose=False).interrupted


def test_a_cost_that_is_not_finite_ends_a_training_with_patience():
    with pytest.raises(DivergedError, match="epoch 1, minibatch 0"):
        train_with_patience(lambda index: np.nan, 10, lambda: 0.5, lambda: 0.5)


def test_no_patience_at_all_validates_after_each_minibatch():
    result, steps = run_with_patience([0.5] * 100, patience=TutorialPatience(minibatches=1))
    assert (steps, result.validation_error) == (2, 0.5)
