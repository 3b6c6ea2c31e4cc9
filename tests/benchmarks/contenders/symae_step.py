"""A training step of worksheets 01 and 02 by symae, for contenders that differ in who loops over it."""

from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from autoencoder_settings import LEARNING_RATE, SEED, VISIBLE, Settings

from symae import Autoencoder, DenoisingAutoencoder, RandomStreams, function


def compiled_step(given: Settings) -> Any:
    """Compile the step, a function of a minibatch's number that returns its cost."""
    pytensor.config.floatX = given.floatX
    numpy_rng = np.random.RandomState(SEED)
    theano_rng = RandomStreams(numpy_rng.randint(2**30))
    data = pytensor.shared(given.images, borrow=True)
    index, x = pt.lscalar("index"), pt.matrix("x")
    model = (DenoisingAutoencoder if given.level else Autoencoder)(numpy_rng, theano_rng, x, VISIBLE, given.hidden)
    cost, updates = model.get_cost_updates(given.level, LEARNING_RATE)
    minibatch = data[index * given.batch : (index + 1) * given.batch]
    return function([index], cost, updates=updates, givens={x: minibatch}, backend=given.way)
