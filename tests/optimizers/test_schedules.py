"""Schedules: rates that are PyTorch's step by step, in graphs and as numbers, kept by checkpoints and by compiled loops."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from symae import InputError, function
from symae.compile.loops import loop_over
from symae.compile.loops.numba import NumbaLoop
from symae.optimizers import (
    CosineDecay,
    InverseTimeDecay,
    Schedule,
    StepDecay,
    WarmUp,
    adamw,
    inverse_time_decay,
    momentum,
    scheduled,
    sgd,
)
from symae.training import fit
from symae.training.checkpoints import read_checkpoint

IMAGES = np.random.RandomState(0).uniform(size=(24, 6))

SCHEDULES = {
    "step": (StepDecay(0.5, every=3, factor=0.2), lambda s, o: s.StepLR(o, step_size=3, gamma=0.2)),
    "cosine": (CosineDecay(0.5, steps=9, final=0.1), lambda s, o: s.CosineAnnealingLR(o, T_max=9, eta_min=0.1)),
    "inverse": (InverseTimeDecay(0.5, half_after=4), lambda s, o: s.LambdaLR(o, lambda t: 1 / (1 + t / 4))),
    "warm-up": (WarmUp(0.5, steps=4, start=0.2), lambda s, o: s.LinearLR(o, start_factor=0.2, total_iters=4)),
    "warm-up and cosine": (
        WarmUp(CosineDecay(0.5, steps=5), steps=4, start=0.2),
        lambda s, o: s.SequentialLR(
            o, [s.LinearLR(o, start_factor=0.2, total_iters=4), s.CosineAnnealingLR(o, T_max=5)], milestones=[4]
        ),
    ),
    "one's own": (lambda step: 0.5 / pt.sqrt(1 + step), lambda s, o: s.LambdaLR(o, lambda t: 1 / (1 + t) ** 0.5)),
}
STEPS = 10


def rates(*schedules, backend=None, dtype="float64"):
    """Return the rates of ten steps: how far gradient descent goes down a slope of 1."""
    params = [pytensor.shared(np.zeros((), dtype), name="p") for _ in schedules]
    updates = [update for p, schedule in zip(params, schedules, strict=True) for update in sgd(p, [p], schedule)]
    step = function([], params, updates=updates, backend=backend)
    return -np.diff([np.array(step(), float) for _ in range(STEPS + 1)], axis=0).T


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_are_pytorchs_step_by_step(name):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    mine, theirs = SCHEDULES[name]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    scheduler = theirs(torch.optim.lr_scheduler, optimizer)
    expected = []
    for _ in range(STEPS):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    np.testing.assert_allclose(rates(mine)[0], expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", [name for name in SCHEDULES if name != "one's own"])
def test_called_with_numbers_a_schedule_says_what_it_will_do(name):
    schedule = SCHEDULES[name][0]
    np.testing.assert_allclose(schedule(np.arange(STEPS)), rates(schedule)[0], rtol=1e-12, atol=1e-15)
    assert float(schedule(3)) == pytest.approx(schedule(np.arange(STEPS))[3])


@pytest.mark.parametrize("floatX", ["float64", "float32"])
@pytest.mark.parametrize("mode", ["FAST_COMPILE", pytest.param("NUMBA", marks=pytest.mark.default_mode)])
def test_a_decay_in_steps_comes_at_its_step_though_a_quotient_of_floats_would_be_below_it(floatX, mode):
    lengths = (49, 98, 103, 107, 196, 392, 784, 41, 55, 82)  # n * (1 / n) is less than 1 in doubles, or in float32
    with pytensor.config.change_flags(floatX=floatX):
        rates, counts = zip(*(scheduled(StepDecay(1.0, n, factor=0.5)) for n in lengths), strict=True)
        found = pytensor.function([], rates, mode=mode)
        for before, expected in ((1, 1.0), (0, 0.5)):
            for n, [(step, _)] in zip(lengths, counts, strict=True):
                step.set_value(np.asarray(n - before))
            assert [float(rate) for rate in found()] == [expected] * len(lengths)


def test_steps_are_counted_though_float32_has_no_such_number(float32):
    n = 2**24 + 1
    step_decay, [(first, _)] = scheduled(StepDecay(1.0, n, factor=0.5))
    warm_up, [(second, _)] = scheduled(WarmUp(StepDecay(1.0, n, factor=0.5), steps=4, start=0.0))
    found = pytensor.function([], [step_decay, warm_up])
    for step, expected in ((n - 1, [1.0, 1.0]), (n, [0.5, 1.0]), (n + 3, [0.5, 1.0]), (n + 4, [0.5, 0.5])):
        first.set_value(np.asarray(step))
        second.set_value(np.asarray(step))
        assert [float(rate) for rate in found()] == expected


def test_a_schedule_of_ones_own_may_have_the_exact_count(float32):
    class Odd(Schedule):
        def __call__(self, step):
            return step % 2

    rate, [(step, _)] = scheduled(Odd())
    step.set_value(np.asarray(2**24 + 1))
    assert float(rate.eval()) == 1
    dtypes = []
    scheduled(lambda step: dtypes.append(step.dtype) or 0.1 * step)
    scheduled(WarmUp(lambda step: dtypes.append(step.dtype) or 0.1 * step, steps=3))
    assert set(dtypes) == {"float32"}


def test_the_rate_of_a_cosine_stays_at_its_end():
    np.testing.assert_allclose(CosineDecay(0.5, steps=4, final=0.1)(np.array([4, 5, 400])), 0.1)


def test_rates_agree_on_every_backend(float32_backend):
    schedules = [schedule for schedule, _ in SCHEDULES.values()]
    found = rates(*schedules, backend=float32_backend, dtype="float32")
    np.testing.assert_allclose(found, rates(*schedules, dtype="float32"), rtol=2e-5, atol=1e-6)


def test_a_rate_is_of_float_x_and_parameters_keep_their_type(float32):
    rate, counting = scheduled(CosineDecay(0.1, steps=10))
    assert rate.dtype == "float32"
    assert [v.name for v, _ in counting] == ["schedule_step"]
    p = pytensor.shared(np.zeros(3, "float32"), name="p")
    assert {new.dtype for v, new in adamw(pt.sum(p), [p], WarmUp(0.1, steps=3)) if v is p} == {"float32"}
    assert scheduled(0.1) == (0.1, [])


def step_of(schedule, backend="numba"):
    index = pt.lscalar("index")
    p = pytensor.shared(np.ones(3), name="p")
    cost = pt.sum(pt.sqr(p)) + 0 * index
    return function([index], cost, updates=adamw(cost, [p], schedule), backend=backend), p


def test_steps_with_a_schedule_run_in_the_compiled_loop_and_get_the_same_numbers():
    schedule = WarmUp(CosineDecay(0.1, steps=20), steps=5)
    (step, p), (other, q) = step_of(schedule), step_of(schedule)
    loop = loop_over(step)
    assert isinstance(loop, NumbaLoop)
    rows = loop.run(0, 30)
    assert len(rows) == 30
    assert rows == [[float(other(index))] for index in range(30)]
    np.testing.assert_array_equal(p.get_value(), q.get_value())


def training(schedule):
    """Return the arguments of `fit` for a small model."""
    W = pytensor.shared(np.random.RandomState(1).normal(size=(6, 3)), name="W")
    x = pt.dmatrix("x")
    cost = pt.mean(pt.sqr(pt.dot(pt.tanh(pt.dot(x, W)), W.T) - x))
    return {"cost": cost, "updates": momentum(cost, [W], schedule), "data": {x: IMAGES}, "batch_size": 5, "params": [W]}


def training_by_all_schedules():
    """Return the arguments of `fit` for a number for each schedule, which goes down to the mean by its rates."""
    x = pt.dmatrix("x")
    params = [pytensor.shared(np.float64(3 + i), name=f"p{i}") for i in range(len(SCHEDULES))]
    costs = [pt.sqr(p - pt.mean(x)) for p in params]
    schedules = [schedule for schedule, _ in SCHEDULES.values()]
    steps = [step for cost, p, schedule in zip(costs, params, schedules, strict=True) for step in sgd(cost, [p], schedule)]
    return {"cost": sum(costs), "updates": steps, "data": {x: IMAGES}, "batch_size": 5, "params": params}


@pytest.mark.parametrize("backend", [None, "numba"])
def test_a_resumed_training_goes_on_in_the_middle_of_a_schedule_to_the_last_bit(backend, tmp_path):
    settings = {"log_every": 0, "backend": backend}
    whole = training_by_all_schedules()
    expected = fit(**whole, n_epochs=3, **settings).costs
    fit(**training_by_all_schedules(), n_epochs=1, folder=tmp_path, **settings)
    arrays = read_checkpoint(tmp_path / "last.safetensors").arrays
    assert [int(a) for name, a in arrays.items() if name.startswith("schedule_step")] == [4] * len(SCHEDULES)
    resumed = training_by_all_schedules()
    history = fit(**resumed, n_epochs=3, folder=tmp_path, resume=True, log=lambda line: None, **settings)
    assert history.costs == expected
    for mine, theirs in zip(resumed["params"], whole["params"], strict=True):
        np.testing.assert_array_equal(mine.get_value(), theirs.get_value())


def test_a_training_does_not_go_on_with_another_schedule(tmp_path):
    fit(**training(CosineDecay(0.1, steps=20)), n_epochs=1, folder=tmp_path, log_every=0)
    with pytest.raises(InputError, match=r"updates: found the numbers .*, expected .* in their place, with which"):
        fit(**training(CosineDecay(0.1, steps=40)), n_epochs=2, folder=tmp_path, resume=True, log_every=0)
    with pytest.raises(InputError, match=r"found schedule_step .*, expected no schedule_step"):
        fit(**training(0.1), n_epochs=2, folder=tmp_path, resume=True, log_every=0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StepDecay(0, 3), "rate: found 0, expected a positive number"),
        (lambda: StepDecay(True, 3), "rate: found True"),
        (lambda: StepDecay(0.1, 0), "every: found 0, expected an integer of at least 1"),
        (lambda: StepDecay(0.1, 2.5), "every: found 2.5"),
        (lambda: StepDecay(0.1, 3, 1.5), "factor: found 1.5, expected a number from 0 to 1, above 0"),
        (lambda: CosineDecay("0.1", 3), "rate: found '0.1', expected a positive number"),
        (lambda: CosineDecay(0.1, -3), "steps: found -3"),
        (lambda: CosineDecay(0.1, 3, final=-1), "final: found -1, expected a number of at least 0"),
        (lambda: InverseTimeDecay(0.1, np.nan), "half_after: found nan, expected a positive number of steps"),
        (lambda: WarmUp(-0.1, 3), "then: found -0.1, expected a positive number, or a schedule"),
        (lambda: WarmUp(0.1, 3, start=2), "start: found 2, expected a number from 0 to 1"),
        (
            lambda: WarmUp(CosineDecay, 3),
            r"then: found the class CosineDecay, expected a schedule that it makes, CosineDecay\(",
        ),
        (lambda: scheduled(CosineDecay), r"learning_rate: found the class CosineDecay, expected a schedule that it makes"),
        (
            lambda: scheduled(lambda step: "fast"),
            "learning_rate: found a function that returns a str, expected one that returns",
        ),
        (lambda: scheduled(lambda step: step + np.ones(2)), "learning_rate: found a function that returns one of 1 dimensions"),
        (lambda: scheduled(lambda step: None), "learning_rate: found a function that returns a NoneType"),
    ],
)
def test_a_schedule_that_is_none_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_a_rate_that_is_symbolic_falls_too():
    first = pytensor.shared(0.5, name="first")
    rate, counting = inverse_time_decay(first, half_after=4)
    p = pytensor.shared(0.0, name="p")
    step = function([], p, updates=[*sgd(p, [p], rate), *counting])
    found = -np.diff([float(step()) for _ in range(STEPS + 1)])
    np.testing.assert_allclose(found, InverseTimeDecay(0.5, 4)(np.arange(STEPS)), rtol=1e-12)
