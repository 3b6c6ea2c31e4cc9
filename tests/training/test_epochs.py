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
from symae.training import EpochLog, History, train_epochs
from symae.training.early_stopping import train_with_patience


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


def test_costs_that_have_diverged_do_not_fill_the_line_with_digits(capsys):
    train_epochs(lambda index: 1e300, 1, 1, measure=lambda: {"largest": 9999999999.0})
    assert capsys.readouterr().out == "Training epoch 0, cost 1e+300, largest 9999999999.000000\n"


def test_nothing_is_shown_on_a_terminal_that_is_none(capsys):
    train_epochs(lambda index: 1.0, 1, 2, log_every=0)
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
        assert train_epochs(train, 3, 10, log_every=0).interrupted
    else:
        assert train_with_patience(train, 3, lambda: 0.5, lambda: 0.5, verbose=False).interrupted
    assert finished == [0, 1]


def test_a_second_ctrl_c_does_not_wait():
    def train(index):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the second one was held back")

    assert train_epochs(train, 3, 10, log_every=0).interrupted


def test_ctrl_c_means_afterwards_what_it_meant_before():
    before = signal.getsignal(signal.SIGINT)
    train_epochs(lambda index: 1.0, 1, 1, log_every=0)
    assert signal.getsignal(signal.SIGINT) is before


def test_training_works_in_a_thread_where_there_are_no_signals():
    with ThreadPoolExecutor() as pool:
        assert pool.submit(train_epochs, lambda index: 1.0, 1, 2, log_every=0).result().costs == [1.0, 1.0]


def test_means_of_what_a_step_measures_come_before_what_is_measured_after_the_epoch(capsys):
    history = train_epochs(
        lambda index: [1.0, index, 10 * index], 3, 1, metric_names=["a", "b"], measure=lambda: {"after": 5.0}
    )
    assert history.measures == {"a": [1.0], "b": [10.0], "after": [5.0]}
    assert capsys.readouterr().out == "Training epoch 0, cost 1.000000, a 1.000000, b 10.000000, after 5.000000\n"


def test_a_smaller_minibatch_weighs_less():
    history = train_epochs(
        lambda index: [index, 2.0 * index], 3, 1, log_every=0, metric_names=["twice"], batch_weights=[4, 4, 2]
    )
    assert history.costs == pytest.approx([0.8])
    assert history.measures["twice"] == pytest.approx([1.6])


def test_a_training_goes_on_where_its_history_ends(capsys):
    seen = []
    history = History([7.0, 6.0], [0.1, 0.1], {"error": [0.5, 0.6]}, best_epoch=1)
    result = train_epochs(lambda index: 5.0, 1, 4, history=history, measure=lambda: {"error": 0.4}, before_epoch=seen.append)
    assert result is history
    assert seen == [2, 3]
    assert (history.costs, history.measures) == ([7.0, 6.0, 5.0, 5.0], {"error": [0.5, 0.6, 0.4, 0.4]})
    assert history.best_epoch == 2
    assert capsys.readouterr().out.splitlines()[0] == "Training epoch 2, cost 5.000000, error 0.400000"


@pytest.mark.parametrize(
    ("figures", "patience", "epochs", "best"),
    [
        ([3, 2, 2, 2, 1], 2, 4, 1),  # as low again is no new best
        ([3, 2, 2, 2, 1], 3, 5, 4),
        ([1, 2], 1, 2, 0),
        ([5, 4, 3, 2, 1], 1, 5, 4),
        ([np.nan, np.nan, np.nan, 3, 4], 2, 3, 0),
        ([np.nan, 3, np.nan, 4, 5], 3, 5, 1),
    ],
)
def test_patience_counts_the_epochs_without_a_new_best(figures, patience, epochs, best):
    validation = iter(figures)
    history = train_epochs(
        lambda index: 1.0, 1, 5, log_every=0, monitor="error", patience=patience, measure=lambda: {"error": next(validation)}
    )
    assert (len(history), history.best_epoch) == (epochs, best)
    assert history.stopped_early == (epochs < 5)


