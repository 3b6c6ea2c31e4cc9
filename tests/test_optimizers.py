"""Optimizers: step by step what PyTorch computes from the same numbers, and what the formulas say."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from symae import function
from symae.optimizers import momentum, sgd

START = np.array([1.0, -2.0, 3.0])


def quadratic():
    """A cost whose gradient is 2 p + 1."""
    p = pytensor.shared(START.copy(), name="p")
    return p, pt.sum(p**2 + p)


def steps(updates, p, count=5):
    step = function([], updates=updates)
    values = []
    for _ in range(count):
        step()
        values.append(p.get_value())
    return np.array(values)


def torch_steps(make, count=5):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    p = torch.tensor(START, requires_grad=True)
    optimizer = make(torch.optim, [p])
    values = []
    for _ in range(count):
        optimizer.zero_grad()
        (p**2 + p).sum().backward()
        optimizer.step()
        values.append(p.detach().numpy().copy())
    return np.array(values)


def test_sgd_steps_are_pytorchs():
    p, cost = quadratic()
    np.testing.assert_allclose(steps(sgd(cost, [p], 0.1), p), torch_steps(lambda o, ps: o.SGD(ps, lr=0.1)), rtol=1e-12)


def test_momentum_steps_are_pytorchs():
    p, cost = quadratic()
    mine = steps(momentum(cost, [p], 0.1, 0.9), p)
    np.testing.assert_allclose(mine, torch_steps(lambda o, ps: o.SGD(ps, lr=0.1, momentum=0.9)), rtol=1e-12)


def test_unit_gain_weighs_the_gradient_with_what_momentum_leaves():
    p, cost = quadratic()
    values = steps(momentum(cost, [p], 0.1, 0.9, unit_gain=True), p, 2)
    v = 0.1 * (2 * START + 1)
    first = START - 0.1 * v
    second = first - 0.1 * (0.9 * v + 0.1 * (2 * first + 1))
    np.testing.assert_allclose(values, [first, second], rtol=1e-12)


def test_velocities_are_named_after_their_parameter_and_begin_at_zero():
    p, cost = quadratic()
    (velocity, _), (parameter, _) = momentum(cost, [p], 0.1)
    assert (velocity.name, parameter) == ("p_velocity", p)
    assert not velocity.get_value().any()


@pytest.mark.parametrize("optimizer", [sgd, momentum])
def test_float32_parameters_stay_float32(optimizer):
    p = pytensor.shared(START.astype("float32"), name="p")
    assert all(new.dtype == "float32" for _, new in optimizer(pt.sum(p**2), [p], pt.dscalar("rate")))
