"""The minibatch loops: order, what is printed, Ctrl-C, patience."""

from __future__ import annotations

import json
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytensor
import pytest

from symae import InputError
from symae.errors import DivergedError, UnwritableError
from symae.patience import train_with_patience
from symae.training import EpochLog, train_epochs


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


def test_what_is_measured_after_an_epoch_is_printed_kept_and_logged(capsys, tmp_path):
    calls = []
    history = train_epochs(
        lambda index: 1.0,
        1,
        2,
        before_epoch=lambda epoch: calls.append(epoch),
        measure=lambda: {"test error": 0.5 / len(calls)},
        on_epoch=EpochLog(tmp_path / "history.jsonl"),
    )
    assert calls == [0, 1]
    assert history.measures == {"test error": [0.5, 0.25]}
    assert capsys.readouterr().out.splitlines()[1] == "Training epoch 1, cost 1.000000, test error 0.250000"
    logged = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [line["test error"] for line in logged] == [0.5, 0.25]


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
    assert counts == [0, 1, 2, 3]
    assert [(e.get("model"), e["epoch"], e["cost"]) for e in entries] == [
        (None, 0, 1.5),
        (None, 1, 1.5),
        (None, 2, 1.5),
        ("second", 0, 1.5),
    ]


def test_a_log_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(UnwritableError, match="history"):
        train_epochs(lambda index: 1.0, 1, 1, on_epoch=EpochLog(tmp_path / "gone" / "history"), every=0)


def test_ctrl_c_puts_the_parameters_back_to_the_last_finished_epoch():
    steps = pytensor.shared(0.0, name="steps")

    def train(index):
        steps.set_value(steps.get_value() + 1)
        if steps.get_value() == 8:
            raise KeyboardInterrupt
        return 1.0

    history = train_epochs(train, 3, 10, every=0, params=[steps])
    assert len(history) == 2
    assert steps.get_value() == 6


def test_ctrl_c_at_the_very_end_is_not_forgotten():
    history = train_epochs(lambda index: 1.0, 1, 2, every=0, on_epoch=lambda *_: signal.raise_signal(signal.SIGINT))
    assert history.interrupted


@pytest.mark.parametrize("n_batches", [0, -1])
def test_training_on_nothing_is_refused(n_batches):
    with pytest.raises(InputError, match=f"found {n_batches}, expected at least one full minibatch"):
        train_epochs(lambda index: 1.0, n_batches, 2)
    with pytest.raises(InputError, match=f"found {n_batches}"):
        train_with_patience(lambda index: 1.0, n_batches, lambda: 0.5, lambda: 0.5)
