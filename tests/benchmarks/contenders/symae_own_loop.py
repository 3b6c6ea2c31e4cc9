"""The same epoch by symae, in a loop of one's own as README has it: a call from Python for each minibatch, nothing else set."""

import numpy as np
import pytensor
import pytensor.tensor as pt
from autoencoder_settings import LEARNING_RATE, SEED, VISIBLE, settings
from measured import answer

from symae import Autoencoder, DenoisingAutoencoder, RandomStreams, compile_time, function

given = settings()
pytensor.config.floatX = given.floatX

numpy_rng = np.random.RandomState(SEED)
theano_rng = RandomStreams(numpy_rng.randint(2**30))
data = pytensor.shared(given.images, borrow=True)
index, x = pt.lscalar("index"), pt.matrix("x")
model = (DenoisingAutoencoder if given.level else Autoencoder)(numpy_rng, theano_rng, x, VISIBLE, given.hidden)
cost, updates = model.get_cost_updates(given.level, LEARNING_RATE)
minibatch = data[index * given.batch : (index + 1) * given.batch]
train = function([index], cost, updates=updates, givens={x: minibatch}, backend=given.way)
answer(compile_time(train).total, lambda: float(np.mean([train(i) for i in range(given.n_batches)])))
