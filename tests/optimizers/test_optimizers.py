"""Optimizers: step by step what PyTorch computes from the same numbers, and what the formulas say."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from symae import InputError, function
from symae.optimizers import adadelta, adagrad, adam, adamw, clipped, inverse_time_decay, momentum, rmsprop, sgd

START = np.array([1.0, -2.0, 3.0])


def quadratic(dtype="float64"):
    """Return a cost whose gradient is 2 p + 1."""
    p = pytensor.shared(START.astype(dtype), name="p")
    return p, pt.sum(p**2 + p)


def steps(updates, p, count=6):
    step = function([], updates=updates)
    values = []
    for _ in range(count):
        step()
        values.append(p.get_value())
    return np.array(values)


def torch_steps(make, count=6, clip_norm=None):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    p = torch.tensor(START, requires_grad=True)
    optimizer = make(torch.optim, [p])
    values = []
    for _ in range(count):
        optimizer.zero_grad()
        (p**2 + p).sum().backward()
        if clip_norm is not None:
            torch.nn.utils.clip_grad_norm_([p], clip_norm)
        optimizer.step()
        values.append(p.detach().numpy().copy())
    return np.array(values)


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (lambda c, p: sgd(c, p, 0.1), lambda o, p: o.SGD(p, lr=0.1)),
        (lambda c, p: momentum(c, p, 0.1, 0.9), lambda o, p: o.SGD(p, lr=0.1, momentum=0.9)),
        (
            lambda c, p: momentum(c, p, 0.1, 0.9, nesterov=True),
            lambda o, p: o.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
        ),
        (lambda c, p: adagrad(c, p, 0.1), lambda o, p: o.Adagrad(p, lr=0.1)),
        (lambda c, p: rmsprop(c, p, 0.1, 0.9), lambda o, p: o.RMSprop(p, lr=0.1, alpha=0.9)),
        (lambda c, p: adadelta(c, p), lambda o, p: o.Adadelta(p, lr=1.0, rho=0.95, eps=1e-7)),
        (lambda c, p: adam(c, p, 0.1), lambda o, p: o.Adam(p, lr=0.1)),
        (lambda c, p: adamw(c, p, 0.1), lambda o, p: o.AdamW(p, lr=0.1)),
        (
            lambda c, p: adamw(c, p, 0.03, 0.8, 0.95, 1e-3, 0.3),
            lambda o, p: o.AdamW(p, lr=0.03, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.3),
        ),
        (lambda c, p: sgd(c, p, 0.1, weight_decay=0.3), lambda o, p: o.SGD(p, lr=0.1, weight_decay=0.3)),
        (
            lambda c, p: momentum(c, p, 0.1, 0.9, nesterov=True, weight_decay=0.3),
            lambda o, p: o.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.3),
        ),
        (lambda c, p: adagrad(c, p, 0.1, weight_decay=0.3), lambda o, p: o.Adagrad(p, lr=0.1, weight_decay=0.3)),
        (lambda c, p: rmsprop(c, p, 0.1, weight_decay=0.3), lambda o, p: o.RMSprop(p, lr=0.1, alpha=0.9, weight_decay=0.3)),
        (
            lambda c, p: adadelta(c, p, weight_decay=0.3),
            lambda o, p: o.Adadelta(p, lr=1.0, rho=0.95, eps=1e-7, weight_decay=0.3),
        ),
        (lambda c, p: adam(c, p, 0.1, weight_decay=0.3), lambda o, p: o.Adam(p, lr=0.1, weight_decay=0.3)),
    ],
    ids=[
        "sgd",
        "momentum",
        "nesterov",
        "adagrad",
        "rmsprop",
        "adadelta",
        "adam",
        "adamw",
        "adamw-told",
        "sgd-decay",
        "nesterov-decay",
        "adagrad-decay",
        "rmsprop-decay",
        "adadelta-decay",
        "adam-decay",
    ],
)
def test_steps_are_pytorchs(mine, theirs):
    p, cost = quadratic()
    np.testing.assert_allclose(steps(mine(cost, [p]), p), torch_steps(theirs), rtol=1e-12)


def test_clipped_steps_are_pytorchs():
    p, cost = quadratic()
    # PyTorch adds 1e-6 to the norm
    expected = torch_steps(lambda o, ps: o.SGD(ps, lr=0.1), clip_norm=2.0)
    np.testing.assert_allclose(steps(sgd(cost, [p], 0.1, clip_norm=2.0), p), expected, rtol=1e-6)


def test_what_decays_is_clipped_before_as_in_pytorch():
    p, cost = quadratic()
    expected = torch_steps(lambda o, ps: o.AdamW(ps, lr=0.1, weight_decay=0.3), clip_norm=2.0)
    found = steps(adamw(cost, [p], 0.1, weight_decay=0.3, clip_norm=2.0), p)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_mapping_says_which_parameters_decay():
    W, b = (pytensor.shared(START.copy(), name=name) for name in "Wb")
    cost = pt.sum(W * 0) + pt.sum(b * 0)
    for make in (adamw, adam, sgd):
        updates = dict(make(cost, [W, b], 0.1, weight_decay={W: 0.5}))
        moved = function([], [updates[W], updates[b]])()
        assert (moved[0] != START).all()
        np.testing.assert_array_equal(moved[1], START)


@pytest.mark.parametrize("decay", [-0.1, np.inf, np.nan, "much", True, [0.1]])
def test_a_decay_that_is_none_is_refused(decay):
    p, cost = quadratic()
    for make in (adamw, sgd):
        with pytest.raises(InputError, match=r"weight_decay: found .*, expected a number of at least 0, or a mapping"):
            make(cost, [p], 0.1, weight_decay=decay)


def test_a_decay_of_what_is_not_trained_is_refused():
    p, cost = quadratic()
    with pytest.raises(InputError, match=r"weight_decay: found a decay for q, expected those of p"):
        adamw(cost, [p], weight_decay={pytensor.shared(START, name="q"): 0.1})


def test_clipping_scales_all_gradients_together_and_leaves_small_ones():
    a, b = pt.dvector("a"), pt.dvector("b")
    f = function([a, b], clipped([a, b], 5.0))
    np.testing.assert_allclose(f([6.0], [8.0, 0.0])[0], [3.0])
    np.testing.assert_array_equal(f([3.0], [0.0, 3.0])[1], [0.0, 3.0])
    np.testing.assert_array_equal(f([0.0], [0.0, 0.0])[0], [0.0])


@pytest.mark.parametrize("floatX", ["float64", "float32"])
def test_a_rate_falls_with_the_steps(floatX):
    with pytensor.config.change_flags(floatX=floatX):
        p = pytensor.shared(np.zeros(1, floatX), name="p")
        rate, counting = inverse_time_decay(2.0, half_after=3)
        assert rate.dtype == floatX
        values = steps(sgd(pt.sum(p), [p], rate) + counting, p, 4)[:, 0]
    rates = -np.diff([0.0, *values])
    np.testing.assert_allclose(rates, [2, 2 / (1 + 1 / 3), 2 / (1 + 2 / 3), 1], rtol=1e-6)


@pytest.mark.parametrize("half_after", [0, -1, np.inf, np.nan, "3", True])
def test_a_rate_has_to_fall(half_after):
    with pytest.raises(InputError, match=r"half_after: found .*, expected a positive number of steps"):
        inverse_time_decay(0.1, half_after)


def test_unit_gain_weighs_the_gradient_with_what_momentum_leaves():
    p, cost = quadratic()
    values = steps(momentum(cost, [p], 0.1, 0.9, unit_gain=True), p, 2)
    v = 0.1 * (2 * START + 1)
    first = START - 0.1 * v
    second = first - 0.1 * (0.9 * v + 0.1 * (2 * first + 1))
    np.testing.assert_allclose(values, [first, second], rtol=1e-12)


ALL = {f.__name__: f for f in (sgd, momentum, adagrad, rmsprop, adadelta, adam, adamw)}
STATE = {
    "sgd": [],
    "momentum": ["p_velocity"],
    "adagrad": ["p_squares"],
    "rmsprop": ["p_squares"],
    "adadelta": ["p_squares", "p_steps"],
    "adam": ["p_velocity", "p_squares", "adam_step"],
    "adamw": ["p_velocity", "p_squares", "adam_step"],
}


@pytest.mark.parametrize("name", ALL)
def test_state_is_named_after_its_parameter_and_begins_at_zero(name):
    p, cost = quadratic()
    state = [variable for variable, _ in ALL[name](cost, [p], 0.1) if variable is not p]
    assert [variable.name for variable in state] == STATE[name]
    assert not any(np.any(variable.get_value()) for variable in state)


@pytest.mark.parametrize("name", ALL)
def test_float32_parameters_and_state_stay_float32(name):
    p, cost = quadratic("float32")
    updates = ALL[name](cost, [p], pt.dscalar("rate"), clip_norm=1.0)
    assert {new.dtype for variable, new in updates if variable.name != "adam_step"} == {"float32"}


def test_the_first_step_of_adam_in_float32_is_not_lost_in_the_correction():
    p, cost = quadratic("float32")
    np.testing.assert_allclose(steps(adam(cost, [p], 0.001), p, 1)[0], START - 0.001 * np.sign(2 * START + 1), rtol=1e-6)


@pytest.mark.parametrize("make", [adam, adamw])
def test_every_backend_has_adam(make, float32_backend):
    p, cost = quadratic("float32")
    step = function([], updates=make(cost, [p], 0.1), backend=float32_backend)
    step()
    step()
    q, cost = quadratic()
    np.testing.assert_allclose(p.get_value(), steps(make(cost, [q], 0.1), q, 2)[-1], rtol=1e-6)


@pytest.mark.parametrize(
    ("build", "kind", "message"),
    [
        (lambda c, p: momentum(c, p, 0.1, 1.5), InputError, "momentum: found 1.5, expected a number from 0 to 1"),
        (lambda c, p: adam(c, p, beta2=1.0), InputError, "beta2: found 1.0"),
        (lambda c, p: sgd(c, p, 0.1, clip_norm=0), InputError, "clip_norm: found 0, expected a positive number"),
        (
            lambda c, p: sgd(c, [pytensor.shared(3, name="n")], 0.1),
            TypeError,
            "params: found n of dtype int64, expected floats",
        ),
    ],
)
def test_settings_out_of_range_are_refused(build, kind, message):
    p, cost = quadratic()
    with pytest.raises(kind, match=message):
        build(cost, [p])


def test_sgd_needs_no_names():
    p = pytensor.shared(START.copy())
    assert len(sgd(pt.sum(p**2), [p], 0.1)) == 1


def test_parameters_without_names_of_their_own_are_refused():
    twins = [pytensor.shared(START.copy(), name="p") for _ in range(2)]
    with pytest.raises(InputError, match="params: found parameters named p, p, expected a name for each"):
        adam(pt.sum(twins[0] * twins[1]), twins)


def test_adam_without_memory_takes_steps_of_the_rate_and_warns_of_nothing():
    p, cost = quadratic()
    found = steps(adam(cost, [p], 0.1, beta1=0.0, beta2=0, epsilon=0), p, count=2)
    np.testing.assert_allclose(found, [START - 0.1 * np.sign(2 * START + 1) * n for n in (1, 2)], rtol=1e-12)
