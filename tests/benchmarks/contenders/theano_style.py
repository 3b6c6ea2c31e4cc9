"""The tutorial's training step written out, in Theano or in PyTensor without symae; runs on Python 3.8 too."""

import time

import numpy as np
from autoencoder_settings import LEARNING_RATE, SEED, settings
from measured import answer

given = settings()
floatX, batch = given.floatX, given.batch
if given.way == "theano":
    import theano
    import theano.tensor as T

    sigmoid = T.nnet.sigmoid
else:
    import pytensor as theano
    import pytensor.tensor as T

    sigmoid = T.sigmoid
theano.config.floatX = floatX

W, b, b_prime = params = [theano.shared(value) for value in given.parameters()]
data = theano.shared(given.images, borrow=True)
index, x = T.lscalar(), T.matrix()
seen = x
if given.level:
    seed = np.random.RandomState(SEED).randint(2**30)
    if given.way == "theano":
        from theano.tensor.shared_randomstreams import RandomStreams

        seen = RandomStreams(seed).binomial(size=x.shape, n=1, p=1 - given.level, dtype=floatX) * x
    else:
        from pytensor.tensor.random.utils import RandomStream

        seen = T.cast(RandomStream(seed).binomial(1, 1 - given.level, size=x.shape), floatX) * x
z = sigmoid(T.dot(sigmoid(T.dot(seen, W) + b), W.T) + b_prime)
cost = T.mean(-T.sum(x * T.log(z) + (1 - x) * T.log(1 - z), axis=1))
updates = [(p, p - np.asarray(LEARNING_RATE, floatX) * g) for p, g in zip(params, T.grad(cost, params))]  # noqa: B905  (Python 3.8)

started = time.perf_counter()
step = theano.function([index], cost, updates=updates, givens={x: data[index * batch : (index + 1) * batch]})
values = [p.get_value() for p in params]
step(0)
for p, value in zip(params, values):  # noqa: B905
    p.set_value(value)
answer(time.perf_counter() - started, lambda: float(np.mean([step(i) for i in range(given.n_batches)])))
