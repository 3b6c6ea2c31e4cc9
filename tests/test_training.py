"""The minibatch loops: order, what is printed, Ctrl-C, patience."""

from __future__ import annotations

import json
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from symae.errors import UnwritableError
from symae.training import DivergedError, EpochLog, Patience, train_epochs, train_with_patience


def test_minibatches_run_in_order_and_an_epochs_cost_is_their_mean(capsys):
    seen = []

    def train(index):
        seen.append(index)
        return float(len(seen))

    history = train_epochs(train, 3, 2)
    assert seen == [0, 1, 2, 0, 1, 2]
    assert history.costs == [2.0, 5.0]
    assert len(history.seconds) == 2
    assert capsys.readouterr().out == "Training epoch 0, cost 2.000000\nTraining epoch 1, cost 5.000000\n"


@pytest.mark.parametrize(("epochs", "printed"), [(20, list(range(20))), (31, [0, 10, 20, 30]), (0, [])])
def test_many_epochs_print_every_tenth(capsys, epochs, printed):
    train_epochs(lambda index: 1.0, 1, epochs)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"Training epoch {e}, cost 1.000000" for e in printed]


def test_nothing_is_shown_on_a_terminal_that_is_none(capsys):
    train_epochs(lambda index: 1.0, 1, 2, every=0)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_ctrl_c_keeps_the_finished_epochs(capsys):
    calls = iter(range(100))

    def train(index):
        if next(calls) == 7:
            raise KeyboardInterrupt
        return 1.0

    history = train_epochs(train, 3, 10)
    assert history.interrupted
    assert history.costs == [1.0, 1.0]
    assert capsys.readouterr().out.endswith("Training interrupted after 2 of 10 epochs\n")


@pytest.mark.parametrize("loop", ["epochs", "patience"])
def test_ctrl_c_waits_for_the_end_of_a_step(loop):
    # in the middle of one, Numba would turn it into a SystemError
    finished = []

    def train(index):
        if index == 1:
            signal.raise_signal(signal.SIGINT)
        finished.append(index)
        return 1.0

    if loop == "epochs":
        assert train_epochs(train, 3, 10, every=0).interrupted
    else:
        assert train_with_patience(train, 3, lambda: 0.5, lambda: 0.5, verbose=False).interrupted
    assert finished == [0, 1]


def test_a_second_ctrl_c_does_not_wait():
    def train(index):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the second one was held back")

    assert train_epochs(train, 3, 10, every=0).interrupted


def test_ctrl_c_means_afterwards_what_it_meant_before():
    before = signal.getsignal(signal.SIGINT)
    train_epochs(lambda index: 1.0, 1, 1, every=0)
    assert signal.getsignal(signal.SIGINT) is before


def test_training_works_in_a_thread_where_there_are_no_signals():
    with ThreadPoolExecutor() as pool:
        assert pool.submit(train_epochs, lambda index: 1.0, 1, 2, every=0).result().costs == [1.0, 1.0]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_cost_that_is_not_finite_stops_the_training_and_says_where(bad):
    with pytest.raises(DivergedError, match=rf"epoch 0, minibatch 2: the cost is {bad}, expected a finite number"):
        train_epochs(lambda index: bad if index == 2 else 1.0, 4, 5)


def test_the_log_grows_with_each_epoch_and_replaces_that_of_an_older_run(tmp_path):
    path = tmp_path / "history.jsonl"
    path.write_text("an older run\n")
    counts = []

    def train(index):
        counts.append(len(path.read_text().splitlines()))
        return 1.5

    train_epochs(train, 1, 3, on_epoch=EpochLog(path), every=0)
    train_epochs(train, 1, 1, on_epoch=EpochLog(path, "second", append=True), every=0)
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert counts == [1, 1, 2, 3]
    assert [(e.get("model"), e["epoch"], e["cost"]) for e in entries] == [
        (None, 0, 1.5),
        (None, 1, 1.5),
        (None, 2, 1.5),
        ("second", 0, 1.5),
    ]


def test_a_log_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(UnwritableError, match="history"):
        train_epochs(lambda index: 1.0, 1, 1, on_epoch=EpochLog(tmp_path / "gone" / "history"), every=0)


def run_with_patience(errors, n_batches=10, **keywords):
    """Validation errors in turn; the number of the validation is the test error."""
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
    result, steps = run_with_patience([0.5] * 100, patience=Patience(minibatches=40))
    # as in the tutorial, the minibatch with the number of the limit is still trained on
    assert steps == 41
    assert (result.validation_error, result.best_epoch, result.epochs, result.test_error) == (0.5, 1, 5, 0.0)


def test_a_significant_improvement_doubles_the_patience():
    # validation after each of the epochs of 10 minibatches: at minibatch 29 the error falls, so training goes on to 58
    result, steps = run_with_patience([0.5, 0.5, 0.2, *[0.2] * 100], patience=Patience(minibatches=40))
    assert steps == 59
    assert result.best_epoch == 3


def test_a_slight_improvement_is_kept_but_buys_no_patience():
    result, steps = run_with_patience([0.5, 0.5, 0.499, *[0.5] * 100], patience=Patience(minibatches=40))
    assert steps == 41
    assert (result.validation_error, result.best_epoch, result.test_error) == (0.499, 3, 1.0)


def test_a_short_patience_validates_more_often_than_once_an_epoch():
    result, _ = run_with_patience([0.5] * 100, n_batches=100, patience=Patience(minibatches=40))
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
