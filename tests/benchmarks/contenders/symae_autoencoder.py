"""The same step by symae, as worksheets 01 and 02 do it."""

import json
import sys
import time

import numpy as np
import pytensor
import pytensor.tensor as pt

from symae import Autoencoder, DenoisingAutoencoder, RandomStreams, compile_time, function
from symae.training import train_epochs

backend, images, floatX, level, threads = sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]), int(sys.argv[5])
pytensor.config.floatX = floatX

numpy_rng = np.random.RandomState(123)
theano_rng = RandomStreams(numpy_rng.randint(2**30))
data = pytensor.shared(np.load(images).astype(floatX))
index, x = pt.lscalar("index"), pt.matrix("x")
model = (DenoisingAutoencoder if level else Autoencoder)(numpy_rng, theano_rng, x, 784, 100)
cost, updates = model.get_cost_updates(level, 0.1)
step = function([index], cost, updates=updates, givens={x: data[index * 20 : (index + 1) * 20]}, backend=backend)
print(json.dumps({"compile": compile_time(step).total}), flush=True)

n_batches = data.get_value(borrow=True).shape[0] // 20
for _ in sys.stdin:
    started = time.perf_counter()
    history = train_epochs(step, n_batches, 1, every=0, threads=threads or None)
    print(json.dumps({"seconds": time.perf_counter() - started, "cost": history.costs[0]}), flush=True)
