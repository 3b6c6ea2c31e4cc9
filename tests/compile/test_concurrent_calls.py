"""Threads may call one compiled function, and compile: the numbers are right, and the process's settings stay."""

from __future__ import annotations

import copy
import logging
import pickle
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.executor import Function

import symae
import symae.theano as theano
from symae._runtime.quiet import without_log, without_warnings
from symae.compile.locked_function import LockedFunction
from symae.compile.loops import loop_over

THREADS = 4


@pytest.fixture(autouse=True)
def _threads_take_turns_often():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def in_threads(work):
    """Run `work(number)` in several threads that begin together; return what each returned."""
    together = threading.Barrier(THREADS)

    def begin(number):
        together.wait(30)
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(begin, range(THREADS)))


def wrong_results(f, calls):
    """Call `f(number)`, which is to be [2 number, number + 1], in several threads; return what was otherwise."""

    def work(thread):
        wrong = []
        for call in range(calls):
            number = thread * calls + call
            result = f(float(number))
            if not isinstance(result, list) or [float(r) for r in result] != [2.0 * number, number + 1.0]:
                wrong.append((number, result))
        return wrong

    return [w for ws in in_threads(work) for w in ws]


@pytest.fixture(scope="module")
def f():
    x = pt.dscalar("x")
    return symae.function([x], [2 * x, x + 1], backend="numba")


def test_threads_that_call_one_function_get_their_own_numbers(f):
    assert wrong_results(f, 1500) == []


def test_so_they_do_where_each_op_is_called_from_python():
    x = pt.dscalar("x")
    assert wrong_results(symae.function([x], [2 * x, x + 1], mode="FAST_COMPILE"), 800) == []


def test_copies_and_pickles_of_a_function_are_locked_too(f):
    for again in (copy.copy(f), f.copy(), pickle.loads(pickle.dumps(f))):
        assert isinstance(again, Function)
        assert isinstance(again, LockedFunction)
        assert again.lock is not f.lock
        assert [float(r) for r in again(3.0)] == [6.0, 4.0]
    assert wrong_results(again, 300) == []


def test_no_step_of_a_counter_is_lost():
    counter, step = pytensor.shared(0.0), pt.dscalar("step")
    count = symae.function([step], counter, updates={counter: counter + step}, backend="numba")
    in_threads(lambda _: [count(1.0) for _ in range(500)])
    assert counter.get_value() == THREADS * 500


def test_theanos_functions_keep_their_own_state():
    x, state = theano.tensor.dscalar("x"), theano.tensor.dscalar("state")
    f = theano.function([x, theano.In(state, value=0.0, update=state + x)], state + x)
    in_threads(lambda _: [f(1.0) for _ in range(300)])
    assert f[state] == THREADS * 300


def test_a_loop_of_steps_and_calls_take_turns():
    total, index = pytensor.shared(0.0), pt.lscalar("index")
    step = symae.function([index], total + 0.0 * index, updates={total: total + 1}, backend="numba")
    loop = loop_over(step)

    def work(thread):
        for _ in range(40):
            if thread % 2:
                loop.run(0, 25)
            else:
                for i in range(25):
                    step(i)

    in_threads(work)
    assert total.get_value() == THREADS * 40 * 25


def test_a_function_may_be_called_by_an_op_within_it():
    x = pt.dscalar("x")

    class Halves(pytensor.graph.op.Op):
        itypes, otypes = [pt.dscalar], [pt.dscalar]

        def perform(self, node, inputs, outputs):
            outputs[0][0] = np.asarray(outer(float(inputs[0]) / 2) if inputs[0] > 1 else inputs[0])

    outer = symae.function([x], Halves()(x) * 1.0, mode="FAST_COMPILE")
    assert float(outer(8.0)) == 1.0


def test_a_models_graph_is_compiled_once_for_all_threads(monkeypatch):
    compiled = []

    def counting(*arguments, **keywords):
        compiled.append(keywords["name"])
        return symae.function(*arguments, **{**keywords, "backend": None})

    monkeypatch.setattr("symae.models.base.function", counting)
    model = symae.Autoencoder(np.random.RandomState(0), n_visible=12, n_hidden=5)
    images = np.random.RandomState(1).uniform(size=(THREADS, 3, 12))
    codes = in_threads(lambda n: [model.transform(images[n]) for _ in range(50)])
    assert len(compiled) == 1
    for n in range(THREADS):
        alone = model.transform(images[n])
        assert all(np.array_equal(code, alone) for code in codes[n])


def test_compiling_in_threads_leaves_filters_loggers_and_settings_as_they_were(f):
    def settings():
        logger = logging.getLogger("pytensor.tensor.blas")
        return list(warnings.filters), logger.level, logger.disabled, pytensor.config.mode, pytensor.config.cxx

    def compile_some(n):
        x = pt.dvector("x")
        return [symae.function([x], x * (n + k), mode="FAST_COMPILE")([1.0])[0] for k in range(8)]

    compile_some(0)
    before = settings()
    assert in_threads(compile_some) == [[n + k for k in range(8)] for n in range(THREADS)]
    assert settings() == before


def test_warnings_are_held_back_in_one_thread_only():
    before = list(warnings.filters)
    inside, done = threading.Event(), threading.Event()

    def quiet():
        with without_warnings("some.*news"):
            inside.set()
            warnings.warn("Some old news", stacklevel=1)
            done.wait(30)

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        thread = threading.Thread(target=quiet)
        thread.start()
        inside.wait(30)
        warnings.warn("some news for this thread", stacklevel=1)
        with without_warnings("other"):
            warnings.warn("some news of another kind", stacklevel=1)
        done.set()
        thread.join()
        assert [str(w.message) for w in seen] == ["some news for this thread", "some news of another kind"]
    assert list(warnings.filters) == before


def test_filters_are_as_before_where_others_blocks_overlap_with_ours():
    before = list(warnings.filters)
    theirs = warnings.catch_warnings()
    ours = without_warnings("a message")
    ours.__enter__()
    theirs.__enter__()
    ours.__exit__(None, None, None)
    theirs.__exit__(None, None, None)
    assert list(warnings.filters) == before


def test_a_log_is_held_back_below_errors_in_one_thread(caplog):
    logger = logging.getLogger("symae.test.log")
    with without_log("symae.test.log"):
        logger.warning("held back")
        logger.error("an error")
        thread = threading.Thread(target=logger.warning, args=("of another thread",))
        thread.start()
        thread.join()
    logger.warning("afterwards")
    assert caplog.messages == ["an error", "of another thread", "afterwards"]
