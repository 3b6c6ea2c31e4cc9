"""Loops over compiled steps: what runs within compiled code is what calls from Python would have done."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import signal
import sys
import threading
import time
import weakref

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from backend_params import each, on, widest_float
from looped_steps import DATA, Step, assert_not_called, counter, rows_of, training_step
from pytensor.compile.builders import OpFromGraph
from pytensor.graph.fg import FunctionGraph
from pytensor.raise_op import Assert

import symae
from symae import InputError, RandomStreams
from symae.compile.backends.mlx import fails_in_mlx
from symae.compile.loops import Figures, IndexedStep, PythonLoop, loop_over, run_in_bursts
from symae.compile.loops.bursts import SECONDS
from symae.errors import DivergedError
from symae.ops import conv2d
from symae.ops.random.draws import state_words
from symae.theano.tensor.type import TensorType as TheanosTensorType
from symae.training import train_epochs
from symae.training.early_stopping import TutorialPatience, train_with_patience

# Compiled, on Numba


@pytest.mark.parametrize("order", ["C", pytest.param("F", marks=pytest.mark.default_mode)])
def test_numbas_loop_does_what_calls_from_python_do_to_the_last_bit(order):
    # in column order at first, the parameter changes its type in the first step
    compiled, called, stock = (training_step("numba", order) for _ in range(3))
    rows = rows_of(loop_over(compiled.call), 12) + rows_of(loop_over(compiled.call), 7, first=3)
    indices = [*range(12), *range(3, 10)]
    assert rows == [loop_over(called.call, "python").run(i, 5)[0] for i in indices]
    assert rows == [[float(figure) for figure in stock.call(i)] for i in indices]
    assert compiled.state() == called.state() == stock.state()
    assert rows[-1][1] == sum(indices[:-1])


def test_one_run_of_numbas_loop_makes_many_steps(monkeypatch):
    step = counter("numba")
    loop = loop_over(step.call)
    assert_not_called(step, monkeypatch)
    assert loop.run(0, 1000) == [[1.0]] * 1000
    assert step["steps"] == 1000


def test_data_of_a_class_that_numba_does_not_know_are_trained_on_as_by_calls_from_python():
    def costs(loop):
        index, data = pt.lscalar("index"), pytensor.shared(DATA, name="data")
        step = symae.function([index], data[index].sum(), backend="numba")
        plain = train_epochs(step, 4, 1, log_every=0, loop=loop).costs
        data.set_value(np.ma.array(DATA[::-1]))
        return plain + train_epochs(step, 4, 1, log_every=0, loop=loop).costs

    assert costs("compiled") == costs("python") == [DATA[:4].sum(axis=1).mean(), DATA[:-5:-1].sum(axis=1).mean()]


@pytest.mark.parametrize("backend", [on("numba"), on("pytorch")])
def test_what_grows_in_each_step_grows_in_the_loop(backend, monkeypatch):
    step = counter(backend, grows=True)
    loop = loop_over(step.call)
    assert_not_called(step, monkeypatch)
    assert len(loop.run(5, 4)) == 4
    assert step["seen"].tolist() == [5, 6, 7, 8]


def test_an_array_that_was_borrowed_is_changed_as_calls_from_python_change_it():
    def steps_of(loop):
        borrowed = np.zeros((2, 2))
        index = pt.lscalar("index")
        total = pytensor.shared(borrowed, name="total", borrow=True)
        step = Step(index, pt.cast(index, "float64"), [(total, total + index)], "numba")
        rows_of(loop_over(step.call, loop), 4)
        return borrowed, step["total"]

    for compiled, called in zip(steps_of("compiled"), steps_of("python"), strict=True):
        np.testing.assert_array_equal(compiled, called)


@pytest.mark.parametrize("backend", [on("numba"), on("pytorch")])
def test_a_step_that_fails_leaves_the_values_and_the_error_that_a_call_from_python_leaves(backend):
    def failed(loop):
        step = counter(backend, limit=6)
        with pytest.raises(AssertionError, match="too many steps") as caught:
            rows_of(loop_over(step.call, loop), 20)
        assert step["total"] == 6
        return step.state(), str(caught.value)

    assert failed("compiled") == failed("python")


def test_after_a_step_that_failed_the_same_loop_goes_on_and_may_fail_again():
    step = counter("numba", limit=6)
    loop = loop_over(step.call)
    for done, total in ((0, 6), (2, 10), (6, 10)):  # of these none
        step.containers["steps"].storage[0] = np.array(done)
        with pytest.raises(AssertionError, match="too many steps"):
            rows_of(loop, 20)
        assert step["total"] == total


def test_a_function_keeps_its_loops_and_copies_of_it_have_their_own():
    step = counter("numba")
    loop, copied = loop_over(step.call), pickle.loads(pickle.dumps(step.call))
    assert loop_over(step.call) is loop
    assert loop_over(step.call, "python") is not loop
    rows_of(loop_over(copied), 3)
    assert step["steps"] == 0
    rows_of(loop, 2)
    assert step["steps"] == 2


def test_a_function_is_forgotten_with_its_loop():
    step = counter("numba")
    rows_of(loop_over(step.call), 2)
    gone = weakref.ref(step.call)
    del step
    gc.collect()
    assert gone() is None


# Compiled, on backends that can


@pytest.fixture(params=each(lambda backend: backend.loop is not None))
def compiler(request):
    """Return each backend that has a compiled loop; floatX is the widest in which it computes."""
    with pytensor.config.change_flags(floatX=widest_float(request.param)):
        yield request.param


def test_a_training_by_the_compiled_loop_is_that_by_the_python_loop(compiler):
    steps, histories = {}, {}
    for loop in ("compiled", "python"):
        steps[loop] = step = training_step(compiler, draws=compiler != "jax")
        histories[loop] = train_epochs(step.call, 12, 3, log_every=0, metric_names=["steps", "small"], loop=loop)
    compiled, called = histories["compiled"], histories["python"]
    np.testing.assert_allclose(compiled.costs, called.costs, rtol=1e-12 if compiler == "jax" else 0)
    assert compiled.measures == called.measures
    for name in ("W", "velocity", "steps"):
        np.testing.assert_allclose(*(step[name] for step in steps.values()), rtol=1e-9 if compiler == "jax" else 0)


def test_a_cost_that_is_not_finite_ends_the_loop_in_its_step(compiler):
    for bad in (np.nan, np.inf):
        step = counter(compiler, [1.0] * 7 + [bad])
        params = [v for v in step.call.get_shared() if v.name == "steps"]
        loop = loop_over(step.call)
        rows = [row for _ in range(8) for row in loop.run(0, 1)]
        assert np.array_equal(rows, [[1.0]] * 7 + [[bad]], equal_nan=True)
        params[0].set_value(np.array(0))
        assert len(loop.run(0, 20)) == 8
        assert step["steps"] == 8
        assert loop.run(0, 20) == [[1.0]] * 20  # it goes on if it is asked to

        params[0].set_value(np.array(3))
        with pytest.raises(DivergedError, match=f"epoch 1, minibatch 1: the cost is {bad}"):
            train_epochs(step.call, 3, 9, log_every=0, params=params)
        assert step["steps"] == 6


def test_ctrl_c_ends_a_training_within_a_chunk_and_takes_back_its_epoch(compiler):
    step = counter(compiler)
    params = [v for v in step.call.get_shared() if v.name == "steps"]
    loop_over(step.call).run(0, 1)  # JAX compiles at its first call
    pressed = []

    def clocks():
        return np.array([time.perf_counter(), time.process_time()])

    def press():
        pressed.append(clocks())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.5, press)
    timer.start()
    history = train_epochs(step.call, 10**8, 3, log_every=0, params=params, log=lambda line: None)
    # A busy machine lets the clock run on, and one with many cores idle threads: the shorter time is the training's.
    assert min(clocks() - pressed[0]) < 10 * SECONDS
    assert history.interrupted
    assert step["steps"] == 1


def test_indices_that_the_input_cannot_hold_are_refused_as_ever(compiler):
    index = pt.bscalar("index")
    step = Step(index, pt.cast(index, pytensor.config.floatX), None, compiler)
    assert loop_over(step.call).run(120, 8) == [[float(i)] for i in range(120, 128)]
    with pytest.raises(OverflowError, match="128"):
        rows_of(loop_over(step.call), 10, first=120)


# On JAX


def test_a_minibatch_beyond_the_data_is_refused_in_the_loop_on_jax():
    pytest.importorskip("jax")
    index = pt.lscalar("index")
    data = pytensor.shared(np.arange(10.0), name="data")
    steps = pytensor.shared(np.array(0), name="steps")
    step = Step(index, data[index * 2 : index * 2 + 2].sum(), [(steps, steps + 1)], "jax")
    loop = loop_over(step.call)
    assert loop.run(0, 5) == [[1.0], [5.0], [9.0], [13.0], [17.0]]
    with pytest.raises(ValueError, match="minibatch 10:12 lies outside the data"):
        loop.run(3, 5)
    assert step["steps"] == 7


def test_what_grows_in_each_step_is_called_from_python_on_jax():
    pytest.importorskip("jax")
    step = counter("jax", grows=True)
    loop = loop_over(step.call)
    assert rows_of(loop, 3, first=5) == [[1.0]] * 3
    assert step["seen"].tolist() == [5, 6, 7]
    assert type(loop).__name__ == "JAXLoop"


def test_convolutions_are_called_from_python_on_jax_on_cpus():
    jax = pytest.importorskip("jax")
    index = pt.lscalar("index")
    images = pytensor.shared(np.arange(96.0).reshape((6, 1, 4, 4)), name="images")
    step = Step(index, conv2d(images[index : index + 1], pt.ones((1, 1, 2, 2))).sum(), None, "jax")
    assert len(loop_over(step.call).run(0, 5)) == (1 if jax.default_backend() == "cpu" else 5)


def test_the_host_sees_what_jaxs_loop_left_and_the_loop_what_the_host_puts():
    pytest.importorskip("jax")
    step = counter("jax")
    (steps,) = (v for v in step.call.get_shared() if v.name == "steps")
    loop = loop_over(step.call)
    loop.run(0, 3)
    assert isinstance(steps.get_value(borrow=True), np.ndarray)
    steps.set_value(steps.get_value() + 10)
    loop.run(0, 3)
    assert step["steps"] == 16


def test_who_trains_on_with_a_new_loop_has_the_program_of_the_last_on_jax(monkeypatch):
    jax = pytest.importorskip("jax")
    step = counter("jax")
    loop_over(step.call).run(0, 3)
    monkeypatch.setattr(jax.stages.Lowered, "compile", None)
    loop_over(step.call).run(3, 4)
    assert step["steps"] == 7


# On MLX


@pytest.fixture
def mlx(float32):
    """Return MLX's name, where it is installed."""
    pytest.importorskip("mlx")
    return "mlx"


