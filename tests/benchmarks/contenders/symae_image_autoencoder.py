"""An epoch of worksheet 03 by symae."""

import sys

import numpy as np
import pytensor
import pytensor.tensor as pt
from image_autoencoder_settings import BATCH, settings
from measured import answer

from symae import ImageAutoencoder, compile_time, function
from symae.training import train_epochs

pytensor.config.floatX = "float32"
pool, data, weights, new_order = settings()
model = ImageAutoencoder(np.random.RandomState(0), maps=len(weights["b1"]), pool=pool)
model.set_parameters(weights)
images = pytensor.shared(data, borrow=True)
order = pytensor.shared(np.arange(len(data)))
index = pt.lscalar("index")
minibatch = images[order[index * BATCH : (index + 1) * BATCH]].reshape((BATCH, 1, 28, 28))
cost, updates = model.get_cost_updates()
step = function([index], cost, updates=updates, givens={model.x: minibatch}, backend=sys.argv[4])


def epoch() -> float:
    order.set_value(new_order())
    return train_epochs(step, len(data) // BATCH, 1, log_every=0).costs[0]


answer(compile_time(step).total, epoch)
