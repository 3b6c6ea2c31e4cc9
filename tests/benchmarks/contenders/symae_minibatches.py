"""A round of minibatches of one of symae's models, by symae."""

import numpy as np
import pytensor
import pytensor.tensor as pt
from measured import answer
from minibatches import settings

from symae import compile_time, function, models
from symae.training import train_epochs
from symae.training.data import Examples

pytensor.config.floatX = "float32"
given = settings()
maps = {"maps": [len(given.weights[f"{n}_b"]) for n in given.encoder]} if given.model == "ConvolutionalAutoencoder" else {}
model = getattr(models, given.model)(np.random.RandomState(0), **maps)
model.set_parameters(given.weights)
order = pytensor.shared(np.zeros(given.minibatches * given.batch, "int64"))
index = pt.lscalar("index")
minibatch = Examples("images", {model.x: given.images}).givens(index * given.batch, given.batch, order)
cost, updates = model.get_cost_updates()
step = function([index], cost, updates=updates, givens=minibatch, backend=given.way)


def epoch() -> float:
    order.set_value(given.next_round().ravel())
    trained = train_epochs(step, given.minibatches, 1, log_every=0).costs[0]
    return trained if given.test is None else model.score(given.test, backend=given.way)


answer(compile_time(step).total, epoch)