def test_on_mlx_the_loop_leaves_what_calls_from_python_and_numba_leave_and_draws_as_many_numbers(mlx):
    looped, called, numbas = (training_step(backend) for backend in (mlx, mlx, "numba"))
    loop = loop_over(looped.call)
    rows = loop.run(0, 5) + loop.run(5, 1) + loop.run(6, 6)
    assert rows == [loop_over(called.call, "python").run(i, 1)[0] for i in range(12)]
    assert looped.state() == called.state()
    rows_of(loop_over(numbas.call), 12)
    generators = [name for name in looped.containers if name.startswith("random_state")]
    assert generators
    for name in generators:
        np.testing.assert_array_equal(looped[name], numbas[name])


def test_on_mlx_a_step_begins_before_the_one_ahead_of_it_has_ended(mlx, monkeypatch):
    step, told = counter(mlx), []
    loop = loop_over(step.call)
    for name in ("_begin", "_figures"):
        method = getattr(loop, name)
        monkeypatch.setattr(loop, name, lambda *given, name=name, method=method: told.append(name) or method(*given))
    assert loop.run(0, 3) == [[1.0]] * 3
    assert told == ["_begin", "_begin", "_figures", "_begin", "_figures", "_figures"]


@pytest.mark.parametrize("steps_per_run", [1, 20])
def test_on_mlx_a_step_that_fails_leaves_the_steps_before_it_and_their_draws(mlx, steps_per_run):
    index, floatX = pt.lscalar("index"), pytensor.config.floatX
    draws = RandomStreams(7).binomial(size=(3,), n=1, p=0.5, dtype=floatX)
    total = pytensor.shared(np.zeros(3, floatX), name="total")
    drawn = Assert("too many draws")(total + draws, pt.lt(total.sum(), 6))
    step = Step(index, pt.cast(index, floatX) + draws.sum(), [(total, drawn)], mlx)
    loop = loop_over(step.call)

    def run_all():
        for first in range(0, 60, steps_per_run):
            loop.run(first, steps_per_run)

    with pytest.raises(AssertionError, match="too many draws"):
        run_all()
    stream = np.random.RandomState(int(np.random.RandomState(7).randint(2**30)))
    expected = np.zeros(3)
    while expected.sum() < 6:
        expected += stream.binomial(1, 0.5, 3)
    np.testing.assert_array_equal(step["total"], expected)
    (state,) = (step[name] for name in step.containers if name.startswith("random_state"))
    np.testing.assert_array_equal(state, state_words(stream))


