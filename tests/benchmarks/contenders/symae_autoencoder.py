"""The same epoch by symae, as worksheets 01 and 02 do it."""

import numpy as np
import pytensor
import pytensor.tensor as pt
from autoencoder_settings import LEARNING_RATE, SEED, VISIBLE, settings
from measured import answer

from symae import Autoencoder, DenoisingAutoencoder, RandomStreams, compile_time, function
from symae.training import train_epochs

given = settings()
pytensor.config.floatX = given.floatX

numpy_rng = np.random.RandomState(SEED)
theano_rng = RandomStreams(numpy_rng.randint(2**30))
data = pytensor.shared(given.images, borrow=True)
index, x = pt.lscalar("index"), pt.matrix("x")
model = (DenoisingAutoencoder if given.level else Autoencoder)(numpy_rng, theano_rng, x, VISIBLE, given.hidden)
cost, updates = model.get_cost_updates(given.level, LEARNING_RATE)
minibatch = data[index * given.batch : (index + 1) * given.batch]
step = function([index], cost, updates=updates, givens={x: minibatch}, backend=given.way)
threads = given.threads or None  # 0 for what they are by themselves
answer(compile_time(step).total, lambda: train_epochs(step, given.n_batches, 1, every=0, threads=threads).costs[0])
