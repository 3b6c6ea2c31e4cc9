"""The engine of trainings: which callbacks are called when, and what they can do."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from symae import InputError, function
from symae.errors import DivergedError
from symae.training import Callback, EarlyStopping, LambdaCallback, TrainingState, fit, train_epochs
from symae.training.engine import run_training

TURNING_POINTS = [name for name in vars(Callback) if name.startswith("on_")]


class Recorder(Callback):
    """Notes what is called, with the epoch and the steps that are done."""

    def __init__(self, events, label=""):
        self.events, self.label = events, label

    def note(self, name, state):
        self.events.append((f"{self.label}{name}", state.epoch, len(state.rows), len(state.history)))


def note_of(name):
    return lambda self, state: self.note(name, state)


for point in TURNING_POINTS:
    setattr(Recorder, point, note_of(point.removeprefix("on_")))


def names(events):
    return [event[0] for event in events]


def test_each_turning_point_is_called_in_its_place():
    events = []
    train_epochs(lambda index: 1.0, 3, 2, log_every=0, callbacks=[Recorder(events)])
    assert events == [
        ("train_begin", 0, 0, 0),
        ("epoch_begin", 0, 0, 0),
        ("progress", 0, 3, 0),
        ("measure", 0, 3, 0),
        ("epoch_end", 0, 3, 1),
        ("epoch_begin", 1, 0, 1),
        ("progress", 1, 3, 1),
        ("measure", 1, 3, 1),
        ("epoch_end", 1, 3, 2),
        ("train_end", 1, 3, 2),
    ]


def test_callbacks_are_called_in_their_order_at_the_end_too():
    events = []
    run_training(lambda index: 1.0, 1, 1, [Recorder(events, "first "), Recorder(events, "second ")])
    assert names(events)[:2] == ["first train_begin", "second train_begin"]
    assert names(events)[-2:] == ["first train_end", "second train_end"]


def test_what_a_callback_measures_is_printed_and_kept(capsys):
    class Norm(Callback):
        def on_measure(self, state):
            state.metrics["norm"] = 2.0 * state.cost

    history = train_epochs(lambda index: 1.0, 2, 1, callbacks=[Norm()], monitor="norm")
    assert history.measures == {"norm": [2.0]}
    assert capsys.readouterr().out == "Training epoch 0, cost 1.000000, norm 2.000000\n"


def test_a_callback_can_stop_the_training_and_a_line_says_so(capsys):
    class Stop(Callback):
        def on_epoch_end(self, state):
            state.stop = state.cost < 1.5

    costs = iter([3.0, 1.0, 0.5])
    history = train_epochs(lambda index: next(costs), 1, 9, log_every=0, callbacks=[Stop()])
    assert (history.costs, history.stopped_early) == ([3.0, 1.0], True)
    assert capsys.readouterr().out == "Training stopped after 2 of 9 epochs: cost was lowest in epoch 1, 1.000000\n"


def test_a_function_is_a_callback_that_sees_each_epoch_and_may_stop_the_training():
    seen = []

    def look(state):
        seen.append((state.epoch, state.cost))
        return state.cost < 1.5

    costs = iter([3.0, 1.0, 0.5])
    history = train_epochs(lambda index: next(costs), 1, 9, log_every=0, callbacks=[look, lambda state: 1], log=seen.append)
    assert seen[:2] == [(0, 3.0), (1, 1.0)]
    assert (len(history), history.stopped_early) == (2, True)


def test_patience_is_a_callback_too():
    costs = iter([3.0, 2.0, 2.5, 2.5])
    history = train_epochs(lambda index: next(costs), 1, 9, log_every=0, callbacks=[EarlyStopping(2)])
    assert (len(history), history.best_epoch, history.stopped_early) == (4, 1, True)


@pytest.mark.parametrize("loop", ["compiled", "python"])
def test_a_pause_comes_after_exactly_so_many_steps_and_can_end_the_training_there(loop):
    paused = []

    class Pause(Callback):
        def on_train_begin(self, state):
            state.pause_at = 4

        def on_pause(self, state):
            paused.append((state.epoch, state.steps, int(steps.get_value())))
            state.pause_at += 2.5
            state.stop = len(paused) == 3

    index, steps = pt.lscalar("index"), pytensor.shared(np.array(0), name="steps")
    step = function([index], steps * 1.0 + 0 * index, updates=[(steps, steps + 1)], backend="numba")
    history = run_training(step, 3, 9, [Pause()], loop=loop)
    assert paused == [(1, 4, 4), (2, 7, 7), (2, 9, 9)]
    assert len(history) == 2  # the third epoch was stopped before it counted
    assert int(steps.get_value()) == 9


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, SystemExit, None])
def test_whatever_ends_a_training_all_that_began_are_told(error):
    events = []

    def step(index):
        if error is not None:
            raise error
        return 1.0

    def train():
        return run_training(step, 1, 1, [Recorder(events, "a "), Recorder(events, "b ")])

    if error in (RuntimeError, SystemExit):
        with pytest.raises(error):
            train()
    else:
        assert train().interrupted == (error is KeyboardInterrupt)
    assert [name for name in names(events) if "exception" in name] == (["a exception", "b exception"] if error else [])
    assert names(events)[-2:] == ["a train_end", "b train_end"]


def test_callbacks_that_fail_at_the_beginning_or_the_end_keep_no_other_from_ending():
    class FailsToBegin(Callback):
        def on_train_begin(self, state):
            raise RuntimeError("begin")

        def on_train_end(self, state):
            raise RuntimeError("end")

    events = []
    first, failing, never = Recorder(events, "first "), FailsToBegin(), Recorder(events, "never ")
    with pytest.raises(RuntimeError, match="end"):
        run_training(lambda index: 1.0, 1, 1, [first, failing, never])
    assert names(events) == ["first train_begin", "first train_end"]


def test_a_callback_may_put_another_error_in_the_place_of_one():
    class Renames(Callback):
        def on_exception(self, state):
            state.error = ValueError("a better word")

    with pytest.raises(ValueError, match="a better word") as caught:
        run_training(lambda index: np.nan, 1, 1, [Renames()])
    assert isinstance(caught.value.__cause__, DivergedError)


def test_a_training_that_had_nothing_left_begins_and_ends():
    events = []
    assert len(run_training(lambda index: 1.0, 1, 0, [Recorder(events)])) == 0
    assert names(events) == ["train_begin", "train_end"]


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        (
            ["print"],
            r"callbacks\[0\]: found a str, expected a function of the TrainingState, or an instance of symae.training.C",
        ),
        ([LambdaCallback(), EarlyStopping], r"callbacks\[1\]: found the class EarlyStopping, expected a function"),
        (LambdaCallback(), "callbacks: found a LambdaCallback, expected a list"),
    ],
)
def test_what_is_not_a_callback_is_refused_before_anything_is_done(tmp_path, callbacks, message):
    w, x = pytensor.shared(0.0, name="w"), pt.vector("x")
    with pytest.raises(InputError, match=message):
        train_epochs(lambda index: pytest.fail("a step"), 1, 1, callbacks=callbacks)
    settings = {"batch_size": 2, "n_epochs": 1, "folder": tmp_path / "new", "callbacks": callbacks}
    with pytest.raises(InputError, match=message):
        fit(x.mean() + w, [(w, w + 1)], {x: np.zeros(2)}, params=[w], **settings)
    assert not (tmp_path / "new").exists()


def test_callbacks_of_fit_are_called_when_the_checkpoint_is_written_and_before_the_line_is_printed(tmp_path, capsys):
    x, w = pt.vector("x"), pytensor.shared(0.0, name="w")
    seen = []

    class Look(Callback):
        def on_epoch_end(self, state: TrainingState):
            seen.append(((tmp_path / "last.safetensors").stat().st_size > 0, capsys.readouterr().out, float(w.get_value())))

    settings = {"batch_size": 2, "n_epochs": 2, "params": [w], "folder": tmp_path, "backend": "numba"}
    fit(x.mean() + w, [(w, w + 1)], {x: np.zeros(4)}, callbacks=[Look()], **settings)
    assert seen == [(True, "", 2.0), (True, "Training epoch 0, cost 0.500000\n", 4.0)]


def test_only_turning_points_that_a_callback_defines_cost_anything():
    called = []

    class Quiet(Callback):
        def __getattribute__(self, name):
            if name.startswith("on_"):
                called.append(name)
            return super().__getattribute__(name)

    run_training(lambda index: 1.0, 100, 50, [Quiet()])
    assert len(called) == len(TURNING_POINTS)  # looked up once each


class Calling(Callback):
    """Call functions at turning points."""

    def __init__(self, **functions):
        vars(self).update(functions)


def test_callbacks_that_have_begun_learn_what_kept_another_from_beginning():
    seen = []

    class Failing(Callback):
        def on_train_begin(self, state):
            raise ValueError("not today")

    callbacks = [Calling(on_train_end=lambda state: seen.append(state.error)), Failing()]
    with pytest.raises(ValueError, match="not today"):
        run_training(lambda i: 1.0, 2, 1, callbacks)
    assert [type(error) for error in seen] == [ValueError]


def test_a_training_that_is_stopped_within_an_epoch_says_so():
    def pause(state):
        state.pause_at = 3

    def stop(state):
        state.stop = True

    assert run_training(lambda i: 1.0, 2, 5, [Calling(on_train_begin=pause, on_pause=stop)]).stopped_early


def test_a_callback_that_forgets_an_error_does_not_hide_it():
    def forget(state):
        state.error = None

    with pytest.raises(DivergedError):
        run_training(lambda i: np.nan, 2, 1, [Calling(on_exception=forget)])