def test_on_mlx_a_draw_that_fails_leaves_the_steps_before_it(mlx):
    index = pt.lscalar("index")
    trials = pytensor.shared(np.array(1), name="trials")
    draws = RandomStreams(7).binomial(size=(3,), n=trials, p=0.5, dtype="float32")
    step = Step(index, draws.sum() * 0 + 1, [(trials, trials - 1)], mlx)
    with pytest.raises(ValueError, match="n < 0"):
        loop_over(step.call).run(0, 9)
    assert step["trials"] == -1


def inverting(costs, singular_at):
    """Invert a matrix in each step; in step `singular_at` it has no inverse, which MLX finds in a thread of its own."""
    index, k = pt.lscalar("index"), pytensor.shared(np.array(0), name="k")
    matrix = pytensor.shared(np.array([[3, 1, 0], [0, 2, 1], [1, 0, 4]], "float32"), name="matrix")
    inverse = pytensor.shared(np.eye(3, dtype="float32"), name="inverse")
    given = pytensor.shared(np.array(costs, "float32"), name="costs")
    updates = [(k, k + 1), (inverse, pt.linalg.inv(matrix * pt.cast(pt.neq(k, singular_at), "float32")))]
    return Step(index, given[index], updates, "mlx")


def test_on_mlx_a_matrix_without_inverse_ends_the_steps_there_and_nothing_else(mlx):
    def run_all(loop):
        for first in range(0, 60, 20):
            rows_of(loop, 20, first=first)

    for _ in range(10):  # when MLX tells, if it does, depends on its thread
        step = inverting(np.ones(60), singular_at=33)
        with pytest.raises(RuntimeError, match="Inverse"):
            run_all(loop_over(step.call))
        assert step["k"] == 33


