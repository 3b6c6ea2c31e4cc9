"""The same epoch by symae, in a loop of one's own as in docs/own_code.md: a call from Python for each minibatch."""

import numpy as np
from autoencoder_settings import settings
from measured import answer
from symae_step import compiled_step

from symae import compile_time

given = settings()
train = compiled_step(given)
answer(compile_time(train).total, lambda: float(np.mean([train(i) for i in range(given.n_batches)])))
