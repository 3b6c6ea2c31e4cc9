"""Many steps in a loop on the PyTorch backend are those that calls from Python make, one by one."""

from __future__ import annotations

import signal

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from backend_params import on
from looped_steps import assert_not_called, training_step

import symae
from symae.compile.loops import loop_over

pytest.importorskip("torch")
pytestmark = pytest.mark.parametrize("backend", [on("pytorch")])

N = 12
DATA = np.random.RandomState(0).randn(50, N) / N


def descent(backend):
    """Return a step that adds to a square matrix in place where it may, the matrix, and its values after so many steps."""
    i, W = pt.lscalar("i"), pytensor.shared(np.eye(N), name="W")
    x = pytensor.shared(DATA)[i * 20 : (i + 1) * 20]
    residual = x - pt.dot(x, W)
    step = symae.function([i], (residual**2).sum(), updates=[(W, W + 0.5 * pt.dot(x.T, residual + x))], backend=backend)
    assert step.vm.jit_fn.program.writes

    def after(steps):
        w = np.eye(N)
        for k in range(steps):
            rows = DATA[k * 20 : (k + 1) * 20]
            w = w + 0.5 * rows.T @ (2 * rows - rows @ w)
        return w

    return step, W, after


def test_its_values_figures_and_draws_are_theirs_to_the_last_bit(backend, monkeypatch):
    looped, called = training_step(backend), training_step(backend)
    expected = [loop_over(called.call, "python").run(i, 1)[0] for i in range(12)]
    assert_not_called(looped.call, monkeypatch)
    loop = loop_over(looped.call)
    assert loop.run(0, 5) + loop.run(5, 1) + loop.run(6, 6) == expected
    assert looped.state() == called.state()


def test_a_last_minibatch_that_is_shorter_is_computed_as_it_is(backend):
    step, W, after = descent(backend)
    assert len(loop_over(step).run(0, 3)) == 3
    np.testing.assert_allclose(W.get_value(), after(3), rtol=1e-12)


def test_an_array_that_the_host_has_set_is_not_written_into(backend):
    step, W, after = descent(backend)
    own = np.eye(N)
    W.set_value(own, borrow=True)
    loop_over(step).run(0, 2)
    np.testing.assert_array_equal(own, np.eye(N))
    np.testing.assert_allclose(W.get_value(), after(2), rtol=1e-12)


def test_another_exception_of_the_hosts_reaches_whoever_trains(backend, monkeypatch):
    class TooLate(Exception):
        pass

    def late(*_):
        raise TooLate

    step, W, after = descent(backend)
    loop = loop_over(step)
    computed, calls = loop.call.program.computed, []

    def alarmed(*arguments):
        calls.append(len(calls))
        if len(calls) == 2:
            signal.raise_signal(signal.SIGTERM)
        return computed(*arguments)

    monkeypatch.setattr(loop.call.program, "computed", alarmed)
    before = signal.signal(signal.SIGTERM, late)
    try:
        with pytest.raises(TooLate):
            loop.run(0, 3)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert calls == [0, 1]
    np.testing.assert_allclose(W.get_value(), after(1), rtol=1e-12)


def test_an_interrupt_of_a_step_that_fails_leaves_its_error_where_the_host_goes_on(backend, monkeypatch):
    step, W, after = descent(backend)
    loop = loop_over(step)

    def failing(*_):
        signal.raise_signal(signal.SIGINT)
        raise IndexError("the step's own")

    monkeypatch.setattr(loop.call.program, "computed", failing)
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        with pytest.raises(IndexError, match="the step's own"):
            loop.run(0, 3)
    finally:
        signal.signal(signal.SIGINT, before)
    np.testing.assert_array_equal(W.get_value(), after(0))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int8"])
def test_the_number_of_a_step_is_of_any_type(backend, dtype):
    i, total = pt.scalar("i", dtype=dtype), pytensor.shared(np.zeros(3), name="total")
    x = pytensor.shared(DATA[:, :3])[i]
    step = symae.function([i], x.sum() * i, updates=[(total, total + x)], backend=backend)
    rows = loop_over(step).run(2, 4)
    np.testing.assert_allclose([row[0] for row in rows], [DATA[k, :3].sum() * k for k in range(2, 6)])
    np.testing.assert_allclose(total.get_value(), DATA[2:6, :3].sum(axis=0))


def test_an_interrupt_within_a_step_leaves_it_whole(backend, monkeypatch):
    step, W, after = descent(backend)
    loop = loop_over(step)
    loop.run(0, 1)
    program = loop.call.program
    computed, calls = program.computed, []

    def interrupted(*arguments):
        outputs = computed(*arguments)
        calls.append(len(calls))
        if len(calls) == 1:
            signal.raise_signal(signal.SIGINT)
        return outputs

    monkeypatch.setattr(program, "computed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        loop.run(1, 2)
    assert calls == [0]
    np.testing.assert_allclose(W.get_value(), after(2), rtol=1e-12)
    assert len(loop.run(2, 1)) == 1
    np.testing.assert_allclose(W.get_value(), after(3), rtol=1e-12)