def test_on_mlx_what_is_behind_the_end_of_a_training_raises_no_error_elsewhere(mlx):
    x = pt.fvector("x")
    twice = symae.function([x], x * 2, backend="mlx")
    for _ in range(20):
        costs = np.ones(9)
        costs[4] = np.nan
        step = inverting(costs, singular_at=5)
        with pytest.raises(DivergedError):
            train_epochs(step.call, 9, 1, log_every=0)
        assert twice(np.ones(2, "float32")).tolist() == [2, 2]
        assert step["k"] == 5


def test_on_mlx_inverses_in_inner_graphs_are_found(mlx):
    matrices, inner = pt.ftensor3("matrices"), pt.fmatrix("inner")
    in_scan = pytensor.scan(pt.linalg.inv, matrices, return_updates=False)
    within = OpFromGraph([inner], [pt.linalg.inv(inner)])(matrices[0])
    for inverse in (pt.linalg.inv(matrices), in_scan, within):
        assert fails_in_mlx(FunctionGraph([matrices], [inverse], clone=True))
    assert not fails_in_mlx(FunctionGraph([matrices], [matrices.sum()], clone=True))


@pytest.mark.parametrize("backend", [on("jax"), on("mlx")])
def test_an_interrupt_while_values_come_home_leaves_all_or_none(backend, float32, monkeypatch):
    step = counter(backend)
    loop, seen = loop_over(step.call), []
    to_host = loop.device_function.to_host

    def interrupted(position, output, taken):
        if position >= loop.indexed.figures:
            seen.append(position)
            if len(seen) == 2:
                raise KeyboardInterrupt
        return to_host(position, output, taken)

    monkeypatch.setattr(loop.device_function, "to_host", interrupted)
    with pytest.raises(KeyboardInterrupt):
        loop.run(0, 3)
    assert (step["steps"], step["total"]) == (0, 0)
    monkeypatch.undo()
    loop.run(0, 3)
    assert (step["steps"], step["total"]) == (3, 3)


