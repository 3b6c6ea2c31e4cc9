"""The tutorial's training step written out, in Theano or in PyTensor without symae; runs on Python 3.8 too."""

import json
import sys
import time

import numpy as np

library, images, floatX, level = sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4])
if library == "theano":
    import theano
    import theano.tensor as T

    sigmoid = T.nnet.sigmoid
else:
    import pytensor as theano
    import pytensor.tensor as T

    sigmoid = T.sigmoid
theano.config.floatX = floatX

rng = np.random.RandomState(123)
seed = rng.randint(2**30)
limit = 4 * np.sqrt(6.0 / (784 + 100))
W = theano.shared(rng.uniform(-limit, limit, (784, 100)).astype(floatX))
b, b_prime = theano.shared(np.zeros(100, floatX)), theano.shared(np.zeros(784, floatX))
data = theano.shared(np.load(images).astype(floatX))
index, x = T.lscalar(), T.matrix()
seen = x
if level and library == "theano":
    from theano.tensor.shared_randomstreams import RandomStreams

    seen = RandomStreams(seed).binomial(size=x.shape, n=1, p=1 - level, dtype=floatX) * x
z = sigmoid(T.dot(sigmoid(T.dot(seen, W) + b), W.T) + b_prime)
cost = T.mean(-T.sum(x * T.log(z) + (1 - x) * T.log(1 - z), axis=1))
params = [W, b, b_prime]
updates = [(p, p - np.asarray(0.1, floatX) * g) for p, g in zip(params, T.grad(cost, params))]  # noqa: B905  (Python 3.8)

started = time.time()
step = theano.function([index], cost, updates=updates, givens={x: data[index * 20 : (index + 1) * 20]})
values = [p.get_value() for p in params]
step(0)
for p, value in zip(params, values):  # noqa: B905
    p.set_value(value)
print(json.dumps({"compile": time.time() - started}), flush=True)

n_batches = data.get_value(borrow=True).shape[0] // 20
for _ in sys.stdin:
    started = time.time()
    mean = float(np.mean([step(i) for i in range(n_batches)]))
    print(json.dumps({"seconds": time.time() - started, "cost": mean}), flush=True)