def test_one_line_says_when_patience_ended_and_what_was_best(capsys):
    costs = iter([3.0, 2.0, 2.5, 2.5])
    train_epochs(lambda index: next(costs), 1, 9, log_every=0, patience=2)
    assert capsys.readouterr().out == "Training stopped after 4 of 9 epochs: cost was lowest in epoch 1, 2.000000\n"


def test_a_training_whose_patience_had_run_out_does_not_go_on():
    history = History([1.0, 2.0, 3.0], [0.0] * 3, best_epoch=0)
    assert len(train_epochs(lambda index: 1.0, 1, 9, log_every=0, patience=2, history=history)) == 3
    assert history.stopped_early


def test_only_what_is_measured_can_be_monitored():
    with pytest.raises(InputError, match="monitor: found 'eror', expected one of cost, error"):
        train_epochs(lambda index: 1.0, 1, 2, log_every=0, monitor="eror", measure=lambda: {"error": 1.0})


def test_training_stops_in_the_minibatch_that_diverged_and_takes_back_its_epoch():
    steps = pytensor.shared(0.0, name="steps")

    def train(index):
        steps.set_value(steps.get_value() + 1)
        return [np.nan if steps.get_value() == 5 else 1.0, 1.0]

    with pytest.raises(DivergedError, match="epoch 1, minibatch 1: the cost is nan"):
        train_epochs(train, 3, 9, log_every=0, params=[steps], metric_names=["measure"])
    assert steps.get_value() == 3


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

    train_epochs(train, 1, 3, on_epoch=EpochLog(path), log_every=0)
    train_epochs(train, 1, 1, on_epoch=EpochLog(path, "second", append=True), log_every=0)
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert counts == [0, 1, 2, 3]
    assert [(e.get("model"), e["epoch"], e["cost"]) for e in entries] == [
        (None, 0, 1.5),
        (None, 1, 1.5),
        (None, 2, 1.5),
        ("second", 0, 1.5),
    ]


def test_a_log_is_rewritten_with_the_lines_it_would_have_had(tmp_path):
    path = tmp_path / "history.jsonl"
    measured = iter([0.5, 0.25])
    log = EpochLog(path, "mine")
    history = train_epochs(lambda index: 0.1, 1, 2, log_every=0, on_epoch=log, measure=lambda: {"error": next(measured)})
    before = path.read_bytes()
    path.write_bytes(b'{"epoch": 0}\n{"model": "other", "epoch": 0}\nnull\n' + before + b'{"model": "mine", "epo')
    log.rewrite(history)
    assert path.read_bytes() == b'{"epoch": 0}\n{"model": "other", "epoch": 0}\n' + before
    log.rewrite(History())
    assert path.read_bytes() == b'{"epoch": 0}\n{"model": "other", "epoch": 0}\n'


def test_a_log_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(UnwritableError, match="history"):
        train_epochs(lambda index: 1.0, 1, 1, on_epoch=EpochLog(tmp_path / "gone" / "history"), log_every=0)


def test_ctrl_c_puts_the_parameters_back_to_the_last_finished_epoch():
    steps = pytensor.shared(0.0, name="steps")

    def train(index):
        steps.set_value(steps.get_value() + 1)
        if steps.get_value() == 8:
            raise KeyboardInterrupt
        return 1.0

    history = train_epochs(train, 3, 10, log_every=0, params=[steps])
    assert len(history) == 2
    assert steps.get_value() == 6


def test_ctrl_c_at_the_very_end_is_not_forgotten():
    history = train_epochs(lambda index: 1.0, 1, 2, log_every=0, on_epoch=lambda *_: signal.raise_signal(signal.SIGINT))
    assert history.interrupted


@pytest.mark.parametrize("n_batches", [0, -1])
def test_training_on_nothing_is_refused(n_batches):
    with pytest.raises(InputError, match=f"found {n_batches}, expected at least one full minibatch"):
        train_epochs(lambda index: 1.0, n_batches, 2)
    with pytest.raises(InputError, match=f"found {n_batches}"):
        train_with_patience(lambda index: 1.0, n_batches, lambda: 0.5, lambda: 0.5)