def test_on_mlx_an_interrupt_within_the_loop_leaves_whole_steps(mlx, monkeypatch):
    step = counter(mlx)
    loop = loop_over(step.call)
    figures, seen = loop._figures, []

    def interrupted(results):
        seen.append(results)
        if len(seen) == 4:
            raise KeyboardInterrupt
        return figures(results)

    monkeypatch.setattr(loop, "_figures", interrupted)
    with pytest.raises(KeyboardInterrupt):
        loop.run(0, 9)
    assert (step["steps"], step["total"]) == (3, 3)
    monkeypatch.undo()
    assert loop.run(3, 2) == [[1.0]] * 2
    assert step["steps"] == 5


@pytest.mark.parametrize("backend", [on("mlx"), on("pytorch")])
def test_the_loop_sees_what_the_host_puts_and_writes_between_its_runs(backend, float32):
    step = counter(backend)
    (steps,) = (v for v in step.call.get_shared() if v.name == "steps")
    loop = loop_over(step.call)
    loop.run(0, 3)
    steps.set_value(steps.get_value() + 10)
    loop.run(0, 3)
    steps.get_value(borrow=True)[...] += 10
    loop.run(0, 3)
    assert step["steps"] == 29


def test_on_mlx_values_that_grow_and_values_of_other_types_are_as_calls_from_python_leave_them(mlx):
    def left(loop):
        index = pt.lscalar("index")
        best, seen = pytensor.shared(np.array(7), name="best"), pytensor.shared(np.zeros(0, "int64"), name="seen")
        x = pt.constant(np.arange(6, dtype="float32")) - pt.cast(index, "float32")
        updates = [(best, pt.argmin(x**2)), (seen, pt.concatenate([seen, best.reshape((1,))]))]
        step = Step(index, x.sum(), updates, mlx)
        rows = rows_of(loop_over(step.call, loop), 5)
        return rows, step["seen"].tolist(), step["best"].dtype

    assert left("compiled") == left("python")
    assert left("compiled")[1:] == ([7, 0, 1, 2, 3], np.dtype("int64"))


# What is called from Python


def test_every_other_callable_is_called_step_by_step():
    seen = []

    def step(index):
        seen.append(index)
        return [np.float32(index), True]

    loop = loop_over(step)
    assert isinstance(loop, PythonLoop)
    assert loop.run(3, 10) == [[3.0, 1.0]]
    assert seen == [3]


def scalar_function(inputs, outputs, **keywords):
    return symae.function(inputs, outputs, mode="FAST_COMPILE", **keywords)


i, j, v, z = pt.lscalar("i"), pt.lscalar("j"), pt.lvector("v"), pt.zscalar("z")


@pytest.mark.parametrize(
    ("inputs", "outputs", "kind"),
    [
        ([i], i * 2.0, IndexedStep),
        ([i], [i * 2.0, i > 1], IndexedStep),
        ([i, j], i * j, PythonLoop),
        ([v], v.sum(), PythonLoop),
        ([i], pt.ones(3) * i, PythonLoop),
        ([i], pt.complex(1.0, 2.0) * i, PythonLoop),
        ([i], [], PythonLoop),
        ([i], None, PythonLoop),
        ([pt.dscalar("d")], pt.ones(()), PythonLoop),
    ],
)
def test_compiled_functions_of_an_index_that_return_scalars_are_known(inputs, outputs, kind):
    assert type(loop_over(scalar_function(inputs, outputs, on_unused_input="ignore"))) is kind


