"""Write first_epochs.json: the first three epochs' costs of both models in real Theano 1.0.5, written out as the tutorials do.

Needs a Python 3.8 as make_random_streams.py does, and MNIST's training images::

    THEANO_FLAGS=floatX=float64 python tests/golden/make_first_epochs.py FOLDER/train-images-idx3-ubyte.gz
"""

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import theano
import theano.tensor as T
from theano.tensor.shared_randomstreams import RandomStreams

with gzip.open(sys.argv[1]) as file:
    pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)
images = theano.shared(pixels[:5000] / 256.0)


def costs(level):
    numpy_rng = np.random.RandomState(123)
    theano_rng = RandomStreams(numpy_rng.randint(2**30))
    if level:
        theano.function([], theano_rng.binomial(size=(10, 10), n=1, p=1 - level))()
    limit = 4 * np.sqrt(6.0 / (784 + 100))
    W = theano.shared(numpy_rng.uniform(-limit, limit, (784, 100)))
    b, b_prime = theano.shared(np.zeros(100)), theano.shared(np.zeros(784))
    index, x = T.lscalar(), T.matrix()
    seen = theano_rng.binomial(size=x.shape, n=1, p=1 - level, dtype="float64") * x if level else x
    z = T.nnet.sigmoid(T.dot(T.nnet.sigmoid(T.dot(seen, W) + b), W.T) + b_prime)
    cost = T.mean(-T.sum(x * T.log(z) + (1 - x) * T.log(1 - z), axis=1))
    params = [W, b, b_prime]
    updates = [(p, p - 0.1 * g) for p, g in zip(params, T.grad(cost, params))]  # noqa: B905  (Python 3.8)
    step = theano.function([index], cost, updates=updates, givens={x: images[index * 20 : (index + 1) * 20]})
    return [f"{np.mean([step(i) for i in range(250)]):f}" for _ in range(3)]


golden = {"autoencoder": costs(0.0), "denoising": costs(0.3)}
Path(__file__).with_name("first_epochs.json").write_text(json.dumps(golden) + "\n")
