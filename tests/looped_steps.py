"""Steps of a training for tests of loops over them."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.raise_op import Assert

import symae
from symae import RandomStreams
from symae.compile.loops.base import IndexedStep
from symae.compile.loops.bursts import run_in_bursts
from symae.theano.sandbox.rng_mrg import MRG_RandomStreams

DATA = np.random.RandomState(3).rand(60, 4)


class Step:
    """A compiled step, with the shared variables that it reads and changes."""

    def __init__(self, index, outputs, updates, backend):
        self.call = symae.function([index], outputs, updates=updates, backend=backend, on_unused_input="ignore")
        self.containers = {c.name: c for c in self.call.input_storage if c.name != "index"}

    def __getitem__(self, name):
        return self.containers[name].storage[0]

    def state(self):
        """Return the bytes of everything that the step reads and changes."""
        values = (c.storage[0] for c in self.containers.values())
        return [repr(v.bit_generator.state) if isinstance(v, np.random.Generator) else v.tobytes() for v in values]


def training_step(backend, order="C", draws=True):
    """Momentum, two kinds of random streams and a third of NumPy's, a parameter that is read only, and three outputs."""
    index = pt.iscalar("index")
    floatX = pytensor.config.floatX
    data = pytensor.shared(DATA.astype(floatX), name="data")
    W = pytensor.shared(np.array(np.random.RandomState(0).normal(size=(4, 3)), floatX, order=order), name="W")
    velocity = pytensor.shared(np.zeros((4, 3), floatX), name="velocity")
    steps = pytensor.shared(np.array(0), name="steps")
    x = data[index * 5 : index * 5 + 5]
    masked, updates = x, []
    if draws:
        masked *= RandomStreams(7).binomial(size=(5, 4), n=1, p=0.7, dtype=floatX)
        masked += MRG_RandomStreams(11).uniform(size=(5, 4), dtype=floatX)
    if draws and backend == "numba":
        generator = pytensor.shared(np.random.default_rng(5), name="generator")
        next_generator, noise = pt.random.normal(0, 0.1, size=(5, 4), rng=generator, return_next_rng=True)
        masked, updates = masked + noise, [(generator, next_generator)]
    error = masked.dot(W).dot(W.T) - x
    cost, gradient = (error**2).mean(), error.T.dot(masked.dot(W))
    updates += [(W, W - 0.001 * velocity), (velocity, 0.9 * velocity + gradient), (steps, steps + index)]
    return Step(index, [cost, steps, pt.lt(cost, 0.5)], updates, backend)


def counter(backend, costs=(), limit=None, grows=False):
    """Count the steps and sum their costs, the next of `costs` for each; step number `limit` fails."""
    index = pt.lscalar("index")
    steps = pytensor.shared(np.array(0), name="steps")
    floatX = pytensor.config.floatX
    cost = pytensor.shared(np.array([*costs, 1.0], floatX), name="costs")[pt.minimum(steps, len(costs))]
    if limit is not None:
        cost = Assert("too many steps")(cost, pt.lt(steps, limit))
    seen = pytensor.shared(np.zeros(0, "int64"), name="seen")
    total = pytensor.shared(np.array(0, floatX), name="total")
    updates = [(steps, steps + 1), (total, total + cost)] + (
        [(seen, pt.concatenate([seen, index.reshape((1,))]))] if grows else []
    )
    return Step(index, cost, updates, backend)


def rows_of(loop, steps, first=0):
    return [row for chunk in run_in_bursts(loop, steps, first=first) for row in chunk]


def assert_not_called(step, monkeypatch):
    """From here on the step is not called from Python."""
    monkeypatch.setattr(IndexedStep, "run", lambda *_: pytest.fail("called from Python"))