def test_a_figure_whose_type_is_of_symaes_theano_is_a_scalar_too():
    figure = pytensor.shared(2.0) * i
    figure.type = TheanosTensorType("float64", ())
    assert type(loop_over(scalar_function([i], figure))) is IndexedStep


def test_a_call_from_python_leaves_the_function_as_careful_as_it_was():
    call = scalar_function([i], i * 2.0)
    assert loop_over(call).run(4, 3) == [[8.0]]
    assert not call.trust_input
    with pytest.raises(TypeError, match="cannot store"):
        call(np.array(4.5))


def test_another_kind_of_loop_is_refused():
    for train in (train_epochs, lambda *arguments, **k: train_with_patience(*arguments[:2], lambda: 0.5, lambda: 0.5, **k)):
        with pytest.raises(InputError, match="loop: found 'fast', expected one of compiled, python"):
            train(lambda index: 1.0, 3, 2, loop="fast")


# In chunks


class Slow:
    """A loop whose steps take so many seconds; remembers how many steps it was asked for."""

    def __init__(self, seconds, monkeypatch):
        self.seconds, self.now, self.asked = seconds, 0.0, []
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)

    def run(self, first, count):
        self.asked.append((first, count))
        self.now += count * self.seconds
        return [[float(first + k)] for k in range(count)]


@pytest.mark.parametrize("seconds", [1.0, 0.05, 0.001, 1e-6])
def test_chunks_grow_to_a_fifth_of_a_second_and_no_further(seconds, monkeypatch):
    loop = Slow(seconds, monkeypatch)
    n = int(min(10 / seconds, 10**6))
    rows = [row for chunk in run_in_bursts(loop, n) for row in chunk]
    assert rows == [[float(k)] for k in range(n)]
    assert loop.asked[0] == (0, 1)
    assert max(count for _, count in loop.asked) * seconds <= max(SECONDS, seconds)
    if n * seconds > 5:
        assert len(loop.asked) * SECONDS < 2 * n * max(seconds, 0.1)


def test_a_pace_is_kept_from_one_epoch_to_the_next(monkeypatch):
    loop = Slow(0.01, monkeypatch)
    for _ in range(2):
        list(run_in_bursts(loop, 100))
    assert (0, 20) in loop.asked


@pytest.mark.parametrize("loop", ["compiled", "python"])
def test_a_pace_is_not_kept_for_data_that_have_grown_a_thousandfold(loop, monkeypatch):
    index, data = pt.lscalar("index"), pytensor.shared(np.ones(10), name="data")
    step = symae.function([index], data.sum(), backend="numba", on_unused_input="ignore")
    steps, asked = loop_over(step, loop), []
    run = steps.run
    monkeypatch.setattr(steps, "run", lambda first, count: asked.append(count) or run(first, count))
    train_epochs(step, 2000, 1, log_every=0, loop=loop)
    asked.clear()
    step(0)
    train_epochs(step, 2000, 1, log_every=0, loop=loop)
    assert asked[0] > 1
    data.set_value(np.ones(10_000))
    asked.clear()
    train_epochs(step, 2000, 1, log_every=0, loop=loop)
    assert asked[0] == 1


def test_a_loop_that_nothing_can_be_remembered_of_runs_too(monkeypatch):
    class Unhashable(Slow):
        __hash__ = None

    loop = Unhashable(0.01, monkeypatch)
    assert [row for rows in run_in_bursts(loop, 3) for row in rows] == [[0.0], [1.0], [2.0]]


