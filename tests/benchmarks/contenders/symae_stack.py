"""Steps of a stack of dense layers by symae in its compiled loop: a classifier, or an autoencoder with tied weights.

symae_stack.py KIND UNITS BATCH FLOATX MINIBATCHES, KIND being classifier or autoencoder, UNITS such as 784-500-10
"""

from __future__ import annotations

import itertools
import sys
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from measured import answer

from symae import Autoencoder, RandomStreams, compile_time, function
from symae.training import train_epochs

LEARNING_RATE = 0.01


def classifier(units: list[int], x: Any, y: Any, rng: np.random.RandomState) -> tuple[Any, dict[Any, Any]]:
    """Return cost and updates of the tutorial's network: layers of tanh, a softmax, plain gradient descent."""
    params, h = [], x
    for number, (below, above) in enumerate(itertools.pairwise(units)):
        limit = np.sqrt(6.0 / (below + above))
        W = pytensor.shared(rng.uniform(-limit, limit, (below, above)).astype(x.dtype), name=f"W{number}")
        b = pytensor.shared(np.zeros(above, x.dtype), name=f"b{number}")
        params += [W, b]
        h = h.dot(W) + b
        if number + 2 < len(units):
            h = pt.tanh(h)
    cost = -pt.special.log_softmax(h, axis=1)[pt.arange(y.shape[0]), y].mean()
    step = np.asarray(LEARNING_RATE, x.dtype)
    return cost, {p: p - step * g for p, g in zip(params, pt.grad(cost, params), strict=True)}


kind, shape, batch, floatX, minibatches = sys.argv[1], *sys.argv[2:]
units, batch, minibatches = [int(size) for size in shape.split("-")], int(batch), int(minibatches)
pytensor.config.floatX = floatX
rng = np.random.RandomState(0)
rows = min(minibatches, max(1, 6400 // batch)) * batch
X = pytensor.shared(rng.uniform(size=(rows, units[0])).astype(floatX), borrow=True)
Y = pytensor.shared(rng.randint(0, units[-1], rows), borrow=True)
index, x, y = pt.lscalar("index"), pt.matrix("x"), pt.lvector("y")
start = (index % (rows // batch)) * batch
givens = {x: X[start : start + batch], y: Y[start : start + batch]}
if kind == "classifier":
    cost, updates = classifier(units, x, y, rng)
else:
    model = Autoencoder(rng, RandomStreams(1), x, units[0], units[1])
    cost, updates = model.get_cost_updates(0.0, LEARNING_RATE)
    del givens[y]
step = function([index], cost, updates=updates, givens=givens, backend="numba")
answer(compile_time(step).total, lambda: train_epochs(step, minibatches, 1, log_every=0).costs[0])