def test_patience_looks_at_the_validation_error_where_the_python_loop_does(monkeypatch):
    def calls_of(loop):
        events = []

        class Recorded:
            def run(self, first, count):
                events.extend(range(first, first + count))
                return [[1.0]] * count

            def __call__(self, index):
                events.append(index)
                return 1.0

        errors = iter([0.5, 0.6, 0.2, 0.3, 0.4, 0.9, 0.9, 0.9, 0.9])

        def validate():
            events.append("validated")
            return next(errors)

        patience = TutorialPatience(minibatches=6, increase=2.25)
        result = train_with_patience(Recorded(), 5, validate, lambda: 0.1, patience=patience, verbose=False, loop=loop)
        return events, (result.epochs, result.best_epoch)

    assert calls_of("compiled") == calls_of("python")


@pytest.mark.parametrize("backend", [on("numba"), on("jax")])
def test_where_no_loop_can_be_built_steps_are_called_from_python_which_is_said_once(backend, monkeypatch, caplog):
    from symae.compile.loops import base

    def gone(*arguments, **keywords):
        raise AttributeError("has moved")

    monkeypatch.setattr(base, "_said", set())
    wanted, step = training_step(backend, draws=False), training_step(backend, draws=False)
    if backend == "numba":
        from symae.compile.loops import numba

        monkeypatch.setattr(numba, "_loop", gone)
    else:
        import jax

        monkeypatch.setattr(jax.lax, "while_loop", gone)
    for _ in range(2):
        rows = loop_over(step.call).run(0, 3)
        rows += [row for first in range(len(rows), 3) for row in loop_over(step.call).run(first, 1)]
        assert rows == [PythonLoop(wanted.call).run(i, 1)[0] for i in range(3)]
    assert step.state() == wanted.state()
    (message,) = (record.getMessage() for record in caplog.records if record.name == "symae.compile.loops")
    assert message.startswith("no compiled loop on ")
    assert message.endswith("called from Python, which is slower (AttributeError: has moved)")


def test_where_the_loops_module_cannot_be_imported_the_same_holds(monkeypatch, caplog):
    from symae.compile.loops import base

    monkeypatch.setattr(base, "_said", set())
    monkeypatch.setitem(sys.modules, "symae.compile.loops.numba", None)
    step = training_step("numba", draws=False)
    assert isinstance(loop_over(step.call), IndexedStep)
    assert any("no compiled loop on Numba" in record.getMessage() for record in caplog.records)


# Figures


def test_figures_are_read_as_the_lists_of_lists_that_they_were_made_of():
    rows = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    figures = Figures()
    assert (len(figures), list(figures), figures) == (0, [], [])
    figures += rows[:1]
    figures += Figures(rows[1:])
    figures += []
    assert (len(figures), figures) == (3, rows)
    assert (figures[0], figures[-1], figures[1:], repr(figures)) == (rows[0], rows[-1], rows[1:], repr(rows))
    assert [type(figure) for row in figures for figure in row] == [float] * 6
    assert [column.tolist() for column in figures.columns()] == [[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]
    assert figures != rows[:2]
    with pytest.raises(IndexError):
        figures[3]


def test_a_copy_of_figures_and_what_it_is_of_go_on_apart():
    figures = Figures([[1.0], [2.0], [3.0]])
    figures += [[4.0]]  # with room for more
    copied = copy.copy(figures)
    figures += [[5.0]]
    copied += [[6.0]]
    assert (figures[3:], copied[3:]) == ([[4.0], [5.0]], [[4.0], [6.0]])


def test_a_step_that_returns_another_number_of_figures_than_before_is_refused():
    with pytest.raises(InputError, match="step: found 1 figures, expected 2, as many as the steps before have returned"):
        train_epochs(lambda index: [1.0, 2.0] if index < 3 else 1.0, 5, 1, metric_names=["error"], log_every=0)


def test_long_epochs_do_not_set_off_pythons_garbage_collector():
    step, collections = counter("numba"), []
    train_epochs(step.call, 3, 1, log_every=0)
    gc.collect()
    gc.callbacks.append(lambda phase, info: collections.append(phase))
    try:
        train_epochs(step.call, 20_000, 1, log_every=0)
    finally:
        gc.callbacks.pop()
    assert len(collections) <= 2
